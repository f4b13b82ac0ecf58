/** The wizard's steps, each a form over the one draft. */
import { Button, Group, NumberInput, Select, Stack, Tabs, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { catalogue } from '../api/calls';
import { useSession } from '../api/session';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Panel, ProblemNote, State, Why } from '../ui/bits';
import { Markdown } from '../ui/markdown';
import { MoneyInput } from '../ui/money_input';
import { ImportPanel } from './import_panel';
import { ImportTold, type Told } from './import_told';
import { ReviewPrices, ReviewsField } from './wizard_reviews';
import type { Draft } from './wizard_state';

export interface StepProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}

const PERCENT = 100;

export function DataStep({ draft, change }: StepProps) {
  const t = useT();
  const { number } = useFormat();
  const { tenant } = useSession();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [told, setTold] = useState<Told | null>(null);
  const list = useQuery({
    queryKey: ['datasets', tenant?.id],
    queryFn: () => catalogue.datasets({ limit: 100 }),
    refetchInterval: 3_000,
  });
  const imports = useQuery({
    queryKey: ['imports', draft.dataset],
    queryFn: () => catalogue.imports(draft.dataset),
    enabled: draft.dataset !== '',
    refetchInterval: 2_000,
  });
  const create = useMutation({
    mutationFn: () => catalogue.createDataset({ name: name.trim() }),
    onSuccess: (dataset) => {
      change({ dataset: dataset.id });
      void client.invalidateQueries({ queryKey: ['datasets'] });
    },
  });
  const chosen = list.data?.items.find((dataset) => dataset.id === draft.dataset);
  const latest = imports.data?.items[0];
  return (
    <Stack gap={16}>
      <TextInput
        label={t('Name of the project')}
        description={t('Contributors see it.')}
        required
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <Select
        label={t('Dataset')}
        data={(list.data?.items ?? []).map((dataset) => ({
          value: dataset.id,
          label: `${dataset.name} (${number(dataset.items)})`,
        }))}
        value={draft.dataset || null}
        onChange={(value) => change({ dataset: value ?? '' })}
        placeholder={t('Choose one, or create one below')}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': t('Clear') }}
      />
      <ProblemNote error={list.error ?? imports.error} onRetry={() => void (list.error ? list : imports).refetch()} />
      {!draft.dataset && !list.error && (
        <Panel title={t('New dataset')}>
          <Group align="flex-end" gap={12}>
            <TextInput
              label={t('Name of the dataset')}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <Button
              variant="default"
              onClick={() => create.mutate()}
              loading={create.isPending}
              disabled={!name.trim()}
            >
              {t('Create')}
            </Button>
          </Group>
          <ProblemNote error={create.error} />
        </Panel>
      )}
      {draft.dataset && (
        <Panel title={t('Import into {name}', { name: chosen?.name ?? '…' })}>
          <ImportPanel dataset={draft.dataset} />
          {latest && (
            <Group gap={12} mt={12} role="status">
              <State of={latest.state} />
              <Text size="sm">
                {t('{accepted} accepted, {unchanged} unchanged, {refused} refused', {
                  accepted: number(latest.accepted),
                  unchanged: number(latest.unchanged),
                  refused: number(latest.refused),
                })}
              </Text>
              {latest.error && (
                <Text component="div" size="sm" c="var(--cup-refused)">
                  <Why code={latest.error_code} detail={latest.error} />
                </Text>
              )}
              {latest.refused > 0 && (
                <Button size="compact-xs" variant="default" onClick={() => setTold({ run: latest.id, taken: false })}>
                  {t('See what was refused')}
                </Button>
              )}
              {latest.noted > 0 && (
                <Button size="compact-xs" variant="default" onClick={() => setTold({ run: latest.id, taken: true })}>
                  {t('{count} noted: see what', { count: number(latest.noted) })}
                </Button>
              )}
            </Group>
          )}
          {told && <ImportTold told={told} onClose={() => setTold(null)} />}
        </Panel>
      )}
    </Stack>
  );
}

