import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { releases } from '../api/calls';
import type { Release } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Empty, Figure, Moment, Page, Panel, ProblemNote, State } from '../ui/bits';
import { Hallmark } from '../ui/hallmark';
import { Exports } from './release_exports';
import { Reading } from './release_reading';

function CertificatePanel({ release }: { release: Release }) {
  const t = useT();
  const { locale, number, percent } = useFormat();
  const client = useQueryClient();
  const certify = useMutation({
    mutationFn: () => releases.certify(release.id),
    onSuccess: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => ['release', 'releases'].includes(String(queryKey[0])) }),
  });
  const { audit, certificate } = release;
  const left = audit.drawn - audit.judged;
  if (certificate) {
    return (
      <Panel title={t('Certificate')}>
        <Group gap={32} align="flex-start" mb={12}>
          <div>
            <Hallmark release={release.id} certificate={certificate} />
            <Text size="xs" c="dimmed" mt={4}>
              {certificate.reached
                ? t('The target of {target} is reached.', { target: percent(certificate.target, 2) })
                : t('The target of {target} is not reached.', { target: percent(certificate.target, 2) })}
            </Text>
          </div>
          <Figure label={t('Audited')} value={number(certificate.n)} note={t('drawn at random')} />
          <Figure
            label={t('Errors found')}
            value={number(certificate.errors)}
            note={t('of {n}', { n: number(certificate.n) })}
          />
          {certificate.double_judged > 0 && (
            <Figure
              label={t('Auditors differed')}
              value={number(certificate.disagreements)}
              note={t('of {n} judged by two; a third decided', { n: number(certificate.double_judged) })}
            />
          )}
        </Group>
        {locale !== 'en' && (
          <Text size="sm" maw="72ch">
            {t(
              'At {confidence} confidence at least {bound} of the {items} items are right: {errors} errors among {n} drawn.',
              {
                confidence: percent(certificate.confidence, 2),
                bound: percent(certificate.accuracy_lower_bound, 2),
                items: number(release.items),
                errors: number(certificate.errors),
                n: number(certificate.n),
              },
            )}
          </Text>
        )}
        {/* As it was issued, which a translation is not. */}
        <Text size="sm" maw="72ch" mt={4} lang="en" dir="auto" {...(locale === 'en' ? {} : { c: 'dimmed' })}>
          {certificate.statement}
        </Text>
      </Panel>
    );
  }
  return (
    <Panel title={t('Audit')}>
      <Stack gap={12}>
        <Text size="sm">
          {t(
            '{judged} of {drawn} audited. The adjudicator does not see the settled labels; you see the errors when the audit is closed.',
            { judged: number(audit.judged), drawn: number(audit.drawn) },
          )}
          {audit.auditors > 1 && ` ${t('Each is judged by two people who do not see each other’s answers.')}`}
        </Text>
        <ProblemNote error={certify.error} />
        <Group>
          {left > 0 ? (
            <Button component={Link} to={`/audits/${release.id}`}>
              {t('Audit {count, plural, one {# item} other {# items}}', { count: left })}
            </Button>
          ) : (
            <Button onClick={() => certify.mutate()} loading={certify.isPending}>
              {t('Close the audit and certify')}
            </Button>
          )}
        </Group>
        {release.state === 'auditing' && <Reading release={release} />}
      </Stack>
    </Panel>
  );
}

/** Before its rows stand: how far that is, or why the last try ended. */
function Unfrozen({ release }: { release: Release }) {
  const t = useT();
  const { number } = useFormat();
  return (
    <Panel title={t('Not frozen yet')}>
      <Text size="sm" maw="72ch">
        {release.freezing
          ? t('{rows} of about {of} rows are frozen. This goes on without you.', {
              rows: number(release.freezing.rows),
              of: number(release.freezing.of),
            })
          : t('Its rows do not stand yet: there is nothing to audit and nothing to export.')}
        {release.trouble && ` ${t('The last try to freeze it ended: {why}', { why: release.trouble })}`}
      </Text>
    </Panel>
  );
}

export function ReleasePage() {
  const t = useT();
  const { number } = useFormat();
  const { release: id } = useParams({ strict: false }) as { release: string };
  const query = useQuery({
    queryKey: ['release', id],
    queryFn: () => releases.read(id),
    refetchInterval: (query) => (query.state.data?.freezing ? 1500 : false),
  });
  return (
    <Asked query={query}>
      {(release) => (
        <Page
          back={
            release.project && (
              <Link to="/projects/$project" params={{ project: release.project }} style={{ fontSize: 12 }}>
                {t('Project')}
              </Link>
            )
          }
          title={t('Release {name}', { name: release.name })}
          lead={<State of={release.state} />}
        >
          <Group gap={32} align="flex-start">
            <Figure label={t('Items')} value={number(release.items)} />
            <Figure
              label={t('Frozen')}
              value={
                <span style={{ fontSize: 14 }}>{release.frozen_at ? <Moment at={release.frozen_at} /> : '–'}</span>
              }
            />
            <Figure
              label={t('Manifest SHA-256')}
              value={<code style={{ fontSize: 12, overflowWrap: 'anywhere' }}>{release.manifest_sha256}</code>}
            />
          </Group>
          {!release.frozen_at ? (
            <Unfrozen release={release} />
          ) : release.audit.drawn === 0 && !release.certificate ? (
            <Empty title={t('No audit was declared')}>
              {t('This release can be exported, but carries no certificate.')}
            </Empty>
          ) : (
            <CertificatePanel release={release} />
          )}
          {release.frozen_at && <Exports release={release} />}
        </Page>
      )}
    </Asked>
  );
}
