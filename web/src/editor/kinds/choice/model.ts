import { msg } from '../../../i18n/msg';
import { classesOf } from '../../core/ontology';
import { choiceCount } from '../../validations/choice_count';
import { choiceKnown } from '../../validations/choice_known';
import { choiceOnce } from '../../validations/choice_once';
import { choiceRequired } from '../../validations/choice_required';
import { choiceSingle } from '../../validations/choice_single';
import type { KindModel } from '../model';

/** Between the labels of one cell where several may apply. */
const SEVERAL = /\s*[;|]\s*/;

export const choiceModel: KindModel<'choice'> = {
  kind: 'choice',
  title: msg('Choose a label'),
  empty: () => ({ kind: 'choice', values: [] }),
  isEmpty: ({ values }) => values.length === 0,
  words: ({ values }) => ({ said: values.join(', ') }),
  name: ({ values }) => [...values].sort().join(' + '),
  classes: ({ values }) => values,
  isDrawn: false,
  isWide: false,
  takesEnter: false,
  takesAltArrows: false,
  rules: [choiceRequired, choiceSingle, choiceCount, choiceOnce, choiceKnown],
  read: (cell, ontology) => {
    const values = ontology.multiple ? cell.split(SEVERAL).filter(Boolean) : [cell];
    const known = new Set(classesOf(ontology).map((one) => one.name));
    return values.every((value) => known.has(value))
      ? { kind: 'choice', values }
      : { fault: msg('There is no such label.') };
  },
};