export function GuidelinesStep({ draft, change }: StepProps) {
  const t = useT();
  const [shown, setShown] = useState<string | null>('en');
  const source = shown === 'zh' ? draft.guidelines_zh : draft.guidelines_en;
  return (
    <div className="cup-two">
      <div>
        <Tabs value={shown} onChange={setShown} mb={8}>
          <Tabs.List>
            <Tabs.Tab value="en">English</Tabs.Tab>
            <Tabs.Tab value="zh">中文</Tabs.Tab>
          </Tabs.List>
        </Tabs>
        <Textarea
          label={t('Guidelines')}
          description={t('Markdown: headings, lists, bold, links. Say how to decide the hard cases.')}
          autosize
          minRows={10}
          maxRows={22}
          value={source}
          onChange={(event) =>
            change(
              shown === 'zh'
                ? { guidelines_zh: event.currentTarget.value }
                : { guidelines_en: event.currentTarget.value },
            )
          }
        />
      </div>
      <Panel title={t('As contributors see it')}>
        {source.trim() ? (
          <Markdown source={source} />
        ) : (
          <Text c="dimmed">{t('Begin with the question, then the rule for doubtful cases.')}</Text>
        )}
      </Panel>
    </div>
  );
}

export function QualityStep({ draft, change }: StepProps) {
  const t = useT();
  const { plan } = draft;
  const set = (part: Partial<Draft['plan']>) => change({ plan: { ...plan, ...part } });
  const percentField = (
    label: string,
    description: string,
    value: number,
    low: number,
    high: number,
    apply: (fraction: number) => void,
  ) => (
    <NumberInput
      label={label}
      description={description}
      suffix=" %"
      decimalScale={2}
      min={low}
      max={high}
      step={0.5}
      value={Math.round(value * PERCENT * PERCENT) / PERCENT}
      onChange={(next) => apply((Number(next) || low) / PERCENT)}
    />
  );
  return (
    <Stack gap={16} maw={560}>
      {percentField(
        t('Target accuracy'),
        t('A task is settled when its posterior reaches this.'),
        plan.target_accuracy,
        50,
        99.99,
        (target_accuracy) => set({ target_accuracy }),
      )}
      {percentField(
        t('Confidence of the certificate'),
        t('How sure the audit’s lower bound is to hold.'),
        plan.confidence,
        50,
        99.9,
        (confidence) => set({ confidence }),
      )}
      <Group grow align="flex-start">
        <NumberInput
          label={t('Least judgements a task')}
          min={1}
          max={20}
          value={plan.min_judgements}
          onChange={(next) => set({ min_judgements: Number(next) || 1 })}
        />
        <NumberInput
          label={t('Most judgements a task')}
          description={t('Then an adjudicator decides.')}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          min={1}
          max={50}
          value={plan.max_judgements}
          onChange={(next) => set({ max_judgements: Number(next) || 1 })}
        />
      </Group>
      <NumberInput
        label={t('What an adjudicator’s answer costs you, in judgements')}
        description={t('One more judgement is asked for where it is expected to save more than it costs.')}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        min={0.1}
        max={1000}
        value={plan.expert_cost}
        onChange={(next) => set({ expert_cost: Number(next) || 10 })}
      />
      {percentField(
        t('Gold tasks mixed in'),
        t('Tasks whose answer you know, to learn each contributor’s skill. They come from the manifest’s gold labels.'),
        plan.gold_rate,
        0,
        50,
        (gold_rate) => set({ gold_rate }),
      )}
      <ReviewsField draft={draft} change={change} />
    </Stack>
  );
}

export function PriceStep({ draft, change }: StepProps) {
  const t = useT();
  const set = (part: Partial<Draft['offer']>) => change({ offer: { ...draft.offer, ...part } });
  return (
    <Stack gap={16} maw={560}>
      <Group grow align="flex-start">
        <MoneyInput
          label={t('Price of a judgement')}
          description={t('Paid to the contributor on submit.')}
          currency={draft.offer.currency}
          value_minor={draft.offer.price_minor}
          onChange={(price_minor) => set({ price_minor })}
        />
        <TextInput
          label={t('Currency')}
          description={t('Three letters')}
          maxLength={3}
          value={draft.offer.currency}
          onChange={(event) => set({ currency: event.currentTarget.value.toUpperCase() })}
        />
      </Group>
      <ReviewPrices draft={draft} change={change} />
      <Group grow align="flex-start">
        <NumberInput
          label={t('Expected seconds, median')}
          description={t('Until it is measured.')}
          min={1}
          value={draft.offer.estimate_median_s ?? ''}
          onChange={(next) => set({ estimate_median_s: typeof next === 'number' ? next : null })}
        />
        <NumberInput
          label={t('Tasks on a page')}
          description={t('Claimed and submitted together.')}
          min={1}
          max={50}
          value={draft.page_size}
          onChange={(next) => change({ page_size: Number(next) || 1 })}
        />
      </Group>
    </Stack>
  );
}
