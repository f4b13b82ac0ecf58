import { Button, Group, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { catalogue, ontologies, projects, tenant as tenantCalls } from '../api/calls';
import type { Estimate, Project, Range } from '../api/types';
import { modelOf } from '../editor/kinds/models';
import { msg, type Translate, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Figure, Interval, Page, Panel, ProblemNote } from '../ui/bits';
import { MoneyInput } from '../ui/money_input';
import { readGold } from './gold';
import { GoldInput, sendGold } from './gold_input';
import { LabelsStep } from './wizard_labels';
import { LikeStep } from './wizard_like';
import { REVIEWINGS } from './wizard_reviews';
import {
  classNames,
  type Draft,
  forgetDraft,
  incomplete,
  likeOf,
  loadDraft,
  ontologyOf,
  reviewsOf,
  STEPS,
  type Step,
  storeDraft,
} from './wizard_state';
import { DataStep, GuidelinesStep, PriceStep, QualityStep } from './wizard_steps';

const STEP_NAMES: Record<Step, string> = {
  data: msg('Data'),
  labels: msg('Labels'),
  guidelines: msg('Guidelines'),
  quality: msg('Quality plan'),
  price: msg('Price'),
  launch: msg('Launch'),
};
/** The budget offered by default covers the estimate's high end. */
const ESTIMATE_FROM: ReadonlySet<Step> = new Set(['quality', 'price', 'launch']);

function useEstimate(draft: Draft, enabled: boolean) {
  const dataset = useQuery({
    queryKey: ['dataset', draft.dataset],
    queryFn: () => catalogue.dataset(draft.dataset),
    enabled: draft.dataset !== '',
  });
  const items = dataset.data?.items ?? 0;
  const reviews = reviewsOf(draft);
  const body = { items, plan: draft.plan, offer: draft.offer, reviews, classes: Math.max(2, classNames(draft).length) };
  const [settled] = useDebouncedValue(body, 300);
  const estimate = useQuery({
    queryKey: ['estimate', settled],
    queryFn: () => projects.estimate(settled),
    // what is asked is what has settled: the draft may be ahead of it
    enabled:
      enabled &&
      settled.items > 0 &&
      settled.offer.price_minor > 0 &&
      settled.offer.currency.length === 3 &&
      settled.reviews.every(({ price_minor, fix }) => price_minor > 0 && (!fix || fix.price_minor > 0)),
    placeholderData: (before: Estimate | undefined) => before,
  });
  return { items, estimate, trouble: dataset };
}

/** The server says in English what it leaned on; its known saying is said in the reader's language. */
function basisIn(t: Translate, basis: string): string {
  const skill = /^an assumed skill of (\d+)\s*%; 80 % of simulated outcomes/.exec(basis)?.[1];
  return skill
    ? t(
        'From an assumed skill of {skill} %; 80 % of simulated outcomes lie in the interval. A pilot makes it narrower.',
        { skill },
      )
    : basis;
}

function EstimatePanel({ items, estimate, error }: { items: number; estimate: Estimate | undefined; error: unknown }) {
  const t = useT();
  const { money, number } = useFormat();
  if (error && !estimate) {
    return (
      <Panel title={t('Estimate')}>
        <ProblemNote error={error} />
      </Panel>
    );
  }
  if (items === 0) {
    return (
      <Panel title={t('Estimate')}>
        <Text c="dimmed">{t('The dataset has no items yet: import something to see what it would cost.')}</Text>
      </Panel>
    );
  }
  if (!estimate)
    return (
      <Panel title={t('Estimate')}>
        <Text c="dimmed">{t('Working it out…')}</Text>
      </Panel>
    );
  const line = (label: string, range: Range, show: (value: number) => string) => (
    <div>
      <Figure
        label={label}
        value={show(range.likely)}
        note={t('between {low} and {high}', { low: show(range.low), high: show(range.high) })}
      />
      <Interval
        {...range}
        to={Math.max(1, range.high * 1.15)}
        width="100%"
        label={t('Likely {likely}, between {low} and {high}', {
          likely: show(range.likely),
          low: show(range.low),
          high: show(range.high),
        })}
      />
    </div>
  );
  return (
    <Panel title={t('Estimate')}>
      <Stack gap={16}>
        {line(t('Cost, fees included'), estimate.cost_minor, (value) => money(value, estimate.currency))}
        {line(t('Judgements'), estimate.judgements, number)}
        {line(t('Tasks for an adjudicator'), estimate.experts, number)}
        <Text size="xs" c="dimmed">
          {t('For {items, plural, one {# item} other {# items}}, and {audit} to audit.', {
            items,
            audit: number(estimate.audit_items),
          })}{' '}
          {basisIn(t, estimate.basis)}
        </Text>
        {!estimate.asking.worthwhile && (
          <Text size="xs">
            {t(
              'The crowd may not be worth asking here: an item would cost about {crowd} judgements with it, {experts} with adjudicators alone. What cannot pay for itself is left to them.',
              { crowd: number(estimate.asking.with_crowd), experts: number(estimate.asking.experts_alone) },
            )}
          </Text>
        )}
      </Stack>
    </Panel>
  );
}

/** The project as the server makes it, step after step; each step is kept so that a failure can be taken up again. */
interface Made {
  project?: Project;
  tasks?: boolean;
  gold?: boolean;
  allotted?: boolean;
}

/** The version that the project works by: the one it is like, or a new ontology of its own. */
async function versionFor(draft: Draft): Promise<string> {
  if (draft.like) return draft.like.version_id;
  const ontology = await ontologies.create({
    name: draft.name.trim(),
    spec: ontologyOf(draft),
    guidelines: {
      ...(draft.guidelines_en.trim() ? { en: draft.guidelines_en } : {}),
      ...(draft.guidelines_zh.trim() ? { zh: draft.guidelines_zh } : {}),
    },
  });
  return ontology.version_id;
}

function useLaunch(draft: Draft, launch: boolean) {
  const [made, setMade] = useState<Made>({});
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async () => {
      let { project } = made;
      if (!project) {
        const ontology_version = await versionFor(draft);
        project = await projects.create({
          name: draft.name.trim(),
          dataset: draft.dataset,
          ontology_version,
          plan: draft.plan,
          offer: draft.offer,
          page_size: draft.page_size,
          routing: 'open',
          reviews: reviewsOf(draft),
        });
        setMade({ project });
      }
      if (!made.tasks) {
        await projects.createTasks(project.id);
        setMade({ project, tasks: true });
      }
      const { rows } = readGold(draft.gold, ontologyOf(draft));
      if (!made.gold && rows.length > 0) {
        await sendGold(project.id, rows);
        setMade({ project, tasks: true, gold: true });
      }
      if (!made.allotted && draft.allot_minor > 0) {
        await projects.allot(project.id, draft.allot_minor);
        setMade({ project, tasks: true, gold: true, allotted: true });
      }
      return launch ? projects.turn(project.id, 'launch') : project;
    },
    onSuccess: async (project) => {
      forgetDraft();
      void client.invalidateQueries();
      await navigate({ to: '/projects/$project', params: { project: project.id } });
    },
  });
}

