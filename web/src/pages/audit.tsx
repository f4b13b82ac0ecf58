import { Button, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { releases, review } from '../api/calls';
import type { AuditItem, Label } from '../api/types';
import { Stopwatch } from '../editor/core/stopwatch';
import { Desk } from '../editor/Desk';
import { isEmpty } from '../editor/kinds/models';
import { useDocument } from '../editor/kinds/use_label';
import { useKeptLabel } from '../editor/use_kept_label';
import { useT } from '../i18n';
import { Asked, Chip, Empty, Heading, ProblemNote } from '../ui/bits';
import { Icon, Mark } from '../ui/icons';

function Blind({ release, item }: { release: string; item: AuditItem }) {
  const t = useT();
  const client = useQueryClient();
  const { session, forget } = useKeptLabel(`audit.${item.audit_item}`, item.ontology, item.item, async () => {
    const fresh = await review.nextAudit(release);
    return fresh?.audit_item === item.audit_item ? fresh.item : null;
  });
  const { label } = useDocument(session);
  const nothing = isEmpty(label) ? t('The label is empty. It is recorded as it is, for good.') : null;
  const watch = useMemo(() => new Stopwatch(), []);
  useEffect(() => {
    watch.touch(Date.now());
    const seen = () => (document.hidden ? watch.pause(Date.now()) : watch.touch(Date.now()));
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [watch]);
  const judge = useMutation({
    mutationFn: (verdict: { label: Label } | { undecidable: true }) =>
      review.judgeAudit(release, item.audit_item, { ...verdict, seconds: watch.seconds(Date.now()) }),
    onSuccess: async () => {
      forget();
      await client.refetchQueries({ queryKey: ['audit-next', release] });
      void client.invalidateQueries({
        predicate: ({ queryKey }) => ['audits', 'release', 'releases'].includes(String(queryKey[0])),
      });
    },
  });
  return (
    <Desk
      session={session}
      guidelines={item.guidelines}
      finish={{
        title: 'Record and next',
        run: () => judge.mutate({ label: session.document.label }),
        busy: judge.isPending,
        asks: nothing,
      }}
      bar={
        <>
          <Link to="/audits" className="cup-wordmark" aria-label={t('Back to the audits')}>
            <Mark size={20} />
            <Icon name="left" />
          </Link>
          <Text size="sm">{t('{position} of {total}', { position: item.judged + 1, total: item.total })}</Text>
          <Chip tone="neutral">{t('Blind: the settled label is not shown')}</Chip>
        </>
      }
      foot={
        <Stack gap={8}>
          <ProblemNote error={judge.error} />
          <Button
            variant="default"
            size="xs"
            onClick={() => judge.mutate({ undecidable: true })}
            loading={judge.isPending}
          >
            {t('Nobody could decide this')}
          </Button>
        </Stack>
      }
    />
  );
}

/** Nothing more for this auditor: the audit is done, or it is somebody else's turn. */
function Ended({ release }: { release: string }) {
  const t = useT();
  const query = useQuery({ queryKey: ['release', release], queryFn: () => releases.read(release), staleTime: 0 });
  return (
    <Asked query={query}>
      {({ audit }) =>
        audit.judged < audit.drawn ? (
          <Empty
            icon="clock"
            title={t('Nothing left for you here')}
            action={<Link to="/audits">{t('Back to the audits')}</Link>}
          >
            {t('{count, plural, one {# drawn item waits} other {# drawn items wait}} for another auditor.', {
              count: audit.drawn - audit.judged,
            })}
          </Empty>
        ) : (
          <Empty
            icon="check"
            title={t('The audit is done')}
            action={
              <Link to="/releases/$release" params={{ release }}>
                {t('To the release, to certify it')}
              </Link>
            }
          >
            {t('Every drawn item has been judged.')}
          </Empty>
        )
      }
    </Asked>
  );
}

export function AuditDesk() {
  const t = useT();
  const { release } = useParams({ strict: false }) as { release: string };
  const query = useQuery({
    queryKey: ['audit-next', release],
    queryFn: () => review.nextAudit(release),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return (
    <Asked query={query}>
      {(item) =>
        item ? (
          <Blind key={item.audit_item} release={release} item={item} />
        ) : (
          <main id="main" style={{ minHeight: '100dvh', display: 'grid', placeItems: 'center', padding: 24 }}>
            <Heading unseen>{t('Audit')}</Heading>
            <Ended release={release} />
          </main>
        )
      }
    </Asked>
  );
}
