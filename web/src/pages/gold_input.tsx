/** Known answers, pasted or from a file, and what is wrong with them before anything is sent. */
import { Button, FileButton, Group, Stack, Text, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ontologies, projects } from '../api/calls';
import type { Ontology, Project } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Panel, ProblemNote } from '../ui/bits';
import { Icon } from '../ui/icons';
import { GOLD_IN_ONE_REQUEST, type GoldRow, readGold } from './gold';

const FAULTS_SHOWN = 5;

export function GoldInput({
  ontology,
  text,
  onChange,
  label,
  description,
}: {
  ontology: Ontology;
  text: string;
  onChange: (text: string) => void;
  label?: string;
  description?: string;
}) {
  const t = useT();
  const { number } = useFormat();
  const { rows, faults } = readGold(text, ontology);
  return (
    <Stack gap={8}>
      <Textarea
        label={label ?? t('Known answers (gold)')}
        description={
          description ?? t('One a line: ref,label. Contributors meet them unmarked, and show how well they work.')
        }
        autosize
        minRows={4}
        maxRows={12}
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
      />
      <Group gap={12}>
        <FileButton accept=".csv,.tsv,.txt,text/csv" onChange={(file) => void file?.text().then(onChange)}>
          {(props) => (
            <Button {...props} variant="default" size="xs" leftSection={<Icon name="upload" />}>
              {t('Choose a CSV file')}
            </Button>
          )}
        </FileButton>
        {rows.length > 0 && (
          <Chip tone="settled">
            {t('{count, plural, one {# answer} other {# answers}} read', { count: rows.length })}
          </Chip>
        )}
        {faults.length > 0 && (
          <Chip tone="doubtful">
            {t('{count, plural, one {# line} other {# lines}} left out', { count: faults.length })}
          </Chip>
        )}
      </Group>
      {faults.length > 0 && (
        <ul style={{ margin: 0, paddingLeft: 20, fontSize: 12 }}>
          {faults.slice(0, FAULTS_SHOWN).map((fault) => (
            <li key={fault.line} style={{ overflowWrap: 'anywhere' }}>
              {t('Line {line}:', { line: number(fault.line) })} {t(fault.message)}{' '}
              <code className="cup-code">{fault.found.slice(0, 80)}</code>
            </li>
          ))}
          {faults.length > FAULTS_SHOWN && (
            <li>{t('and {count} more', { count: number(faults.length - FAULTS_SHOWN) })}</li>
          )}
        </ul>
      )}
    </Stack>
  );
}

/** Sends them in requests the server takes; each either counts whole or names what does not fit. */
export async function sendGold(project: string, rows: readonly GoldRow[]): Promise<number> {
  let created = 0;
  for (let at = 0; at < rows.length; at += GOLD_IN_ONE_REQUEST) {
    created += (await projects.addGold(project, rows.slice(at, at + GOLD_IN_ONE_REQUEST))).created;
  }
  return created;
}

function Giving({ project, ontology }: { project: Project; ontology: Ontology }) {
  const t = useT();
  const client = useQueryClient();
  const [text, setText] = useState('');
  const { rows } = readGold(text, ontology);
  const give = useMutation({
    mutationFn: () => sendGold(project.id, rows),
    onSuccess: () => {
      setText('');
      void client.invalidateQueries({ queryKey: ['project', project.id] });
    },
  });
  return (
    <Stack gap={12}>
      <Text size="sm">
        {t('{count, plural, =0 {No task is gold yet.} one {# task is gold.} other {# tasks are gold.}}', {
          count: project.counts.gold,
        })}{' '}
        {t('Only a task that nobody has judged can become gold.')}
      </Text>
      <GoldInput ontology={ontology} text={text} onChange={setText} />
      <ProblemNote error={give.error} />
      <Group gap={12}>
        <Button onClick={() => give.mutate()} loading={give.isPending} disabled={rows.length === 0}>
          {t('Make them gold')}
        </Button>
        {give.isSuccess && text === '' && (
          <Text size="sm" role="status">
            {t('{count, plural, one {# task} other {# tasks}} turned into gold', { count: give.data })}
          </Text>
        )}
      </Group>
    </Stack>
  );
}

export function GoldPanel({ project }: { project: Project }) {
  const t = useT();
  const version = useQuery({
    queryKey: ['ontology-version', project.ontology_version],
    queryFn: () => ontologies.version(project.ontology_version),
  });
  return (
    <Panel title={t('Gold')}>
      <Asked query={version}>{({ spec }) => <Giving project={project} ontology={spec} />}</Asked>
    </Panel>
  );
}
