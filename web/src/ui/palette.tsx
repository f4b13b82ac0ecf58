import { Modal, TextInput, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useMemo, useState } from 'react';
import { projects } from '../api/calls';
import { useSession } from '../api/session';
import { activate, useLocale, useT } from '../i18n';
import { Icon } from './icons';
import type { Place } from './shell';

interface Entry {
  id: string;
  text: string;
  hint: string;
  run: () => void;
}

const MOST_SHOWN = 12;

/** Ctrl+K: every place, every project, every preference, by typing a few letters. */
export function Palette({
  sections,
  onClose,
  onSignOut,
}: {
  sections: { title: string; places: Place[] }[];
  onClose: () => void;
  onSignOut: () => void;
}) {
  const t = useT();
  const locale = useLocale();
  const navigate = useNavigate();
  const { tenant } = useSession();
  const { setColorScheme } = useMantineColorScheme();
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const list = useQuery({
    queryKey: ['projects', tenant?.id, 'palette'],
    queryFn: () => projects.list({ limit: 100 }),
    enabled: tenant !== null,
  });

  const entries = useMemo<Entry[]>(() => {
    const go = (href: string) => () => void navigate({ href });
    return [
      ...sections.flatMap((section) =>
        section.places.map((place) => ({
          id: place.to,
          text: t(place.text),
          hint: t(section.title),
          run: go(place.to),
        })),
      ),
      ...(tenant && tenant.role !== 'reviewer'
        ? [{ id: 'new', text: t('New project'), hint: t('Data'), run: go('/projects/new') }]
        : []),
      ...(list.data?.items ?? []).map((project) => ({
        id: project.id,
        text: project.name,
        hint: t('Project'),
        run: go(`/projects/${project.id}`),
      })),
      { id: 'light', text: t('Light colours'), hint: t('Appearance'), run: () => setColorScheme('light') },
      { id: 'dark', text: t('Dark colours'), hint: t('Appearance'), run: () => setColorScheme('dark') },
      { id: 'auto', text: t('Colours as the system'), hint: t('Appearance'), run: () => setColorScheme('auto') },
      {
        id: 'language',
        text: locale === 'en' ? '切换到中文' : 'Switch to English',
        hint: t('Language'),
        run: () => void activate(locale === 'en' ? 'zh' : 'en', true),
      },
      { id: 'out', text: t('Sign out'), hint: '', run: onSignOut },
    ];
  }, [sections, list.data, t, locale, navigate, setColorScheme, onSignOut, tenant]);

  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = entries
    .filter((entry) => words.every((word) => `${entry.text} ${entry.hint}`.toLowerCase().includes(word)))
    .slice(0, MOST_SHOWN);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setAt((now) => (shown.length ? (now + step + shown.length) % shown.length : 0));
    } else if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
      const entry = shown[at];
      onClose();
      entry?.run();
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      padding={8}
      yOffset="12vh"
      size="lg"
      aria-label={t('Go to')}
    >
      <TextInput
        data-autofocus
        aria-label={t('Go to')}
        placeholder={t('A place, a project, a setting…')}
        leftSection={<Icon name="search" />}
        role="combobox"
        aria-expanded={true}
        aria-controls="palette-list"
        aria-activedescendant={shown[at] ? `palette-${shown[at].id}` : undefined}
        value={wanted}
        onChange={(event) => {
          setWanted(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="palette-list" role="listbox" aria-label={t('Go to')} style={{ marginTop: 8 }}>
        {shown.map((entry, index) => (
          <button
            key={entry.id}
            id={`palette-${entry.id}`}
            type="button"
            role="option"
            aria-selected={index === at}
            tabIndex={-1}
            className="cup-palette-item"
            onMouseMove={() => setAt(index)}
            onClick={() => {
              onClose();
              entry.run();
            }}
          >
            <span>{entry.text}</span>
            <span style={{ color: 'var(--mantine-color-dimmed)', fontSize: 12 }}>{entry.hint}</span>
          </button>
        ))}
      </div>
    </Modal>
  );
}
