/** Why an offer is, or is not, somebody's: what a project asks for, each part with what is known of them. */
import { Text } from '@mantine/core';
import type { Because } from '../api/types';
import { msg, type Translate, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Icon } from '../ui/icons';

const ASKS: Record<string, string> = {
  language: msg('A language: {values}'),
  field: msg('A field: {values}'),
  country: msg('A country: {values}'),
  region: msg('A region: {values}'),
  degree: msg('A verified degree: {values}'),
  licence: msg('A verified licence: {values}'),
  certificate: msg('A verified certificate: {values}'),
  credential: msg('A verified credential: {values}'),
  exam: msg('An exam passed: {values}'),
};
const ASKS_NOT: Record<string, string> = {
  language: msg('None of these languages: {values}'),
  field: msg('None of these fields: {values}'),
  country: msg('None of these countries: {values}'),
  region: msg('None of these regions: {values}'),
};

function words(t: Translate, percent: (share: number, digits: number) => string, one: Because): string {
  const values = one.values.join(', ') || t('any');
  const said = t((one.negated ? ASKS_NOT : ASKS)[one.is_] ?? one.is_, { values });
  if (one.is_ !== 'exam' || one.at_least === null) return said;
  return `${said} – ${t('{share} shown, at least', { share: percent(one.at_least, 0) })}`;
}

function yours(t: Translate, percent: (share: number, digits: number) => string, one: Because): string {
  if (one.yours.length === 0) return t('nothing is known of you');
  const known = one.is_ === 'exam' ? one.yours.map((share) => percent(Number(share), 1)) : one.yours;
  return t('of you: {known}', { known: known.join(', ') });
}

/** The parts of what is asked, each with whether it holds. */
export function Why({ of }: { of: Because }) {
  const t = useT();
  const { percent } = useFormat();
  if (of.is_ === 'all' || of.is_ === 'any' || of.is_ === 'not') {
    const head = { all: t('All of these:'), any: t('One of these:'), not: t('None of these:') }[of.is_];
    return (
      <li data-holds={of.holds}>
        <Mark holds={of.holds} /> {head}
        <ul className="cup-why">
          {of.parts.map((part, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name than their place
            <Why key={at} of={part} />
          ))}
        </ul>
      </li>
    );
  }
  return (
    <li data-holds={of.holds}>
      <Mark holds={of.holds} /> {words(t, percent, of)}{' '}
      <Text component="span" size="xs" c="dimmed">
        ({yours(t, percent, of)})
      </Text>
    </li>
  );
}

function Mark({ holds }: { holds: boolean }) {
  const t = useT();
  return (
    <span style={{ color: holds ? 'var(--cup-settled)' : 'var(--cup-refused)' }}>
      <Icon name={holds ? 'check' : 'cross'} size={14} />
      <span className="cup-visually-hidden">{holds ? t('holds') : t('missing')}</span>
    </span>
  );
}
