/** Who judges, how well, and what they take for what. */
import { Group, SegmentedControl, Text } from '@mantine/core';
import { useState } from 'react';
import type { ContributorQuality, Project, Quality } from '../api/types';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Chip, Empty, Interval, Moment, Panel } from '../ui/bits';
import { Confusion } from '../ui/charts';
import { useFlagWords } from '../ui/flag_words';
import { readFlag } from '../ui/flags';
import { Rows } from '../ui/table';

/** Beyond these the table itself is the better list. */
const MOST_FLAGS = 12;

type Order = 'skill' | 'judgements' | 'flags';

const ORDERS: Record<Order, (a: ContributorQuality, b: ContributorQuality) => number> = {
  skill: (a, b) => b.skill - a.skill,
  judgements: (a, b) => b.judgements - a.judgements,
  flags: (a, b) => b.flags.length - a.flags.length || a.skill - b.skill,
};

/**
 * Where the bars begin, in steps of five per cent: most people are good and differ in the last few, so one in ten may
 * lie to the left of it. Their figures stand beside the bar.
 */
function scaleFrom(lows: readonly number[]): number {
  const sorted = [...lows].sort((a, b) => a - b);
  const tenth = sorted[Math.floor(sorted.length / 10)] ?? 0;
  return Math.min(0.9, Math.floor(tenth * 20) / 20);
}

/** The server's kinds of flag, in the reader's language. */
const FLAG_WORDS: Record<string, string> = {
  spammer: msg('answers without looking'),
  inverted: msg('answers the opposite'),
  collusion: msg('answers in a ring'),
  drift: msg('skill has changed'),
  'copied-answers': msg('copied answers'),
};

function FlagChip({ kind }: { kind: string }) {
  const t = useT();
  const known = FLAG_WORDS[kind];
  return <Chip tone="refused">{known ? t(known) : kind}</Chip>;
}

/** Those with a flag, each with what was seen: to be looked at, not judged by. */
function Flagged({ contributors }: { contributors: readonly ContributorQuality[] }) {
  const t = useT();
  const words = useFlagWords();
  const flagged = contributors.flatMap((one) =>
    (one.flags as readonly unknown[]).map((flag) => ({ who: one.pseudonym, flag: readFlag(flag) })),
  );
  if (flagged.length === 0) return null;
  return (
    <section className="cup-notice" aria-label={t('Flags')} style={{ marginBottom: 12 }}>
      <Text size="sm" mb={4}>
        {t(
          '{count, plural, one {# has a flag} other {# have flags}}: something for a person to look at, not a verdict.',
          {
            count: contributors.filter((one) => one.flags.length > 0).length,
          },
        )}
      </Text>
      <ul className="cup-flagged">
        {flagged.slice(0, MOST_FLAGS).map(({ who, flag }) => (
          <li key={`${who} ${flag.kind}`}>
            <strong className="cup-whole">{who}</strong> <FlagChip kind={flag.kind} />{' '}
            <span style={{ overflowWrap: 'anywhere' }}>{words(flag)}</span>
            {flag.since && (
              <Text component="span" size="xs" c="dimmed">
                {' '}
                {t('since')} <Moment at={flag.since} />
              </Text>
            )}
          </li>
        ))}
      </ul>
      {flagged.length > MOST_FLAGS && (
        <Text size="xs" c="dimmed">
          {t('and {count} more', { count: flagged.length - MOST_FLAGS })}
        </Text>
      )}
    </section>
  );
}

function Skills({ contributors }: { contributors: ContributorQuality[] }) {
  const t = useT();
  const { number, percent } = useFormat();
  const [order, setOrder] = useState<Order>('skill');
  const sorted = [...contributors].sort(ORDERS[order]);
  const from = scaleFrom(contributors.map((one) => one.low));
  return (
    <Panel
      title={t('Skill of each contributor')}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={t('Order')}
          value={order}
          onChange={(next) => setOrder(next as Order)}
          data={[
            { value: 'skill', label: t('Skill') },
            { value: 'judgements', label: t('Judgements') },
            { value: 'flags', label: t('Flagged first') },
          ]}
        />
      }
    >
      <Text size="sm" c="dimmed" mb={8}>
        {t(
          '{count, plural, one {# contributor} other {# contributors}}; the bar is the credible interval of each one’s skill.',
          { count: contributors.length },
        )}
      </Text>
      <Flagged contributors={contributors} />
      <div className="cup-tall cup-tight">
        <Rows<ContributorQuality>
          label={t('Skill of each contributor')}
          rows={sorted}
          keyOf={(one) => one.pseudonym}
          columns={[
            { head: t('Contributor'), cell: (one) => <span className="cup-whole">{one.pseudonym}</span> },
            { head: t('Skill'), numeric: true, cell: (one) => percent(one.skill) },
            {
              head: t('{from} to 100 %', { from: percent(from, 0) }),
              cell: (one) => (
                <div style={{ minWidth: 96 }}>
                  <Interval
                    low={one.low}
                    likely={one.skill}
                    high={one.high}
                    from={from}
                    to={1}
                    width="100%"
                    label={`${percent(one.low)} – ${percent(one.high)}`}
                  />
                </div>
              ),
            },
            { head: t('Judgements'), numeric: true, cell: (one) => number(one.judgements) },
            {
              head: t('Gold right'),
              numeric: true,
              cell: (one) => (one.gold_seen ? `${number(one.gold_right)} / ${number(one.gold_seen)}` : '–'),
            },
            {
              head: t('Flags'),
              cell: (one) =>
                one.flags.length === 0
                  ? '–'
                  : (one.flags as readonly unknown[])
                      .map(readFlag)
                      .map((flag) => <FlagChip key={flag.kind} kind={flag.kind} />),
            },
          ]}
        />
      </div>
    </Panel>
  );
}

export function People({ project, quality }: { project: Project; quality: Quality }) {
  const t = useT();
  if (quality.contributors.length === 0) {
    return project.judgements > 0 ? (
      <Empty icon="clock" title={t('No skill worked out yet')}>
        {t(
          'Skills are worked out together, once enough tasks have been judged by several people or have a known answer.',
        )}
      </Empty>
    ) : (
      <Empty icon="user" title={t('Nobody has judged yet')}>
        {t('Each contributor shows up here under a pseudonym, with the skill their work shows.')}
      </Empty>
    );
  }
  return (
    <Group align="stretch" gap={16}>
      <div style={{ flex: '1 1 540px', minWidth: 0 }}>
        <Skills contributors={quality.contributors} />
      </div>
      <div style={{ flex: '1 1 386px', minWidth: 0 }}>
        <Panel title={t('What is taken for what')}>
          {quality.confusion?.classes.length ? (
            <Confusion project={project.id} {...quality.confusion} />
          ) : (
            <Text c="dimmed">{t('Only for labels that are chosen.')}</Text>
          )}
        </Panel>
      </div>
    </Group>
  );
}
