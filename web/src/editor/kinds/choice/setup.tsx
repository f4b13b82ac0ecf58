import { Checkbox } from '@mantine/core';
import { msg, useT } from '../../../i18n';
import { Classes, classSpecs, namesOf } from '../../setup/classes';
import type { FormProps, KindSetup } from '../../setup/setup';

interface Own {
  multiple: boolean;
  compare: boolean;
}

function Form({ named, own, rename, change }: FormProps<Own>) {
  const t = useT();
  return (
    <>
      <Checkbox
        label={t('Each item shows two candidates to compare')}
        description={t('They are the parts of the item, in order. Keys: 1, 2, and 0 for neither.')}
        checked={own.compare}
        onChange={(event) => change({ compare: event.currentTarget.checked, multiple: false })}
      />
      {!own.compare && (
        <Checkbox
          label={t('Several labels may apply to one item')}
          checked={own.multiple}
          onChange={(event) => change({ multiple: event.currentTarget.checked })}
        />
      )}
      <Classes
        label={
          own.compare
            ? t('One a line: the first is better, the second is, and perhaps neither')
            : t('Labels, one a line')
        }
        named={named}
        rename={rename}
      />
    </>
  );
}

export const choiceSetup: KindSetup<Own> = {
  blank: { multiple: false, compare: false },
  ontology: (named, { multiple, compare }) => ({
    kind: 'choice',
    ...(compare ? { compare } : { multiple }),
    classes: classSpecs(named),
  }),
  from: ({ multiple, compare }) => ({ multiple: multiple ?? false, compare: compare ?? false }),
  incomplete: (named, { compare }) => {
    const count = namesOf(named).length;
    if (count < 2) return msg('Give at least two labels, one a line.');
    return compare && count > 3 ? msg('A comparison has two labels, or three with a tie.') : null;
  },
  Form,
};
