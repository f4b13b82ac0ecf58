import { Button, Progress } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { projects } from '../api/calls';
import { useSession } from '../api/session';
import type { Project } from '../api/types';
import { modelOf } from '../editor/kinds/models';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Empty, Moment, Page, State } from '../ui/bits';
import { Icon } from '../ui/icons';
import { Rows } from '../ui/table';

function NewProject() {
  const t = useT();
  return (
    <Button component={Link} to="/projects/new" leftSection={<Icon name="plus" />}>
      {t('New project')}
    </Button>
  );
}

export function Projects() {
  const t = useT();
  const { tenant } = useSession();
  const { money, number } = useFormat();
  const list = useQuery({ queryKey: ['projects', tenant?.id], queryFn: () => projects.list({ limit: 100 }) });
  const manages = tenant?.role !== 'reviewer';
  return (
    <Page
      title={t('Projects')}
      lead={t(
        'A project asks people one kind of question about your data, until the answers are as sure as you asked for.',
      )}
      actions={manages && <NewProject />}
    >
      <Asked query={list}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="flag" title={t('No project yet')} action={manages && <NewProject />}>
              {t(
                'You need some data (a folder, a zip or a list of addresses), the labels to choose from, and a price for each judgement. The wizard takes you through it.',
              )}
            </Empty>
          ) : (
            <Rows<Project>
              label={t('Projects')}
              rows={items}
              keyOf={(project) => project.id}
              columns={[
                {
                  head: t('Name'),
                  cell: (project) => (
                    <Link to="/projects/$project" params={{ project: project.id }} style={{ fontWeight: 600 }}>
                      {project.name}
                    </Link>
                  ),
                },
                { head: t('State'), cell: (project) => <State of={project.state} /> },
                {
                  head: t('Kind'),
                  cell: (project) => <span className="cup-word">{t(modelOf(project.kind).title)}</span>,
                },
                {
                  head: t('Settled'),
                  cell: ({ counts }) => (
                    <Progress
                      value={counts.total ? (counts.settled / counts.total) * 100 : 0}
                      color="var(--cup-settled-fill)"
                      size="sm"
                      w={96}
                      aria-label={t('{settled} of {total} settled', { settled: counts.settled, total: counts.total })}
                    />
                  ),
                },
                {
                  head: t('Tasks'),
                  numeric: true,
                  cell: ({ counts }) => `${number(counts.settled)} / ${number(counts.total)}`,
                },
                { head: t('Doubtful'), numeric: true, cell: ({ counts }) => number(counts.escalated) },
                {
                  head: t('Spent'),
                  numeric: true,
                  cell: (project) => money(project.spent_minor, project.offer.currency),
                },
                { head: t('Begun'), cell: (project) => <Moment at={project.created_at} /> },
              ]}
            />
          )
        }
      </Asked>
    </Page>
  );
}
