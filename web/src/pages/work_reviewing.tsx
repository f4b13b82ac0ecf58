/** Reviews in a contributor's hands: why one rejects, why one's own work was rejected, and what is mended. */
import { Alert, Button, Group, Select, Stack, Text, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { work } from '../api/calls';
import type { Rejected, RejectReason } from '../api/types';
import { msg, type Translate, useT } from '../i18n';
import { Chip, Moment, Panel, ProblemNote } from '../ui/bits';
import { Dialog } from '../ui/dialog';

const REASONS: readonly [RejectReason, string][] = [
  ['wrong-class', msg('A wrong class or answer')],
  ['missing', msg('Something is missing')],
  ['too-much', msg('Something is there that should not be')],
  ['inexact', msg('Not exact enough')],
  ['guideline', msg('Against the guideline')],
  ['other', msg('Another reason')],
];
const LONGEST_NOTE = 2_000;

export function whyRejected(t: Translate, { reason, note }: Rejected): string {
  const said = t(REASONS.find(([value]) => value === reason)?.[1] ?? reason);
  return note ? `${said}: ${note}` : said;
}

/** What is done at a later stage: in a few words, or in one and the others on pointing at it. */
export function StageChip({ does, brief = false }: { does: 'draw' | 'review' | 'fix'; brief?: boolean }) {
  const t = useT();
  if (does === 'draw') return null;
  const [one, all] =
    does === 'review'
      ? [t('Review'), t('Review: leave what is right as it is, fix what is not')]
      : [t('Mend'), t('Mend: a review rejected these, and says why')];
  return (
    <Chip tone="person" wraps={!brief} title={brief ? all : undefined}>
      {brief ? one : all}
    </Chip>
  );
}

export function WhyRejected({ rejected }: { rejected: Rejected }) {
  const t = useT();
  return (
    <Alert color="ember" variant="outline" mb={12} title={t('A review rejected this')}>
      {whyRejected(t, rejected)}
    </Alert>
  );
}

export function RejectDialog({
  opened,
  onClose,
  onReject,
}: {
  opened: boolean;
  onClose: () => void;
  onReject: (rejected: Rejected) => void;
}) {
  const t = useT();
  const [reason, setReason] = useState<RejectReason>('wrong-class');
  const [note, setNote] = useState('');
  const unsaid = reason === 'other' && !note.trim();
  return (
    <Dialog opened={opened} onClose={onClose} title={t('Reject this label')}>
      <Stack gap={12}>
        <Text size="sm">{t('Whoever made it reads why. What was paid for it stays paid, and so is your review.')}</Text>
        <Select
          label={t('Why')}
          data={REASONS.map(([value, label]) => ({ value, label: t(label) }))}
          value={reason}
          allowDeselect={false}
          onChange={(value) => value && setReason(value as RejectReason)}
        />
        <Textarea
          label={t('In your words')}
          description={t('What is wrong, and where. Required for “Another reason”.')}
          value={note}
          maxLength={LONGEST_NOTE}
          onChange={(event) => setNote(event.currentTarget.value)}
          autosize
          minRows={2}
        />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('Keep working')}
          </Button>
          <Button
            disabled={unsaid}
            onClick={() => {
              setNote('');
              onReject({ reason, note: note.trim() });
            }}
          >
            {t('Reject')}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

const SHOWN = 5;

/** What reviewers said of one's own work; nothing where they had nothing to say. */
export function SentBack() {
  const t = useT();
  const [all, setAll] = useState(false);
  const found = useQuery({ queryKey: ['rejections'], queryFn: () => work.rejections({ limit: 50 }) });
  const items = found.data?.items ?? [];
  if (found.error) return <ProblemNote error={found.error} onRetry={() => void found.refetch()} />;
  if (items.length === 0) return null;
  return (
    <Panel title={t('What reviews rejected of your work')}>
      <Text size="sm" c="dimmed" mb={8}>
        {t('It stays paid. Where the project has it mended, you may do so yourself: it is among the offers.')}
      </Text>
      <ul style={{ margin: 0, paddingLeft: 20, overflowWrap: 'anywhere' }}>
        {(all ? items : items.slice(0, SHOWN)).map((one) => (
          <li key={one.id}>
            {whyRejected(t, one)}{' '}
            <Text span size="xs" c="dimmed">
              {one.project_name} · <Moment at={one.at} />
            </Text>
          </li>
        ))}
      </ul>
      {!all && items.length > SHOWN && (
        <Button variant="subtle" size="compact-xs" mt={8} onClick={() => setAll(true)}>
          {t('Show all {count}', { count: items.length })}
        </Button>
      )}
    </Panel>
  );
}
