/** Training: how far one is, and after each page what was said beside what is right. */

import { Button, Group, Stack, Text } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import type { TrainingProgress } from '../api/types';
import type { Lesson } from '../editor/core/work_controller';
import { KINDS } from '../editor/kinds';
import { ItemThumb } from '../editor/kinds/item_stage';
import { isDrawn } from '../editor/kinds/models';
import { type Translate, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Chip, Heading, Key } from '../ui/bits';
import { useKeys } from '../ui/keys';

const NEXT = 'Enter';

/** How it stands, in one sentence. */
export function standing(t: Translate, progress: TrainingProgress): string {
  const { answered, right, counted, needed, passed, tasks } = progress;
  if (passed) return t('Training passed: the project itself is open to you.');
  if (answered === 0) {
    return t('Training first, paid the same: {needed} of your last {counted} answers right, and the project opens.', {
      needed,
      counted,
    });
  }
  if (answered >= tasks) {
    return t('You have answered all {tasks} training tasks. More will come; you are not barred.', { tasks });
  }
  return t('{right} of your last {seen} answers are right. With {needed} of {counted} the project opens.', {
    right,
    seen: Math.min(answered, counted),
    needed,
    counted,
  });
}

/** One step for each answer that counts, the line at what it takes. */
export function TrainingBar({ progress }: { progress: TrainingProgress }) {
  const t = useT();
  const { right, counted, needed, answered } = progress;
  const seen = Math.min(answered, counted);
  return (
    <div>
      <div
        className="cup-steps-bar"
        role="img"
        aria-label={t('{right} right of {seen} answered; {needed} needed', { right, seen, needed })}
      >
        {Array.from({ length: counted }, (_, at) => (
          <i
            // biome-ignore lint/suspicious/noArrayIndexKey: steps have no other name than their place
            key={at}
            data-state={at < right ? 'right' : at < seen ? 'wrong' : 'open'}
            data-needed={at === needed - 1}
          />
        ))}
      </div>
      <Text size="sm" mt={4}>
        {standing(t, progress)}
      </Text>
    </div>
  );
}

function Answer({ answer, lesson }: { answer: Lesson['answers'][number]; lesson: Lesson }) {
  const t = useT();
  const { ontology } = lesson.assignment;
  const { View } = KINDS[answer.said.kind];
  const drawn = isDrawn(answer.said);
  const { right, expected } = answer.feedback;
  return (
    <li className="cup-panel cup-answer" data-right={right}>
      {!drawn && (
        <div style={{ width: 88 }}>
          <ItemThumb item={answer.task.item} />
        </div>
      )}
      <div style={{ minWidth: 0, flex: 1 }}>
        <Chip tone={right ? 'settled' : 'refused'}>{right ? t('right') : t('not right')}</Chip>
        <div className="cup-said-columns" style={{ marginTop: 8 }}>
          <div>
            <Text size="xs" c="dimmed">
              {t('You said')}
            </Text>
            <View label={answer.said} ontology={ontology} item={answer.task.item} bare={!drawn} />
          </div>
          {!right && (
            <div>
              <Text size="xs" c="dimmed">
                {t('Right is')}
              </Text>
              <View label={expected} ontology={ontology} item={answer.task.item} bare={!drawn} />
            </div>
          )}
        </div>
      </div>
    </li>
  );
}

export function LessonView({ lesson, onRead }: { lesson: Lesson; onRead: () => void }) {
  const t = useT();
  const { money } = useFormat();
  const right = lesson.answers.filter(({ feedback }) => feedback.right).length;
  const navigate = useNavigate();
  const passed = lesson.progress?.passed ?? false;
  const goOn = () => (passed ? void navigate({ to: '/work' }) : onRead());
  useKeys([{ command: 'go-on', title: 'Next page', keys: [NEXT], disabledBecause: null, run: goOn }]);
  // Those that were wrong first: they are what there is to learn.
  const sorted = [...lesson.answers].sort((a, b) => Number(a.feedback.right) - Number(b.feedback.right));
  return (
    <main id="main" className="cup-lesson">
      <Stack gap={16}>
        <div>
          <Heading>{t('{right} of {count} right', { right, count: lesson.answers.length })}</Heading>
          <Text c="dimmed">
            {t('{sum} paid for this page; right or not, it is yours.', {
              sum: money(lesson.paid_minor, lesson.assignment.currency),
            })}
          </Text>
        </div>
        {lesson.progress && <TrainingBar progress={lesson.progress} />}
        <Group gap={12}>
          <Button onClick={goOn} rightSection={<Key>{NEXT}</Key>}>
            {passed ? t('To the project') : t('Next page')}
          </Button>
          {!passed && <Link to="/work">{t('Back to the offers')}</Link>}
        </Group>
        <ul className="cup-answers">
          {sorted.map((answer) => (
            <Answer key={answer.task.task} answer={answer} lesson={lesson} />
          ))}
        </ul>
      </Stack>
    </main>
  );
}
