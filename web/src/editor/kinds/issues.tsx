import { Button, Group, Stack, Text } from '@mantine/core';
import { useT } from '../../i18n';
import { Chip } from '../../ui/bits';
import { seek } from '../actions/seek';
import { selectObjects } from '../actions/select_objects';
import type { LabelSession } from '../core/label_session';
import { useIssues } from './use_label';

/** What the rules found, each with its fix; nothing while the label has not been begun. */
export function Issues({ session, quiet }: { session: LabelSession; quiet: boolean }) {
  const t = useT();
  const all = useIssues(session);
  const issues = quiet ? all.filter((issue) => issue.severity === 'warning') : all;
  if (issues.length === 0) return null;
  return (
    <Stack gap={4} mt={12} role="status">
      {issues.map((issue) => (
        <Group key={issue.id} gap={8} wrap="nowrap" justify="space-between">
          <div>
            <Chip tone={issue.severity === 'error' ? 'refused' : 'doubtful'}>
              {issue.severity === 'error' ? t('To mend') : t('Look again')}
            </Chip>
            <Text size="sm">{t(issue.message, issue.values)}</Text>
          </div>
          <Group gap={4} wrap="nowrap">
            {issue.object && (
              <Button
                size="compact-xs"
                variant="subtle"
                onClick={() => {
                  if (issue.frame !== undefined) session.perform(seek(issue.frame));
                  session.perform(selectObjects([issue.object ?? '']));
                }}
              >
                {t('Show')}
              </Button>
            )}
            {issue.fix && (
              <Button size="compact-xs" variant="default" onClick={() => session.mend(issue.id)}>
                {t(issue.fix.title)}
              </Button>
            )}
          </Group>
        </Group>
      ))}
    </Stack>
  );
}
