/** The stages of a new project: who looks at what was drawn, what becomes of what they reject, and what each pays. */
import { Group, Select } from '@mantine/core';
import { msg, useT } from '../i18n';
import { MoneyInput } from '../ui/money_input';
import type { Draft, Reviewing } from './wizard_state';

export const REVIEWINGS: Record<Reviewing, string> = {
  nobody: msg('Nobody: judgements settle it together'),
  once: msg('One person; what they reject goes to an adjudicator'),
  twice: msg('Two people, one after the other; what either rejects goes to an adjudicator'),
  mended: msg('One person; what they reject is mended, and that is reviewed'),
};

interface Props {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}

export function ReviewsField({ draft, change }: Props) {
  const t = useT();
  return (
    <Select
      label={t('Who reviews each label')}
      description={t(
        'A reviewer leaves what is right, mends what is not, or rejects it with a reason that its maker reads.',
      )}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      data={Object.entries(REVIEWINGS).map(([value, label]) => ({ value, label: t(label) }))}
      value={draft.reviewing}
      allowDeselect={false}
      onChange={(value) => value && change({ reviewing: value as Reviewing })}
    />
  );
}

export function ReviewPrices({ draft, change }: Props) {
  const t = useT();
  if (draft.reviewing === 'nobody') return null;
  const { currency } = draft.offer;
  return (
    <Group grow align="flex-start">
      <MoneyInput
        label={t('Price of a review')}
        description={t('The same for each review.')}
        currency={currency}
        value_minor={draft.review_minor}
        onChange={(review_minor) => change({ review_minor })}
      />
      {draft.reviewing === 'mended' && (
        <MoneyInput
          label={t('Price of mending')}
          description={t('To its maker, or whoever takes it.')}
          currency={currency}
          value_minor={draft.fix_minor}
          onChange={(fix_minor) => change({ fix_minor })}
        />
      )}
    </Group>
  );
}
