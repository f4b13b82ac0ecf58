/** Small shared pieces: pages, figures, states, problems, empty places. */

import { ActionIcon, Alert, Box, Button, Group, Loader, Stack, Text, Title, Tooltip } from '@mantine/core';
import { type CSSProperties, type ReactNode, useLayoutEffect, useRef, useState } from 'react';
import { Problem } from '../api/http';
import { msg, type Translate, useProblemWords, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { copyText } from './copy';
import { Icon, type IconName } from './icons';

/** The page's one heading, and its name in the tab: a page that comes in late says its own name, not the last one's. */
export function Heading({ children, unseen = false }: { children: ReactNode; unseen?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    const name = heading.current?.textContent;
    document.title = name ? `${name} · Cupola` : 'Cupola';
  });
  if (unseen)
    return (
      <h1 ref={heading} className="cup-visually-hidden">
        {children}
      </h1>
    );
  return (
    <Title order={1} ref={heading}>
      {children}
    </Title>
  );
}

export function Page({
  title,
  lead,
  actions,
  back,
  children,
}: {
  title: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  back?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Stack gap={24}>
      <div>
        {back}
        <Group justify="space-between" align="flex-start" gap={16}>
          <div style={{ minWidth: 0 }}>
            <Heading>{title}</Heading>
            {lead && (
              <Text c="dimmed" maw="72ch" mt={2}>
                {lead}
              </Text>
            )}
          </div>
          {actions && <Group gap={8}>{actions}</Group>}
        </Group>
      </div>
      {children}
    </Stack>
  );
}

export function Panel({
  title,
  aside,
  children,
  style,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  style?: CSSProperties;
}) {
  return (
    <section className="cup-panel" style={style}>
      {(title || aside) && (
        <Group justify="space-between" mb={12} gap={8}>
          <Title order={2}>{title}</Title>
          {aside}
        </Group>
      )}
      {children}
    </section>
  );
}

/** A figure with what it is and what it is out of. */
export function Figure({ label, value, note }: { label: ReactNode; value: ReactNode; note?: ReactNode }) {
  return (
    <dl className="cup-figure">
      <dt>{label}</dt>
      <dd>
        {value}
        {note && <small>{note}</small>}
      </dd>
    </dl>
  );
}

export type Tone = 'settled' | 'doubtful' | 'refused' | 'model' | 'person' | 'neutral';
const SHAPES: Partial<Record<Tone, string>> = { doubtful: 'square', refused: 'square', neutral: 'ring' };

/** A state in a word, a colour and a shape. */
/** wraps: takes several lines where it is given little room. */
export function Chip({
  tone,
  wraps = false,
  title,
  children,
}: {
  tone: Tone;
  wraps?: boolean;
  title?: string | undefined;
  children: ReactNode;
}) {
  return (
    <span
      className="cup-chip"
      data-wraps={wraps || undefined}
      title={title}
      data-shape={SHAPES[tone]}
      style={{ '--chip-fill': `var(--cup-${tone}-fill)`, color: `var(--cup-${tone})` } as CSSProperties}
    >
      {children}
    </span>
  );
}

const STATES: Record<string, { tone: Tone; text: string }> = {
  draft: { tone: 'neutral', text: msg('Draft') },
  live: { tone: 'settled', text: msg('Live') },
  paused: { tone: 'doubtful', text: msg('Paused') },
  stopped: { tone: 'refused', text: msg('Stopped') },
  open: { tone: 'neutral', text: msg('Open') },
  collecting: { tone: 'person', text: msg('Collecting') },
  escalated: { tone: 'doubtful', text: msg('Doubtful') },
  settled: { tone: 'settled', text: msg('Settled') },
  cancelled: { tone: 'refused', text: msg('Cancelled') },
  gold: { tone: 'model', text: msg('gold') },
  waiting: { tone: 'neutral', text: msg('Waiting') },
  running: { tone: 'person', text: msg('Running') },
  done: { tone: 'settled', text: msg('Done') },
  ready: { tone: 'settled', text: msg('Ready') },
  failed: { tone: 'refused', text: msg('Failed') },
  declared: { tone: 'neutral', text: msg('Declared') },
  freezing: { tone: 'person', text: msg('Being frozen') },
  frozen: { tone: 'neutral', text: msg('Frozen') },
  auditing: { tone: 'person', text: msg('Being audited') },
  certified: { tone: 'settled', text: msg('Certified') },
  delivered: { tone: 'settled', text: msg('Delivered') },
  drawing: { tone: 'person', text: msg('Being drawn') },
  calibrating: { tone: 'person', text: msg('Being calibrated') },
  refused: { tone: 'refused', text: msg('Not proved') },
  on: { tone: 'settled', text: msg('Active') },
  off: { tone: 'doubtful', text: msg('Off') },
  revoked: { tone: 'refused', text: msg('Revoked') },
};

