/** What newcomers learn from before the project is offered to them, what it costs, and how many passed. */
import { Button, Group, NumberInput, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ontologies, projects } from '../api/calls';
import { Problem } from '../api/http';
import type { Ontology, Project, Training } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Figure, Panel, ProblemNote, State } from '../ui/bits';
import { MoneyInput } from '../ui/money_input';
import { type GoldRow, readGold } from './gold';
import { GoldInput } from './gold_input';

const DEFAULT_SHARE = 0.8;
const PERCENT = 100;
/** The server takes this many lessons in one request. */
const IN_ONE_REQUEST = 1_000;

async function trainingOf(project: string): Promise<Training | null> {
  try {
    return await projects.training(project);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/** In requests the server takes; with no lesson at all it is the share alone that changes. */
async function teachAll(project: string, labels: readonly GoldRow[], pass_share: number): Promise<Training> {
  let training = await projects.teach(project, { labels: labels.slice(0, IN_ONE_REQUEST), pass_share });
  for (let at = IN_ONE_REQUEST; at < labels.length; at += IN_ONE_REQUEST) {
    training = await projects.teach(project, { labels: labels.slice(at, at + IN_ONE_REQUEST), pass_share });
  }
  return training;
}

function Standing({ training, project }: { training: Training; project: Project }) {
  const t = useT();
  const { number, percent } = useFormat();
  const client = useQueryClient();
  const [amount_minor, setAmount] = useState(training.tasks * project.offer.price_minor * 10);
  const refresh = () => client.invalidateQueries({ queryKey: ['training', project.id] });
  const open = useMutation({
    mutationFn: async () => {
      if (amount_minor > 0) await projects.allot(training.training, amount_minor);
      return projects.openTraining(project.id);
    },
    onSuccess: refresh,
  });
  return (
    <Stack gap={12}>
      <div className="cup-figures">
        <Figure label={t('Tasks')} value={number(training.tasks)} note={<State of={training.state} />} />
        <Figure
          label={t('Passed')}
          value={number(training.trained)}
          note={t('{count} under way', { count: number(training.under_way) })}
        />
        <Figure
          label={t('Answers right')}
          value={training.answers ? percent(training.right / training.answers, 0) : '–'}
          note={t('of {n}', { n: number(training.answers) })}
        />
      </div>
      {training.state === 'draft' && (
        <>
          <MoneyInput
            label={t('Budget for training')}
            description={t('Training is paid like the project, passed or not.')}
            currency={project.offer.currency}
            value_minor={amount_minor}
            onChange={setAmount}
          />
          <ProblemNote error={open.error} />
          <Group>
            <Button onClick={() => open.mutate()} loading={open.isPending} disabled={training.tasks === 0}>
              {t('Open the training')}
            </Button>
          </Group>
        </>
      )}
      <Link to="/projects/$project" params={{ project: training.training }} style={{ fontSize: 12 }}>
        {t('The training as a project of its own: budget, pause, answers')}
      </Link>
    </Stack>
  );
}

function Teaching({ project, ontology }: { project: Project; ontology: Ontology }) {
  const t = useT();
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [share, setShare] = useState<number | null>(null);
  const query = useQuery({ queryKey: ['training', project.id], queryFn: () => trainingOf(project.id) });
  const { rows } = readGold(text, ontology);
  const pass_share = share ?? query.data?.pass_share ?? DEFAULT_SHARE;
  const teach = useMutation({
    mutationFn: () => teachAll(project.id, rows, pass_share),
    onSuccess: (next) => {
      setText('');
      client.setQueryData(['training', project.id], next);
      void client.invalidateQueries({ queryKey: ['project', project.id] });
    },
  });
  const changed = rows.length > 0 || (query.data && pass_share !== query.data.pass_share);
  return (
    <Stack gap={16}>
      <Text size="sm">
        {t(
          'Newcomers meet these first, are told after each page what was right, and see the project once enough of their last ten answers were.',
        )}
      </Text>
      <Asked query={query}>
        {(training) => (
          <>
            {training && <Standing training={training} project={project} />}
            <GoldInput
              ontology={ontology}
              text={text}
              onChange={setText}
              label={t('What newcomers learn from')}
              description={t('One a line: ref,label. An item that is taught with is no longer labelled.')}
            />
            <NumberInput
              label={t('Right of the last ten, to pass')}
              suffix=" %"
              min={10}
              max={100}
              step={10}
              maw={280}
              value={Math.round(pass_share * PERCENT)}
              onChange={(next) => typeof next === 'number' && setShare(next / PERCENT)}
            />
            <ProblemNote error={teach.error} />
            <Group>
              <Button variant="default" onClick={() => teach.mutate()} loading={teach.isPending} disabled={!changed}>
                {training ? t('Add to the training') : t('Make a training of them')}
              </Button>
            </Group>
          </>
        )}
      </Asked>
    </Stack>
  );
}

export function TrainingPanel({ project }: { project: Project }) {
  const t = useT();
  const version = useQuery({
    queryKey: ['ontology-version', project.ontology_version],
    queryFn: () => ontologies.version(project.ontology_version),
  });
  return (
    <Panel title={t('Training')}>
      <Asked query={version}>{({ spec }) => <Teaching project={project} ontology={spec} />}</Asked>
    </Panel>
  );
}
