import { Button, Progress } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { review, rows } from '../api/calls';
import type { AuditRow } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Empty, Page } from '../ui/bits';
import { Rows } from '../ui/table';

export function Audits() {
  const t = useT();
  const { number } = useFormat();
  const query = useQuery({ queryKey: ['audits'], queryFn: review.audits });
  return (
    <Page
      title={t('Audits')}
      lead={t(
        'Random samples of releases, judged blind: you do not see the settled label, so the certificate means something.',
      )}
    >
      <Asked query={query}>
        {(answer) =>
          rows(answer).length === 0 ? (
            <Empty icon="eye" title={t('No audit waits')}>
              {t('An audit begins when a release is frozen on a project’s Releases tab.')}
            </Empty>
          ) : (
            <Rows<AuditRow>
              label={t('Audits')}
              rows={rows(answer)}
              keyOf={(row) => row.release}
              columns={[
                {
                  head: t('Release'),
                  cell: (row) => (
                    <Link to="/releases/$release" params={{ release: row.release }}>
                      {row.name}
                    </Link>
                  ),
                },
                {
                  head: t('Progress'),
                  cell: (row) => (
                    <Progress
                      value={row.drawn ? (row.judged / row.drawn) * 100 : 0}
                      size="sm"
                      w={160}
                      aria-label={t('{judged} of {drawn} judged', { judged: row.judged, drawn: row.drawn })}
                    />
                  ),
                },
                { head: t('Judged'), numeric: true, cell: (row) => `${number(row.judged)} / ${number(row.drawn)}` },
                { head: t('For you'), numeric: true, cell: (row) => number(row.for_you) },
                {
                  head: t('Go on'),
                  quiet: true,
                  cell: (row) =>
                    row.for_you > 0 && (
                      <Button component={Link} to={`/audits/${row.release}`} size="compact-sm">
                        {t('Audit')}
                      </Button>
                    ),
                },
              ]}
            />
          )
        }
      </Asked>
    </Page>
  );
}
