/** Classes as the wizard asks for them: one a line, and how each is called. */
import { Switch, Textarea, TextInput } from '@mantine/core';
import type { ClassSpec } from '../../api/types';
import { useT } from '../../i18n';
import type { Named } from './setup';

export function namesOf({ classes }: Named): string[] {
  const names = classes
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return [...new Set(names)];
}

function titleOf(named: Named, name: string): Pick<ClassSpec, 'title'> {
  const en = named.titles[name]?.en?.trim();
  const zh = named.titles[name]?.zh?.trim();
  if (!named.titled || !(en || zh)) return {};
  return { title: { ...(en ? { en } : {}), ...(zh ? { zh } : {}) } };
}

export const classSpecs = (named: Named): ClassSpec[] =>
  namesOf(named).map((name) => ({ name, ...titleOf(named, name) }));

interface ClassesProps {
  label: string;
  named: Named;
  rename: (part: Partial<Named>) => void;
}

function Titles({ named, rename }: Omit<ClassesProps, 'label'>) {
  const t = useT();
  const set = (name: string, language: 'en' | 'zh', words: string) =>
    rename({ titles: { ...named.titles, [name]: { ...named.titles[name], [language]: words } } });
  return (
    <div>
      <Switch
        label={t('Show other words than these names, in English and Chinese')}
        checked={named.titled}
        onChange={(event) => rename({ titled: event.currentTarget.checked })}
      />
      {named.titled && (
        <div className="cup-titles">
          <span />
          <span aria-hidden="true">English</span>
          <span aria-hidden="true">中文</span>
          {namesOf(named).map((name) => (
            <div key={name} style={{ display: 'contents' }}>
              <code className="cup-code cup-ellipsis" dir="auto">
                {name}
              </code>
              {(['en', 'zh'] as const).map((language) => (
                <TextInput
                  key={language}
                  size="xs"
                  aria-label={
                    language === 'en'
                      ? t('English words for {name}', { name })
                      : t('Chinese words for {name}', { name })
                  }
                  placeholder={name}
                  value={named.titles[name]?.[language] ?? ''}
                  onChange={(event) => set(name, language, event.currentTarget.value)}
                />
              ))}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

export function Classes({ label, named, rename }: ClassesProps) {
  const t = useT();
  return (
    <>
      <Textarea
        label={label}
        description={t('In the order of their keys: the first is key 1.')}
        autosize
        minRows={5}
        maxRows={16}
        dir="auto"
        value={named.classes}
        onChange={(event) => rename({ classes: event.currentTarget.value })}
      />
      {namesOf(named).length > 0 && <Titles named={named} rename={rename} />}
    </>
  );
}
