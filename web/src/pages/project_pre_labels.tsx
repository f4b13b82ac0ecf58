/** How the labels that a model or another tool made fit a project: told where some were left out, or cut to what fits. */
import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { projects } from '../api/calls';
import { useProblemWords, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Figure, Panel, ProblemNote } from '../ui/bits';

export function PreLabelsPanel({ project }: { project: string }) {
  const t = useT();
  const { number } = useFormat();
  const wordsFor = useProblemWords();
  const query = useQuery({ queryKey: ['pre-labels', project], queryFn: () => projects.preLabels(project) });
  const { data } = query;
  if (query.error) return <ProblemNote error={query.error} onRetry={() => void query.refetch()} />;
  if (!data) return null; // a dataset without pre-labels has nothing to tell
  const of = t('of {n}', { n: number(data.looked_at) });
  return (
    <Panel title={t('Pre-labels')}>
      <div className="cup-figures">
        <Figure label={t('Fit as they are')} value={number(data.whole)} note={of} />
        <Figure label={t('Shown in part')} value={number(data.in_part)} note={of} />
        <Figure label={t('Left out')} value={number(data.none)} note={of} />
      </div>
      {data.reasons.length === 0 ? (
        <Text size="sm" c="dimmed" mt={12}>
          {t('People begin from every one of them, and may change what is wrong.')}
        </Text>
      ) : (
        <>
          <Text size="sm" mt={12}>
            {t('What does not fit is not shown; where nothing is left, people begin with an empty label.')}
          </Text>
          <ul style={{ margin: 0, paddingInlineStart: 20, fontSize: 14 }}>
            {data.reasons.map((reason) => (
              <li key={reason.code}>
                <strong>{number(reason.parts)} ×</strong> {wordsFor(reason.code)?.[0] ?? <code>{reason.code}</code>}
                <Text size="xs" c="dimmed" dir="auto" style={{ overflowWrap: 'anywhere' }}>
                  {t('for example: {example}', { example: reason.example })}
                </Text>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}
