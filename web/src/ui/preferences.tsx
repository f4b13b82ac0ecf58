/** Language and colour scheme: by the system until a person says otherwise. */
import { Button, useMantineColorScheme } from '@mantine/core';
import { activate, LOCALE_NAMES, type Locale, useLocale, useT } from '../i18n';
import { IconButton } from './bits';

/** `onChoose` keeps the choice with the person who is signed in. */
export function LanguageButton({ onChoose }: { onChoose?: (locale: Locale) => void }) {
  const locale = useLocale();
  const other = locale === 'en' ? 'zh' : 'en';
  return (
    <Button
      variant="subtle"
      color="gray"
      c="var(--mantine-color-text)"
      size="compact-sm"
      style={{ flex: 'none' }}
      lang={other === 'zh' ? 'zh-CN' : 'en'}
      onClick={() => {
        void activate(other, true);
        onChoose?.(other);
      }}
    >
      {LOCALE_NAMES[other]}
    </Button>
  );
}

export function SchemeButton() {
  const t = useT();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = { auto: 'light', light: 'dark', dark: 'auto' } as const;
  const icon = { auto: 'system', light: 'sun', dark: 'moon' } as const;
  const words = { auto: t('Colours: as the system'), light: t('Colours: light'), dark: t('Colours: dark') };
  return (
    <IconButton icon={icon[colorScheme]} label={words[colorScheme]} onClick={() => setColorScheme(next[colorScheme])} />
  );
}
