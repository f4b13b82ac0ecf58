/** How an exam went: what was shown and why that passes or not, what comes next, and each answer. */
import { Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { skills } from '../api/calls';
import type { ExamAnswer, ExamResult } from '../api/types';
import { KINDS } from '../editor/kinds';
import { ItemThumb } from '../editor/kinds/item_stage';
import { isDrawn } from '../editor/kinds/models';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Figure, Page, Panel } from '../ui/bits';

function AnswerRow({ answer, result }: { answer: ExamAnswer; result: ExamResult }) {
  const t = useT();
  const { View } = KINDS[answer.label.kind];
  const drawn = isDrawn(answer.label);
  return (
    <li className="cup-panel cup-answer" data-right={answer.right}>
      {!drawn && (
        <div style={{ width: 88 }}>
          <ItemThumb item={answer.item} />
        </div>
      )}
      <div style={{ minWidth: 0, flex: 1 }}>
        <Chip tone={answer.right ? 'settled' : 'refused'}>{answer.right ? t('right') : t('not right')}</Chip>
        <div className="cup-said-columns" style={{ marginTop: 8 }}>
          <div>
            <Text size="xs" c="dimmed">
              {t('You said')}
            </Text>
            <View label={answer.label} ontology={result.ontology} item={answer.item} bare={!drawn} />
          </div>
          {!answer.right && answer.expected && (
            <div>
              <Text size="xs" c="dimmed">
                {t('Right is')}
              </Text>
              <View label={answer.expected} ontology={result.ontology} item={answer.item} bare={!drawn} />
            </div>
          )}
        </div>
      </div>
    </li>
  );
}

function Standing({ result }: { result: ExamResult }) {
  const t = useT();
  const { percent, date, number } = useFormat();
  const { attempt } = result;
  if (attempt.low === null || attempt.high === null || attempt.rights === null) {
    return (
      <Panel>
        <Text>
          {attempt.state === 'left'
            ? t('This attempt was given back: it has no result, and nothing is held against you.')
            : t('{answered} of {items} are answered. The result comes with the last one.', {
                answered: attempt.answered,
                items: attempt.items,
              })}
        </Text>
      </Panel>
    );
  }
  const passed = attempt.state === 'passed';
  return (
    <Panel>
      <Stack gap={12}>
        <Group gap={12}>
          <Chip tone={passed ? 'settled' : 'refused'}>{passed ? t('Passed') : t('Not passed')}</Chip>
          {passed && attempt.expires_at && (
            <Text size="sm">{t('holds until {date}', { date: date(attempt.expires_at) })}</Text>
          )}
        </Group>
        <div className="cup-figures">
          <Figure
            label={t('Right')}
            value={number(attempt.rights)}
            note={t('of {items}; {needed} pass', { items: attempt.items, needed: attempt.needed })}
          />
          <Figure
            label={t('Shown')}
            value={percent(attempt.low)}
            note={t('at least; {share} is asked', { share: percent(attempt.at_least, 0) })}
          />
          <Figure
            label={t('At most')}
            value={percent(attempt.high)}
            note={t('the upper end of what these answers leave open')}
          />
        </div>
        <Text size="sm" maw="72ch">
          {t(
            'A few answers say only roughly how good somebody is: with {right} of {items} right your share of right answers lies above {low}, at a confidence of {confidence}. That lower end decides, for everybody alike.',
            {
              right: attempt.rights,
              items: attempt.items,
              low: percent(attempt.low, 1),
              confidence: percent(attempt.confidence, 0),
            },
          )}
        </Text>
        <Text size="sm">
          {t('Each answer was paid, right or wrong.')}{' '}
          {!passed &&
            attempt.retake_at &&
            t('You may take it again from {date} on, with other items.', { date: date(attempt.retake_at) })}
        </Text>
        <Link to="/work">{t('To the offers')}</Link>
      </Stack>
    </Panel>
  );
}

export function ExamResultPage() {
  const t = useT();
  const { attempt } = useParams({ strict: false }) as { attempt: string };
  const query = useQuery({ queryKey: ['attempt', attempt], queryFn: () => skills.result(attempt) });
  return (
    <Asked query={query}>
      {(result) => (
        <Page
          back={
            <Link to="/skills" style={{ fontSize: 12 }}>
              {t('Skills')}
            </Link>
          }
          title={t('Exam: {skill}', { skill: result.attempt.skill })}
          lead={result.attempt.title}
        >
          <Standing result={result} />
          {result.answers.length > 0 && (
            <ul className="cup-answers">
              {[...result.answers]
                .sort((a, b) => Number(a.right) - Number(b.right))
                .map((answer) => (
                  <AnswerRow key={answer.task} answer={answer} result={result} />
                ))}
            </ul>
          )}
        </Page>
      )}
    </Asked>
  );
}
