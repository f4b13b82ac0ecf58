/**
 * Two languages. A message's id is its English text (ICU MessageFormat), so the code reads as what it says;
 * Chinese is a catalogue loaded only when it is wanted.
 */
import { i18n } from '@lingui/core';
import { compileMessage } from '@lingui/message-utils/compileMessage';
import { I18nProvider, useLingui } from '@lingui/react';
import { type ReactNode, useCallback } from 'react';

export type Locale = 'en' | 'zh';
export const LOCALES: readonly Locale[] = ['en', 'zh'];
export const LOCALE_NAMES: Record<Locale, string> = { en: 'English', zh: '中文' };
const STORED = 'cupola.locale';

i18n.setMessagesCompiler(compileMessage);

export type Values = Record<string, string | number>;
export type Translate = (message: string, values?: Values) => string;

/** Marks a message that is translated where it is shown, so that the completeness test finds it. */
export const msg = (message: string): string => message;

export function preferredLocale(): Locale {
  const stored = localStorage.getItem(STORED);
  if (stored === 'en' || stored === 'zh') return stored;
  return navigator.languages.some((language) => language.toLowerCase().startsWith('zh')) &&
    navigator.language.toLowerCase().startsWith('zh')
    ? 'zh'
    : 'en';
}

export async function activate(locale: Locale, remember = false): Promise<void> {
  const messages = locale === 'zh' ? (await import('./zh')).zh : {};
  i18n.load(locale, messages);
  i18n.activate(locale);
  document.documentElement.lang = locale === 'zh' ? 'zh-CN' : 'en';
  if (remember) localStorage.setItem(STORED, locale);
}

export function useT(): Translate {
  const { _ } = useLingui();
  return useCallback<Translate>((message, values) => _(message, values), [_]);
}

export function useLocale(): Locale {
  return useLingui().i18n.locale === 'zh' ? 'zh' : 'en';
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  return <I18nProvider i18n={i18n}>{children}</I18nProvider>;
}