export function State({ of }: { of: string }) {
  const t = useT();
  const known = STATES[of];
  return <Chip tone={known?.tone ?? 'neutral'}>{known ? t(known.text) : of}</Chip>;
}

interface Explained {
  detail: string;
  remedy: string;
  /** What the server said, where that was English and the reader has another language: it names the thing itself. */
  original?: string;
}

/** Words for a person where the server speaks to a program, or the app itself is in trouble; then in their language. */
function explain(t: Translate, wordsFor: ReturnType<typeof useProblemWords>, problem: Problem): Explained {
  if (problem.isAbsence) {
    return {
      detail: t('The server did not answer.'),
      remedy: t('Check that it runs and that you are online, then try again.'),
    };
  }
  if (problem.code === 'answer-not-understood') {
    return {
      detail: t('Something other than this server answered.'),
      remedy: t('A proxy or a sign-in page of your network may stand between: open this page anew.'),
    };
  }
  if (problem.isSignedOut) {
    return {
      detail: t('You are signed out'),
      remedy: t('Your session has ended. What is on this page is kept: sign in, and it goes on from here.'),
    };
  }
  const words = wordsFor(problem.code);
  if (!words) return { detail: problem.detail, remedy: problem.remedy };
  const [detail, remedy = ''] = words;
  return { detail, remedy, original: [problem.detail, problem.remedy].filter(Boolean).join(' ') };
}

/** What went wrong in the app itself is said as that, never as the server's silence. */
function explainFault(t: Translate, error: unknown): Explained {
  return {
    detail: t('This page ran into a fault of its own: {message}', {
      message: error instanceof Error ? error.message : String(error),
    }),
    remedy: t('Load the page anew. If it comes back, send this sentence to whoever runs this server.'),
  };
}

export function ProblemNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useT();
  const wordsFor = useProblemWords();
  if (!error) return null;
  const problem = error instanceof Problem ? error : null;
  const { detail, remedy, original } = problem ? explain(t, wordsFor, problem) : explainFault(t, error);
  return (
    <Alert
      color="red"
      variant="outline"
      icon={<Icon name="warning" />}
      role="alert"
      title={
        <Text c="var(--cup-refused)" fw={600}>
          {detail}
        </Text>
      }
    >
      {problem?.place && (
        <Text size="sm">
          {t('At')} <code className="cup-code">{problem.place}</code>
        </Text>
      )}
      {remedy && <Text size="sm">{remedy}</Text>}
      {original && (
        <Text size="xs" c="dimmed" lang="en" dir="auto" mt={4} style={{ overflowWrap: 'anywhere' }}>
          {original}
        </Text>
      )}
      {onRetry && (
        <Button variant="default" size="xs" mt={8} onClick={onRetry}>
          {t('Try again')}
        </Button>
      )}
    </Alert>
  );
}

/** Why something that ran by itself went wrong: in the reader's language by its code, the server's sentence beneath. */
export function Why({ code, detail }: { code: string | null | undefined; detail: string }) {
  const words = useProblemWords()(code ?? '');
  if (!words) return <span style={{ overflowWrap: 'anywhere' }}>{detail}</span>;
  return (
    <>
      <span>{words.join('')}</span>
      <Text component="div" size="xs" c="dimmed" lang="en" dir="auto" style={{ overflowWrap: 'anywhere' }}>
        {detail}
      </Text>
    </>
  );
}

