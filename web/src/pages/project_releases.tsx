import { Button, Group, NumberInput, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { releases } from '../api/calls';
import type { Project, Release } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Empty, Moment, Panel, ProblemNote, State } from '../ui/bits';
import { Hallmark } from '../ui/hallmark';
import { Rows } from '../ui/table';

/** The audit that can still certify the target with one error allowed for about every two hundred items. */
const DEFAULT_AUDIT_ITEMS = 300;

function Freeze({ project }: { project: Project }) {
  const t = useT();
  const { number, percent } = useFormat();
  const client = useQueryClient();
  const [name, setName] = useState('v1');
  const [licence, setLicence] = useState('CC-BY-4.0');
  const [items, setItems] = useState(Math.min(project.plan.audit_items ?? DEFAULT_AUDIT_ITEMS, project.counts.settled));
  const [auditors, setAuditors] = useState(1);
  const { target_accuracy, confidence } = project.plan;
  const create = useMutation({
    mutationFn: () =>
      releases.create(project.id, { name, licence, plan: { items, confidence, target_accuracy, auditors } }),
    onSuccess: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => ['releases', 'audits'].includes(String(queryKey[0])) }),
  });
  return (
    <Panel title={t('Freeze a release')}>
      <Stack gap={12}>
        <Text size="sm">
          {t(
            'Everything settled now ({count} tasks) is frozen with its hashes. The audit plan is declared first, then the sample is drawn at random, and an adjudicator judges it without seeing the answers.',
            { count: number(project.counts.settled) },
          )}
        </Text>
        <Group grow align="flex-start">
          <TextInput label={t('Name')} value={name} onChange={(event) => setName(event.currentTarget.value)} required />
          <TextInput
            label={t('Licence')}
            value={licence}
            onChange={(event) => setLicence(event.currentTarget.value)}
            required
          />
          <NumberInput
            label={t('Items to audit')}
            min={1}
            max={project.counts.settled}
            value={items}
            onChange={(next) => setItems(Number(next) || 1)}
            required
          />
        </Group>
        <Radio.Group
          label={t('Each drawn item is judged by')}
          value={String(auditors)}
          onChange={(next) => setAuditors(Number(next))}
        >
          <Group gap={24} mt={4}>
            <Radio value="1" label={t('one auditor')} />
            <Radio
              value="2"
              label={t('two, unseen by each other')}
              description={t('A third decides where they differ; the certificate says how often they did.')}
            />
          </Group>
        </Radio.Group>
        <Text size="sm" c="dimmed">
          {t('To certify {target} at {confidence}.', {
            target: percent(target_accuracy),
            confidence: percent(confidence, 0),
          })}
        </Text>
        <ProblemNote error={create.error} />
        <Group>
          <Button
            onClick={() => create.mutate()}
            loading={create.isPending}
            disabled={project.counts.settled === 0 || !name.trim() || !licence.trim()}
          >
            {t('Freeze and draw the audit')}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

export function ReleaseList({ project }: { project: Project }) {
  const t = useT();
  const { number } = useFormat();
  const list = useQuery({ queryKey: ['releases', project.id], queryFn: () => releases.list(project.id) });
  return (
    <Stack gap={16}>
      <Asked query={list}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="flag" title={t('No release yet')}>
              {t(
                'A release is a frozen copy of what is settled. An audit of a random sample then certifies how accurate it is.',
              )}
            </Empty>
          ) : (
            <Rows<Release>
              label={t('Releases')}
              rows={items}
              keyOf={(release) => release.id}
              columns={[
                {
                  head: t('Name'),
                  cell: (release) => (
                    <Link to="/releases/$release" params={{ release: release.id }} style={{ fontWeight: 600 }}>
                      {release.name}
                    </Link>
                  ),
                },
                { head: t('State'), cell: (release) => <State of={release.state} /> },
                { head: t('Items'), numeric: true, cell: (release) => number(release.items) },
                {
                  head: t('Audited'),
                  numeric: true,
                  cell: ({ audit }) => `${number(audit.judged)} / ${number(audit.drawn)}`,
                },
                {
                  head: t('Certificate'),
                  cell: (release) =>
                    release.certificate ? <Hallmark release={release.id} certificate={release.certificate} /> : '–',
                },
                { head: t('Frozen'), cell: (release) => <Moment at={release.created_at} /> },
              ]}
            />
          )
        }
      </Asked>
      <Freeze project={project} />
    </Stack>
  );
}
