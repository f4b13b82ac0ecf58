import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { review } from '../api/calls';
import type { DoubtfulTask } from '../api/types';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Empty, Page } from '../ui/bits';
import { Rows } from '../ui/table';

/** The server's reasons, in the reader's language. */
const REASONS: Record<string, string> = {
  'nobody judged it': msg('nobody judged it'),
  'the judgements disagree': msg('the judgements disagree'),
  'a review rejected it': msg('a review rejected it'),
};

export function Adjudication() {
  const t = useT();
  const { percent, number } = useFormat();
  const { project } = useSearch({ strict: false }) as { project?: string };
  const query = useQuery({
    queryKey: ['doubtful', project ?? ''],
    queryFn: () => review.doubtful({ limit: 100, project }),
  });
  return (
    <Page
      title={t('Doubtful tasks')}
      lead={t(
        'Where the judgements could not reach the plan’s confidence. You see them all and decide; your decision is final for this task.',
      )}
    >
      <Asked query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="check" title={t('Nothing doubtful')}>
              {t('Tasks come here when more judgements would not settle them.')}
            </Empty>
          ) : (
            <Rows<DoubtfulTask>
              label={t('Doubtful tasks')}
              rows={items}
              keyOf={(row) => row.task}
              columns={[
                {
                  head: t('Item'),
                  cell: (row) =>
                    row.thumb_url ? (
                      <img
                        src={row.thumb_url}
                        alt=""
                        width={40}
                        height={40}
                        style={{
                          objectFit: 'contain',
                          background: 'var(--cup-stage)',
                          borderRadius: 4,
                          display: 'block',
                          imageRendering: 'pixelated',
                        }}
                      />
                    ) : (
                      '–'
                    ),
                },
                {
                  head: t('Reference'),
                  cell: (row) => (
                    <Link to="/adjudication/$task" params={{ task: row.task }} style={{ fontWeight: 600 }}>
                      {row.ref}
                    </Link>
                  ),
                },
                { head: t('Project'), cell: (row) => row.project_name ?? row.project.slice(0, 8) },
                {
                  head: t('Why'),
                  cell: (row) => (REASONS[row.reason] ? t(REASONS[row.reason] as string) : row.reason),
                },
                {
                  head: t('Posterior'),
                  numeric: true,
                  cell: (row) => (row.confidence === null ? '–' : percent(row.confidence, 1)),
                },
                { head: t('Judgements'), numeric: true, cell: (row) => number(row.judgements) },
              ]}
            />
          )
        }
      </Asked>
    </Page>
  );
}
