/** Whom a project is for, how many people that are, and exams made of its gold. */
import { Button, Group, NumberInput, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { eligibility as calls, projects } from '../api/calls';
import type { EligibilityLook, Exam, Project } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Figure, Panel, ProblemNote, State } from '../ui/bits';
import { MoneyInput } from '../ui/money_input';
import { Rows } from '../ui/table';

const ASKABLE = 'language, field, country, region, degree("…"), licence("…"), certificate("…"), exam("…") >= 0.8';
const EXAMPLE = 'language = "zh" and (degree("medicine") or exam("radiology") >= 0.9) and region in EU';

function Fitting({ look }: { look: EligibilityLook }) {
  const t = useT();
  const { number } = useFormat();
  return (
    <Figure
      label={t('Contributors that fit')}
      value={look.fitting === null ? t('fewer than {n}', { n: look.fewest }) : number(look.fitting)}
      note={t('of {n}; who they are is not told', { n: number(look.people) })}
    />
  );
}

function Asking({ project, look }: { project: Project; look: EligibilityLook }) {
  const t = useT();
  const client = useQueryClient();
  const [text, setText] = useState(look.expression ?? '');
  const said = text.trim() || null;
  const count = useMutation({ mutationFn: () => calls.look(said) });
  const save = useMutation({
    mutationFn: () => calls.ask(project.id, said),
    onSuccess: (next) => {
      setText(next.expression ?? '');
      client.setQueryData(['eligibility', project.id], next);
    },
  });
  return (
    <Stack gap={12}>
      <Textarea
        label={t('Whom it is for')}
        description={t('Left empty, everybody.')}
        placeholder={EXAMPLE}
        autosize
        minRows={2}
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Text size="xs" c="dimmed">
        {t('Ask for')} <code className="cup-code">{ASKABLE}</code>,{' '}
        {t('joined by and, or, not. Never for how much somebody did.')}
      </Text>
      <Fitting look={count.data ?? look} />
      <ProblemNote error={save.error ?? count.error} />
      <Group gap={8}>
        <Button onClick={() => save.mutate()} loading={save.isPending} disabled={said === look.expression}>
          {t('Save')}
        </Button>
        <Button variant="default" onClick={() => count.mutate()} loading={count.isPending}>
          {t('How many fit?')}
        </Button>
      </Group>
    </Stack>
  );
}

function Opener({ exam }: { exam: Exam }) {
  const t = useT();
  const client = useQueryClient();
  const attempt_minor = exam.rule.items * exam.price_minor;
  const [amount_minor, setAmount] = useState(attempt_minor * 20);
  const open = useMutation({
    mutationFn: async () => {
      if (amount_minor > 0) await projects.allot(exam.project, amount_minor);
      return calls.openExam(exam.project);
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['exams'] }),
  });
  return (
    <Stack gap={8}>
      <MoneyInput
        label={t('Budget of the exam')}
        description={t('Each answer is paid, right or wrong.')}
        currency={exam.currency}
        value_minor={amount_minor}
        onChange={setAmount}
      />
      <ProblemNote error={open.error} />
      <Group>
        <Button size="compact-sm" onClick={() => open.mutate()} loading={open.isPending}>
          {t('Open the exam')}
        </Button>
      </Group>
    </Stack>
  );
}

function Maker({ project }: { project: Project }) {
  const t = useT();
  const client = useQueryClient();
  const [skill, setSkill] = useState('');
  const [items, setItems] = useState(Math.max(5, Math.min(20, Math.floor(project.counts.gold / 2) || 20)));
  const make = useMutation({
    mutationFn: () => calls.makeExam(project.id, { skill, items }),
    onSuccess: () => {
      setSkill('');
      void client.invalidateQueries({ queryKey: ['exams'] });
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}
    >
      <Stack gap={12}>
        <Group gap={12} align="flex-end">
          <TextInput
            label={t('A skill that its gold shows')}
            placeholder={t('radiology')}
            maxLength={100}
            value={skill}
            onChange={(event) => setSkill(event.currentTarget.value)}
          />
          <NumberInput
            label={t('Items of an attempt')}
            min={5}
            max={50}
            w={140}
            value={items}
            onChange={(next) => typeof next === 'number' && setItems(next)}
          />
          <Button type="submit" variant="default" disabled={!skill.trim()} loading={make.isPending}>
            {t('Make an exam of its gold')}
          </Button>
        </Group>
        <ProblemNote error={make.error} />
      </Stack>
    </form>
  );
}

function Exams({ project }: { project: Project }) {
  const t = useT();
  const { number, percent } = useFormat();
  const query = useQuery({ queryKey: ['exams'], queryFn: calls.exams });
  return (
    <Stack gap={16}>
      <Text size="sm">
        {t(
          'An attempt draws items that its taker has never met, and pays each answer. It passes where the lower end of the interval reaches what the exam asks.',
        )}
      </Text>
      <Asked query={query}>
        {(exams) =>
          exams.length === 0 ? null : (
            <Rows<Exam>
              label={t('Exams')}
              rows={exams}
              keyOf={(row) => row.project}
              columns={[
                {
                  head: t('Skill'),
                  cell: (row) => (
                    <Link to="/projects/$project" params={{ project: row.project }}>
                      {row.skill}
                    </Link>
                  ),
                },
                { head: t('State'), cell: (row) => <State of={row.state} /> },
                {
                  head: t('Passes with'),
                  cell: (row) =>
                    t('{needed} of {items} ({share} shown)', {
                      needed: row.needed,
                      items: row.rule.items,
                      share: percent(row.rule.at_least, 0),
                    }),
                },
                {
                  head: t('Passed'),
                  numeric: true,
                  cell: (row) => `${number(row.passed)} / ${number(row.passed + row.failed)}`,
                },
                {
                  head: t('Do'),
                  quiet: true,
                  cell: (row) => (row.state === 'draft' ? <Opener exam={row} /> : null),
                },
              ]}
            />
          )
        }
      </Asked>
      <Maker project={project} />
    </Stack>
  );
}

export function Eligibility({ project }: { project: Project }) {
  const t = useT();
  const query = useQuery({ queryKey: ['eligibility', project.id], queryFn: () => calls.of(project.id) });
  return (
    <div className="cup-two">
      <Panel title={t('Whom it is for')}>
        <Asked query={query}>{(look) => <Asking key={look.expression ?? ''} project={project} look={look} />}</Asked>
      </Panel>
      <Panel title={t('Exams')}>
        <Exams project={project} />
      </Panel>
    </div>
  );
}