/** An empty place says what belongs there and how it gets there. */
export function Empty({
  icon = 'info',
  title,
  children,
  action,
}: {
  icon?: IconName;
  title: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <Stack align="center" gap={8} py={48} px={16} ta="center" className="cup-panel">
      <Box c="dimmed">
        <Icon name={icon} size={28} />
      </Box>
      <Text fw={600}>{title}</Text>
      {children && (
        <Text c="dimmed" maw="56ch" component="div">
          {children}
        </Text>
      )}
      {action && <Box mt={8}>{action}</Box>}
    </Stack>
  );
}

/** Waiting, content or problem: the three faces of anything that was asked for. */
export function Asked<T>({
  query,
  children,
}: {
  query: { data: T | undefined; error: unknown; isLoading: boolean; refetch: () => unknown };
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <ProblemNote error={query.error} onRetry={() => void query.refetch()} />;
  return <Loading />;
}

/** What stands where something was asked for and is not here yet. */
export function Loading() {
  const t = useT();
  return (
    <Group gap={8} py={24} c="dimmed" role="status">
      <Loader size="xs" />
      {t('Loading…')}
    </Group>
  );
}

export function Key({ children }: { children: ReactNode }) {
  return <kbd className="cup-key">{children}</kbd>;
}

export function IconButton({
  icon,
  label,
  onClick,
  disabledBecause,
  pressed,
}: {
  icon: IconName;
  label: string;
  onClick: () => void;
  disabledBecause?: string | null;
  pressed?: boolean;
}) {
  return (
    <Tooltip label={disabledBecause ? `${label}: ${disabledBecause}` : label} openDelay={400}>
      <ActionIcon
        {...(pressed ? { variant: 'filled' } : { variant: 'subtle', color: 'gray', c: 'var(--mantine-color-text)' })}
        aria-label={label}
        aria-pressed={pressed}
        aria-disabled={disabledBecause ? true : undefined}
        style={disabledBecause ? { opacity: 0.45 } : undefined}
        onClick={() => !disabledBecause && onClick()}
        size={32}
      >
        <Icon name={icon} size={18} />
      </ActionIcon>
    </Tooltip>
  );
}

/** A secret or a link that is shown once, with the way to take it along. */
export function Copyable({ value, label }: { value: string; label: string }) {
  const t = useT();
  const [copied, setCopied] = useState<boolean | null>(null);
  return (
    <Group gap={8} wrap="nowrap">
      <code className="cup-code" style={{ overflowWrap: 'anywhere', padding: '4px 8px', flex: 1 }} aria-label={label}>
        {value}
      </code>
      <Button
        size="xs"
        variant="default"
        style={{ flex: 'none' }}
        leftSection={<Icon name={copied ? 'check' : 'copy'} />}
        onClick={() => void copyText(value).then(setCopied)}
      >
        {copied === null ? t('Copy') : copied ? t('Copied') : t('Select it and press Ctrl+C')}
      </Button>
    </Group>
  );
}

export function Moment({ at }: { at: string | null | undefined }) {
  const { moment } = useFormat();
  return at ? <time dateTime={at}>{moment(at)}</time> : <span>–</span>;
}

/** An estimate with its interval: a thin bar from low to high, a tick at the likely value. */
export function Interval({
  low,
  likely,
  high,
  from = 0,
  to,
  label,
  width = 120,
}: {
  low: number;
  likely: number;
  high: number;
  from?: number;
  to: number;
  label: string;
  width?: number | string;
}) {
  const at = (value: number) => (to > from ? Math.min(Math.max((value - from) / (to - from), 0), 1) * 100 : 0);
  return (
    <svg width={width} height={12} role="img" aria-label={label} style={{ display: 'block' }}>
      <line x1="0" x2="100%" y1="6" y2="6" stroke="var(--cup-line)" strokeWidth={1} />
      <line x1={`${at(low)}%`} x2={`${at(high)}%`} y1="6" y2="6" stroke="var(--cup-person-fill)" strokeWidth={3} />
      <line
        x1={`${at(likely)}%`}
        x2={`${at(likely)}%`}
        y1="1"
        y2="11"
        stroke="var(--mantine-color-text)"
        strokeWidth={2}
      />
    </svg>
  );
}
