import { Button, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { projects } from '../api/calls';
import { ItemLook } from '../editor/kinds/item_stage';
import { useT } from '../i18n';
import { Asked, Chip, Page, Panel, State } from '../ui/bits';
import { Decisions } from './task_decisions';
import { Judgements, Settlements } from './task_judgements';

export function TaskPage() {
  const t = useT();
  const { task: id } = useParams({ strict: false }) as { task: string };
  const query = useQuery({ queryKey: ['task', id], queryFn: () => projects.task(id) });
  return (
    <Asked query={query}>
      {(task) => (
        <Page
          back={
            task.project && (
              <Link to="/projects/$project/tasks" params={{ project: task.project }} style={{ fontSize: 12 }}>
                {t('Tasks')}
              </Link>
            )
          }
          title={task.item.ref}
          lead={
            <Group gap={12} component="span">
              <State of={task.state} />
              {task.gold && <Chip tone="model">{t('gold')}</Chip>}
            </Group>
          }
          actions={
            task.state === 'escalated' && (
              <Button component={Link} to={`/adjudication/${task.id}`}>
                {t('Decide')}
              </Button>
            )
          }
        >
          <div className="cup-two">
            <div className="cup-stage" style={{ height: 320, borderRadius: 6 }}>
              <ItemLook item={task.item} />
            </div>
            <Panel title={t('Settled label')}>
              <Settlements task={task} />
            </Panel>
          </div>
          <Panel title={t('Judgements ({count})', { count: task.judgements.length })}>
            <Judgements task={task} />
          </Panel>
          {task.settlements.length > 0 && (
            <Panel title={t('Why this label')}>
              <Decisions task={task} />
            </Panel>
          )}
          {task.item.metadata && Object.keys(task.item.metadata).length > 0 && (
            <Panel title={t('Metadata')}>
              <pre style={{ margin: 0, fontSize: 12, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
                {JSON.stringify(task.item.metadata, null, 2)}
              </pre>
            </Panel>
          )}
        </Page>
      )}
    </Asked>
  );
}
