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
const DEFAULT_AUDIT_ITEMS = 330;

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
    onSuccess: () => client.invalidateQueries({ queryKey: ['releases'] }),
  });
  return (
    <Panel title={t('Declare a release')}>
      <Stack gap={12}>
        <Text size="sm">
          {t(
            'First the audit plan is declared and the seed of its draw committed to, for everybody to see. Then everything settled ({count} tasks now) is frozen with its hashes, the sample is drawn by that seed, and judged by people who do not see the answers.',
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
            {t('Declare the audit')}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

/** The second step: what was declared is frozen and drawn. */
function FreezeDeclared({ release }: { release: Release }) {
  const t = useT();
  const client = useQueryClient();
  const freeze = useMutation({
    mutationFn: () => releases.freeze(release.id),
    onSuccess: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => ['releases', 'audits'].includes(String(queryKey[0])) }),
  });
  return (
    <Stack gap={4}>
      <Button size="compact-sm" onClick={() => freeze.mutate()} loading={freeze.isPending}>
        {t('Freeze and draw')}
      </Button>
      <ProblemNote error={freeze.error} />
    </Stack>
  );
}

export function ReleaseList({ project }: { project: Project }) {
  const t = useT();
  const { number } = useFormat();
  const list = useQuery({
    queryKey: ['releases', project.id],
    queryFn: () => releases.list(project.id),
    refetchInterval: (query) => (query.state.data?.items.some((one) => one.freezing) ? 1500 : false),
  });
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
                  cell: (release) =>
                    release.state === 'declared' ? (
                      <FreezeDeclared release={release} />
                    ) : release.freezing ? (
                      `${number(release.freezing.rows)} / ${number(release.freezing.of)}`
                    ) : (
                      `${number(release.audit.judged)} / ${number(release.audit.drawn)}`
                    ),
                },
                {
                  head: t('Certificate'),
                  cell: (release) =>
                    release.certificate ? <Hallmark release={release.id} certificate={release.certificate} /> : '–',
                },
                { head: t('Frozen'), cell: (release) => (release.frozen_at ? <Moment at={release.frozen_at} /> : '–') },
              ]}
            />
          )
        }
      </Asked>
      <Freeze project={project} />
    </Stack>
  );
}