function LaunchStep({
  draft,
  change,
  estimate,
}: {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  estimate: Estimate | undefined;
}) {
  const t = useT();
  const { money, number, percent } = useFormat();
  const balance = useQuery({ queryKey: ['money'], queryFn: tenantCalls.money });
  const launch = useLaunch(draft, true);
  const keep = useLaunch(draft, false);
  const free = balance.data?.budgets.find((one) => one.currency === draft.offer.currency)?.budget_minor ?? 0;
  const short = balance.data !== undefined && draft.allot_minor > free;
  const rows: [string, string][] = [
    [t('Project'), draft.name],
    [t('Labels'), classNames(draft).join(', ') || t(modelOf(ontologyOf(draft).kind).title)],
    [t('Target accuracy'), percent(draft.plan.target_accuracy, 2)],
    [t('Judgements a task'), `${number(draft.plan.min_judgements)} – ${number(draft.plan.max_judgements)}`],
    ...(draft.reviewing === 'nobody'
      ? []
      : ([[t('Reviews'), t(REVIEWINGS[draft.reviewing])]] satisfies [string, string][])),
    [t('Price of a judgement'), money(draft.offer.price_minor, draft.offer.currency)],
  ];
  return (
    <Stack gap={16} maw={560}>
      <dl style={{ display: 'grid', gridTemplateColumns: 'auto 1fr', gap: '4px 24px', margin: 0 }}>
        {rows.map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt style={{ color: 'var(--mantine-color-dimmed)' }}>{name}</dt>
            <dd style={{ margin: 0, overflowWrap: 'anywhere' }}>{value}</dd>
          </div>
        ))}
      </dl>
      <ProblemNote error={balance.error} onRetry={() => void balance.refetch()} />
      <MoneyInput
        label={t('Budget for this project')}
        description={
          balance.data
            ? t('{free} free in this tenant. What is not spent stays yours.', {
                free: money(free, draft.offer.currency),
              })
            : ''
        }
        currency={draft.offer.currency}
        value_minor={draft.allot_minor}
        onChange={(allot_minor) => change({ allot_minor })}
      />
      {estimate && draft.allot_minor < estimate.cost_minor.high && (
        <Group gap={8}>
          <Text size="sm">
            {t('The estimate’s high end is {high}.', { high: money(estimate.cost_minor.high, estimate.currency) })}
          </Text>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => change({ allot_minor: Math.round(estimate.cost_minor.high) })}
          >
            {t('Use it')}
          </Button>
        </Group>
      )}
      {short && (
        <Text size="sm" c="var(--cup-doubtful)">
          {t('That is more than the tenant has.')} <Link to="/money">{t('Put money in')}</Link>
        </Text>
      )}
      <GoldInput ontology={ontologyOf(draft)} text={draft.gold} onChange={(gold) => change({ gold })} />
      <ProblemNote error={launch.error ?? keep.error} />
      <Group gap={8}>
        <Button onClick={() => launch.mutate()} loading={launch.isPending} disabled={short || keep.isPending}>
          {t('Launch: contributors see it now')}
        </Button>
        <Button
          variant="default"
          onClick={() => keep.mutate()}
          loading={keep.isPending}
          disabled={launch.isPending || short}
        >
          {t('Keep as a draft')}
        </Button>
      </Group>
    </Stack>
  );
}

