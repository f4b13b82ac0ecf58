/** Projects that ask for what is not known of somebody yet: what is missing, and where it is to be had. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { skills } from '../api/calls';
import type { Opening } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { ProblemNote } from '../ui/bits';
import { Why } from './eligibility';

function OpeningCard({ opening }: { opening: Opening }) {
  const t = useT();
  const { money } = useFormat();
  return (
    <article className="cup-panel" aria-label={opening.title}>
      <Title order={3} style={{ overflowWrap: 'anywhere' }}>
        {opening.title}
      </Title>
      <Text size="sm" c="dimmed">
        {t('{price} a judgement', { price: money(opening.price_minor, opening.currency) })}
      </Text>
      <ul className="cup-why" style={{ paddingLeft: 0 }}>
        <Why of={opening.reason} />
      </ul>
      <Group gap={12} mt={8}>
        {Object.entries(opening.exams).map(([skill, exam]) => (
          <Button key={exam} component={Link} to={`/work/${exam}`} variant="default" size="compact-sm">
            {t('Take the exam: {skill}', { skill })}
          </Button>
        ))}
        <Link to="/skills" style={{ fontSize: 13 }}>
          {t('Your skills and profile')}
        </Link>
      </Group>
    </article>
  );
}

export function Openings() {
  const t = useT();
  const openings = useQuery({ queryKey: ['openings'], queryFn: skills.openings });
  if (openings.error) return <ProblemNote error={openings.error} onRetry={() => void openings.refetch()} />;
  if (!openings.data?.length) return null;
  return (
    <section aria-label={t('Not open to you yet')}>
      <Title order={2} mb={4}>
        {t('Not open to you yet')}
      </Title>
      <Text size="sm" c="dimmed" mb={12}>
        {t(
          'What these ask for is not known of you. Nobody is kept out for how much they did, or how often they agreed.',
        )}
      </Text>
      <Stack gap={12}>
        {openings.data.map((opening) => (
          <OpeningCard key={opening.project} opening={opening} />
        ))}
      </Stack>
    </section>
  );
}
