/** The frame of every page that is read: mark, tenant, person, places to go, and the command palette. */
import { Button, Menu, Select } from '@mantine/core';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { session as calls } from '../api/calls';
import { useServerEvents } from '../api/events';
import { useSession } from '../api/session';
import type { Session, Tenant } from '../api/types';
import { chordOf } from '../editor/core/keymap';
import { msg, useT } from '../i18n';
import { IconButton, Key } from './bits';
import { Icon, type IconName, Mark } from './icons';
import { Palette } from './palette';
import { LanguageButton, SchemeButton } from './preferences';

/** Seldom wanted, so not part of the first load. */
const ChangePassword = lazy(() => import('./change_password').then((page) => ({ default: page.ChangePassword })));

export interface Place {
  to: string;
  text: string;
  icon: IconName;
}
interface Section {
  title: string;
  places: Place[];
}

export function placesFor(session: Session, tenant: Tenant | null): Section[] {
  const sections: Section[] = [];
  if (tenant) {
    const manages = tenant.role !== 'reviewer';
    sections.push({
      title: msg('Data'),
      places: [
        { to: '/projects', text: msg('Projects'), icon: 'flag' },
        ...(manages ? [{ to: '/datasets', text: msg('Datasets'), icon: 'cloud' } as const] : []),
        { to: '/models', text: msg('Models'), icon: 'extremes' },
      ],
    });
    sections.push({
      title: msg('Decide'),
      places: [
        { to: '/adjudication', text: msg('Doubtful tasks'), icon: 'warning' },
        { to: '/audits', text: msg('Audits'), icon: 'eye' },
        { to: '/submissions', text: msg('Reviews before pay'), icon: 'check' },
      ],
    });
    if (manages) {
      sections.push({
        title: msg('Settings'),
        places: [
          { to: '/money', text: msg('Money'), icon: 'book' },
          { to: '/members', text: msg('Members'), icon: 'user' },
          { to: '/keys', text: msg('API keys'), icon: 'link' },
          { to: '/webhooks', text: msg('Webhooks'), icon: 'play' },
          { to: '/orders', text: msg('Orders'), icon: 'upload' },
        ],
      });
    }
  }
  if (session.contributor) {
    sections.push({
      title: msg('Work'),
      places: [
        { to: '/work', text: msg('Offers'), icon: 'check' },
        { to: '/skills', text: msg('Skills'), icon: 'user' },
        { to: '/earnings', text: msg('Earnings'), icon: 'download' },
        { to: '/submitted', text: msg('Reviewed work'), icon: 'eye' },
        { to: '/panel', text: msg('Appeals to decide'), icon: 'flag' },
      ],
    });
  }
  if (session.operator) {
    sections.push({
      title: msg('Operate'),
      places: [{ to: '/operator', text: msg('Tenants and people'), icon: 'user' }],
    });
  }
  return sections;
}

function TenantChoice() {
  const t = useT();
  const { session, tenant, chooseTenant } = useSession();
  if (!session || session.tenants.length === 0) return null;
  const nameOf = (one: Tenant) => (one.world === 'test' ? `${one.name} (${t('test')})` : one.name);
  if (session.tenants.length === 1 && tenant) return <span className="cup-ellipsis">{nameOf(tenant)}</span>;
  return (
    <Select
      aria-label={t('Tenant')}
      size="xs"
      w={200}
      data={session.tenants.map((one) => ({ value: one.id, label: nameOf(one) }))}
      value={tenant?.id ?? null}
      allowDeselect={false}
      onChange={(id) => id && chooseTenant(id)}
    />
  );
}

export function Shell() {
  const t = useT();
  const navigate = useNavigate();
  const { session, tenant, leave } = useSession();
  const [menu, setMenu] = useState(false);
  const [palette, setPalette] = useState(false);
  const [changing, setChanging] = useState(false);
  useServerEvents(tenant?.id ?? null);
  const sections = useMemo(() => (session ? placesFor(session, tenant) : []), [session, tenant]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (chordOf(event) !== 'Ctrl+K') return;
      event.preventDefault();
      setPalette((opened) => !opened);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  if (!session) return null;
  const signOut = () => void leave().then(() => navigate({ to: '/signin' }));
  return (
    <div className="cup-shell">
      <a href="#main" className="cup-skip">
        {t('Skip to the content')}
      </a>
      <header className="cup-header">
        <span className="cup-burger">
          <IconButton icon="menu" label={t('Menu')} pressed={menu} onClick={() => setMenu(!menu)} />
        </span>
        <Link to="/" className="cup-wordmark">
          <Mark />
          Cupola
        </Link>
        <TenantChoice />
        <span className="cup-spacer" />
        <Button
          className="cup-wide-only"
          variant="default"
          size="compact-sm"
          leftSection={<Icon name="search" size={14} />}
          rightSection={<Key>Ctrl K</Key>}
          onClick={() => setPalette(true)}
        >
          {t('Go to')}
        </Button>
        {/* Kept here at once; that it did not reach the server changes nothing on screen. */}
        <LanguageButton onChoose={(locale) => void calls.setLocale(locale).catch(() => undefined)} />
        <SchemeButton />
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <Button
              variant="subtle"
              color="gray"
              c="var(--mantine-color-text)"
              size="compact-sm"
              leftSection={<Icon name="user" />}
              aria-label={session.person.name}
              style={{ flex: 'none' }}
            >
              <span className="cup-person-name">{session.person.name}</span>
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label c="dimmed">{session.person.email}</Menu.Label>
            <Menu.Item onClick={() => setChanging(true)}>{t('Change password')}</Menu.Item>
            <Menu.Item onClick={signOut}>{t('Sign out')}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </header>
      <nav className="cup-nav" data-open={menu} aria-label={t('Places')}>
        <div className="cup-nav-inner">
          {sections.map((section) => (
            <div key={section.title}>
              <h2>{t(section.title)}</h2>
              {section.places.map((place) => (
                <Link
                  key={place.to}
                  to={place.to}
                  onClick={() => setMenu(false)}
                  activeProps={{ 'aria-current': 'page' }}
                >
                  <Icon name={place.icon} />
                  {t(place.text)}
                </Link>
              ))}
            </div>
          ))}
        </div>
      </nav>
      <main className="cup-main" id="main" tabIndex={-1} style={{ outline: 'none' }}>
        <Outlet />
      </main>
      {changing && (
        <Suspense fallback={null}>
          <ChangePassword onClose={() => setChanging(false)} />
        </Suspense>
      )}
      {palette && <Palette sections={sections} onClose={() => setPalette(false)} onSignOut={signOut} />}
    </div>
  );
}
