import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { rows, work } from '../api/calls';
import type { WorkOffer } from '../api/types';
import { modelOf } from '../editor/kinds/models';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Empty, Figure, Page, ProblemNote } from '../ui/bits';
import { Markdown } from '../ui/markdown';
import { Why } from './eligibility';
import { Openings } from './work_openings';
import { SentBack, StageChip } from './work_reviewing';
import { TrainingBar } from './work_training';

/** Judgements after which measured times replace the requester's estimate; the server's own rule. */
const MEASURED_FROM = 20;

/** Why it pays what it pays, in sentences. */
function PayInWords({ offer }: { offer: WorkOffer }) {
  const t = useT();
  const { money, number, duration } = useFormat();
  const price = money(offer.price_minor, offer.currency);
  return (
    <ul className="cup-prose" style={{ fontSize: 14, margin: '4px 0 0' }}>
      <li>{t('{price} for each judgement, whole: the requester pays the fee on top.', { price })}</li>
      {offer.median_s !== null && offer.hourly_minor !== null && (
        <li>
          {offer.timed >= MEASURED_FROM
            ? t(
                'Half of {count} measured judgements took less than {median}: at that pace {price} comes to {hourly} an hour.',
                {
                  count: number(offer.timed),
                  median: duration(offer.median_s),
                  price,
                  hourly: money(offer.hourly_minor, offer.currency),
                },
              )
            : t(
                'The requester expects {median} for one: at that pace {price} comes to {hourly} an hour. After {count} judgements the measured time stands here.',
                {
                  count: MEASURED_FROM,
                  median: duration(offer.median_s),
                  price,
                  hourly: money(offer.hourly_minor, offer.currency),
                },
              )}
        </li>
      )}
      {offer.review_first_s ? (
        <li>
          {t(
            'The requester looks at each submission first, for {time} at most; what is not rejected by then is paid by itself. A rejection says why and shows it, and you have 14 days to appeal to people who belong to neither side.',
            { time: duration(offer.review_first_s) },
          )}
        </li>
      ) : (
        <li>{t('It is yours the moment you submit a page, also when others judge differently.')}</li>
      )}
      <li>{t('Giving a page back never counts against you; what was done on it is paid.')}</li>
      <li>{t('When the time for a page runs out, your work is kept and offered to you again first.')}</li>
    </ul>
  );
}

function OfferCard({ offer, resumes }: { offer: WorkOffer; resumes: boolean }) {
  const t = useT();
  const { money, duration, localised } = useFormat();
  const navigate = useNavigate();
  const [open, setOpen] = useState<'guidelines' | 'pay' | 'why' | null>(null);
  const toggle = (one: 'guidelines' | 'pay' | 'why') => setOpen(open === one ? null : one);
  const words = localised(offer.guidelines);
  return (
    <article className="cup-panel" aria-label={offer.title}>
      <div className="cup-offer">
        <div style={{ minWidth: 0 }}>
          <Title order={2} style={{ overflowWrap: 'anywhere' }}>
            {offer.title}
          </Title>
          {offer.training && <Chip tone="model">{t('Training')}</Chip>}
          {offer.exam && <Chip tone="model">{t('Exam')}</Chip>}
          <StageChip does={offer.does} />
          <Text size="sm" c="dimmed">
            {t(modelOf(offer.kind).title)} ·{' '}
            {t('{count, plural, one {# task} other {# tasks}} open, {page} to a page', {
              count: offer.available,
              page: offer.page_size,
            })}
          </Text>
        </div>
        <Figure label={t('Pays')} value={money(offer.price_minor, offer.currency)} note={t('a judgement')} />
        <Figure
          label={t('Takes')}
          value={offer.median_s === null ? '–' : duration(offer.median_s)}
          note={
            offer.p75_s === null
              ? t('not yet measured')
              : t('median; 3 of 4 within {p75}', { p75: duration(offer.p75_s) })
          }
        />
        <Figure
          label={t('That is')}
          value={offer.hourly_minor === null ? '–' : money(offer.hourly_minor, offer.currency)}
          note={t('an hour, at the median')}
        />
        <Figure
          label={t('Paid')}
          value={
            <span style={{ fontSize: 14, lineHeight: '25px', display: 'block' }}>
              {offer.review_first_s ? t('after a look') : t('on submit')}
            </span>
          }
          note={
            offer.review_first_s
              ? t('within {time}, or by itself', { time: duration(offer.review_first_s) })
              : t('cannot be taken back')
          }
        />
        <Button
          onClick={() =>
            void navigate({
              to: '/work/$project',
              params: { project: offer.project },
              search: offer.stage ? { stage: offer.stage } : {},
            })
          }
          disabled={offer.available === 0 && !resumes}
        >
          {resumes ? t('Continue') : t('Start')}
        </Button>
      </div>
      {offer.training && (
        <div style={{ marginTop: 12 }}>
          <TrainingBar progress={offer.training} />
        </div>
      )}
      <Group gap={8} mt={8} ml={-8}>
        {words && (
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={() => toggle('guidelines')}
            aria-expanded={open === 'guidelines'}
          >
            {open === 'guidelines' ? t('Hide the guidelines') : t('Read the guidelines first')}
          </Button>
        )}
        <Button variant="subtle" size="compact-xs" onClick={() => toggle('pay')} aria-expanded={open === 'pay'}>
          {open === 'pay' ? t('Hide how the pay comes about') : t('How the pay comes about')}
        </Button>
        {offer.because && (
          <Button variant="subtle" size="compact-xs" onClick={() => toggle('why')} aria-expanded={open === 'why'}>
            {open === 'why' ? t('Hide why this is yours') : t('Why this is yours')}
          </Button>
        )}
      </Group>
      {open === 'guidelines' && <Markdown source={words} />}
      {open === 'pay' && <PayInWords offer={offer} />}
      {open === 'why' && offer.because && (
        <ul className="cup-why" style={{ paddingLeft: 0 }}>
          <Why of={offer.because} />
        </ul>
      )}
    </article>
  );
}

export function WorkOffers() {
  const t = useT();
  const offers = useQuery({ queryKey: ['offers'], queryFn: work.offers, refetchInterval: 30_000 });
  const mine = useQuery({ queryKey: ['assignments'], queryFn: work.assignments });
  const open = new Set(
    rows(mine.data)
      .filter((one) => one.state === 'claimed')
      .map((one) => `${one.project} ${one.stage}`),
  );
  return (
    <Page
      title={t('Offers')}
      lead={t(
        'What each project pays and how long it takes, before you begin. Time is what others needed, not a promise.',
      )}
    >
      <ProblemNote error={mine.error && !offers.error ? mine.error : null} onRetry={() => void mine.refetch()} />
      <Asked query={offers}>
        {(answer) =>
          rows(answer).length === 0 ? (
            <Empty icon="clock" title={t('No offers for you right now')}>
              {t('New work shows up here by itself. You can leave this page open.')}
            </Empty>
          ) : (
            <Stack gap={12}>
              {rows(answer).map((offer) => (
                <OfferCard
                  key={`${offer.project} ${offer.stage}`}
                  offer={offer}
                  resumes={open.has(`${offer.project} ${offer.stage}`)}
                />
              ))}
            </Stack>
          )
        }
      </Asked>
      <Openings />
      <SentBack />
    </Page>
  );
}
