/** Templates as the wizard shows them: a card each, by what people do; the chosen one fills in the steps. */
import { Badge, Button, Group, SegmentedControl, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ontologies } from '../api/calls';
import type { Template } from '../api/types';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Panel, ProblemNote } from '../ui/bits';
import { type Draft, fromTemplate } from './wizard_state';

type Group_ = Template['group'];
const GROUPS: Record<Group_, string> = {
  compare: msg('Compare'),
  rate: msg('Rate'),
  check: msg('Check'),
  write: msg('Write'),
  classify: msg('Classify'),
  mark: msg('Mark words'),
};

/** What people see of it, in a few strokes: on a ground of 96 by 40. */
const PICTURES: Record<Group_, { lines: string; accent: string }> = {
  compare: { lines: 'M6 8h36M6 16h30M6 24h34M54 8h34M54 16h36M54 24h28', accent: 'M62 34l5 4 9-9' },
  rate: { lines: 'M6 8h84M6 16h60', accent: 'M14 31h.1M31 31h.1M48 31h.1M65 31h.1' },
  check: { lines: 'M24 8h66M24 20h58M24 32h64', accent: 'M6 8l4 4 7-8M6 20l4 4 7-8M7 28l8 8M15 28l-8 8' },
  write: { lines: 'M6 8h84M6 17h70', accent: 'M6 28h46M56 22v12' },
  classify: { lines: 'M6 8h84M6 16h52', accent: 'M8 26h20v9H8zM36 26h20v9H36zM64 26h20v9H64z' },
  mark: { lines: 'M6 8h26M58 8h32M6 32h84', accent: 'M38 8h14M6 20h34M48 20h30' },
};

function Picture({ group }: { group: Group_ }) {
  const { lines, accent } = PICTURES[group];
  return (
    <svg viewBox="0 0 96 40" className="cup-template-picture" aria-hidden="true" focusable="false">
      <path d={lines} />
      <path d={accent} data-accent />
    </svg>
  );
}

function Card({ template, choose }: { template: Template; choose: () => void }) {
  const t = useT();
  const { localised, number } = useFormat();
  const stages = 1 + template.reviews.reduce((sum, one) => sum + (one.fix_seconds === null ? 1 : 2), 0);
  return (
    <button type="button" className="cup-template" onClick={choose}>
      <Picture group={template.group} />
      <b>{localised(template.title)}</b>
      <span className="cup-template-about">{localised(template.about)}</span>
      <span className="cup-template-facts">
        {t('about {seconds} s each', { seconds: number(template.seconds) })}
        {stages > 1 && ` · ${t('{stages, plural, other {# stages}}', { stages })}`}
        {template.sensitive && ` · ${t('may disturb')}`}
      </span>
    </button>
  );
}

function fileOf(template: Template): string {
  const rows = template.example_items.map((row) => JSON.stringify(row)).join('\n');
  return `data:application/jsonl;charset=utf-8,${encodeURIComponent(`${rows}\n`)}`;
}

function Chosen({ template, forget }: { template: Template; forget: () => void }) {
  const t = useT();
  const { localised } = useFormat();
  return (
    <Panel
      title={t('From the template “{name}”', { name: localised(template.title) })}
      aside={
        <Button size="compact-sm" variant="default" onClick={forget}>
          {t('Choose another template')}
        </Button>
      }
    >
      <Text size="sm">
        {t('It takes: {needs}', { needs: localised(template.needs) })}{' '}
        <a href={fileOf(template)} download={`${template.name}.jsonl`}>
          {t('Example file')}
        </a>
      </Text>
      <Text size="sm" c="dimmed" mt={4}>
        {t('Everything below and in the next steps can be changed.')}
      </Text>
      {template.exports.length > 0 && (
        <Group gap={6} mt={8}>
          <Text size="xs" c="dimmed">
            {t('Exports for it')}
          </Text>
          {template.exports.map((name) => (
            <Badge key={name} variant="default" size="sm" tt="none">
              {name}
            </Badge>
          ))}
        </Group>
      )}
    </Panel>
  );
}

export function Templates({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }) {
  const t = useT();
  const [group, setGroup] = useState<Group_ | ''>('');
  const list = useQuery({
    queryKey: ['templates'],
    queryFn: ontologies.templates,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const all = list.data?.templates ?? [];
  const chosen = all.find(({ name }) => name === draft.template);
  if (chosen) return <Chosen template={chosen} forget={() => change({ template: null })} />;
  const groups = (Object.keys(GROUPS) as Group_[]).filter((one) => all.some((template) => template.group === one));
  const shown = group ? all.filter((one) => one.group === group) : [];
  return (
    <Panel title={t('Begin with a template for texts and conversations')}>
      <ProblemNote error={list.error} />
      <div className="cup-scroll-x">
        <SegmentedControl
          size="sm"
          aria-label={t('What people do with a text')}
          value={group}
          onChange={(value) => setGroup(value as Group_ | '')}
          data={[{ value: '', label: t('None') }, ...groups.map((value) => ({ value, label: t(GROUPS[value]) }))]}
        />
      </div>
      {group === '' ? (
        <Text size="sm" c="dimmed" mt={8}>
          {t('It brings questions, a guideline, stages, a plan and a price, all of which can be changed.')}
        </Text>
      ) : (
        <div className="cup-templates">
          {shown.map((one) => (
            <Card key={one.name} template={one} choose={() => change(fromTemplate(one, draft))} />
          ))}
        </div>
      )}
    </Panel>
  );
}