export function Wizard() {
  const t = useT();
  const [draft, setDraft] = useState(loadDraft);
  const [step, setStep] = useState<Step>('data');
  const at = STEPS.indexOf(step);
  const change = useCallback((part: Partial<Draft>) => {
    setDraft((now) => {
      const next = { ...now, ...part };
      storeDraft(next);
      return next;
    });
  }, []);
  const { like: wanted } = useSearch({ strict: false }) as { like?: string };
  const version = useQuery({
    queryKey: ['ontology-version', wanted],
    queryFn: () => ontologies.version(wanted ?? ''),
    enabled: wanted !== undefined,
  });
  const found = version.data;
  useEffect(() => {
    if (found) change({ like: likeOf(found) });
  }, [found, change]);
  const { items, estimate, trouble } = useEstimate(draft, ESTIMATE_FROM.has(step));
  const reason = incomplete(draft, step);
  const blocked = STEPS.findIndex((candidate) => incomplete(draft, candidate) !== null);
  const reachable = blocked === -1 ? STEPS.length - 1 : blocked;
  const go = (to: number) => {
    const next = STEPS[to];
    if (next) setStep(next);
  };
  const { like } = draft;
  const forget = () => change({ like: null });
  const form = {
    data: <DataStep draft={draft} change={change} />,
    labels: like ? (
      <LikeStep like={like} part="labels" onForget={forget} />
    ) : (
      <LabelsStep draft={draft} change={change} />
    ),
    guidelines: like ? (
      <LikeStep like={like} part="guidelines" onForget={forget} />
    ) : (
      <GuidelinesStep draft={draft} change={change} />
    ),
    quality: <QualityStep draft={draft} change={change} />,
    price: <PriceStep draft={draft} change={change} />,
    launch: <LaunchStep draft={draft} change={change} estimate={estimate.data} />,
  }[step];
  return (
    <Page
      title={t('New project')}
      lead={like && t('Labels and guideline of {name}, version {version}.', { name: like.name, version: like.version })}
      back={
        <Link to="/projects" style={{ fontSize: 12 }}>
          {t('Projects')}
        </Link>
      }
    >
      <div>
        <ol className="cup-steps">
          {STEPS.map((name, index) => (
            <li key={name} data-done={index < at} aria-current={name === step ? 'step' : undefined}>
              {index <= reachable && name !== step ? (
                <button
                  type="button"
                  onClick={() => go(index)}
                  style={{ all: 'unset', cursor: 'pointer' }}
                  className="cup-step-link"
                >
                  {index + 1}. {t(STEP_NAMES[name])}
                </button>
              ) : (
                <span>
                  {index + 1}. {t(STEP_NAMES[name])}
                </span>
              )}
            </li>
          ))}
        </ol>
        <div style={{ display: 'flex', gap: 32, flexWrap: 'wrap', alignItems: 'flex-start' }}>
          <div style={{ flex: '1 1 480px', minWidth: 0 }}>
            <ProblemNote error={version.error} onRetry={() => void version.refetch()} />
            {form}
          </div>
          {ESTIMATE_FROM.has(step) && (
            <div style={{ flex: '0 1 300px' }}>
              <EstimatePanel items={items} estimate={estimate.data} error={trouble.error ?? estimate.error} />
            </div>
          )}
        </div>
        <Group mt={24} gap={12}>
          {at > 0 && (
            <Button variant="default" onClick={() => go(at - 1)}>
              {t('Back')}
            </Button>
          )}
          {step !== 'launch' && (
            <Button onClick={() => go(at + 1)} disabled={reason !== null}>
              {t('Next: {step}', { step: t(STEP_NAMES[STEPS[at + 1] ?? 'launch']) })}
            </Button>
          )}
          {reason && (
            <Text size="sm" c="dimmed" role="status">
              {t(reason)}
            </Text>
          )}
        </Group>
      </div>
    </Page>
  );
}
