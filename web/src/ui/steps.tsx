import { Text } from '@mantine/core';
import type { Step } from '../api/types';
import { msg, useT } from '../i18n';
import { Moment } from './bits';
import { Icon, type IconName } from './icons';

const WHAT: Record<Step['what'], { text: string; icon: IconName }> = {
  submitted: { text: msg('Submitted'), icon: 'upload' },
  accepted: { text: msg('Accepted and paid'), icon: 'check' },
  rejected: { text: msg('Rejected'), icon: 'cross' },
  frozen: { text: msg('Frozen: too much of this project was rejected at once'), icon: 'pause' },
  appealed: { text: msg('Appealed'), icon: 'flag' },
  answered: { text: msg('Answered by the requester'), icon: 'user' },
  decided: { text: msg('Decided'), icon: 'eye' },
  final: { text: msg('Final'), icon: 'stop' },
};
const BY: Record<Step['by'], string> = {
  worker: msg('by whoever did the work'),
  requester: msg('by the requester'),
  panel: msg('by a panel that belongs to neither side'),
  operator: msg('by the operator'),
  deadline: msg('because nobody acted in time'),
};

/** How a matter went and what comes next by when: the same list for both sides. */
export function Steps({ steps }: { steps: readonly Step[] }) {
  const t = useT();
  return (
    <ol style={{ listStyle: 'none', margin: 0, padding: 0, display: 'grid', gap: 12 }}>
      {steps.map((step) => {
        const { text, icon } = WHAT[step.what];
        const done = step.at !== null;
        return (
          <li key={step.what} style={{ display: 'grid', gridTemplateColumns: '24px 1fr', gap: 8 }}>
            <span style={{ color: done ? 'var(--cup-person)' : 'var(--mantine-color-dimmed)', paddingTop: 2 }}>
              <Icon name={done ? icon : 'clock'} size={16} />
            </span>
            <div style={{ minWidth: 0 }}>
              <Text size="sm" fw={600}>
                {t(text)}
                {done && step.by !== 'worker' && (
                  <Text span size="sm" fw={400} c="dimmed">
                    {' '}
                    {t(BY[step.by])}
                  </Text>
                )}
              </Text>
              <Text size="xs" c="dimmed">
                {done ? (
                  <Moment at={step.at} />
                ) : step.due_at ? (
                  <>
                    {t('Until')} <Moment at={step.due_at} />
                  </>
                ) : (
                  t('Awaited')
                )}
              </Text>
              {step.words && (
                <Text size="sm" mt={4} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
                  {step.words}
                </Text>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
