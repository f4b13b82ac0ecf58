import type { Answer, Label } from '../../../api/types';
import { msg } from '../../../i18n/msg';
import { isAnswered, isEach, isFile, isGroups, isRows, isSpans } from '../../core/attributes';
import { answerKnown } from '../../validations/answer_known';
import { answerRequired } from '../../validations/answer_required';
import { answerRows } from '../../validations/answer_rows';
import { answerValue } from '../../validations/answer_value';
import type { KindModel } from '../model';

const said = (value: Answer): string => {
  if (isFile(value)) return value.name;
  if (isGroups(value)) return value.groups.map((group) => group.join(' = ')).join(' > ');
  if (isSpans(value)) return value.spans.map(({ start, end, label }) => `${label} ${start}–${end}`).join(', ');
  if (isEach(value))
    return Object.entries(value.values)
      .map(([target, one]) => `${target}: ${said(one)}`)
      .join(', ');
  if (isRows(value)) return value.rows.map((row) => Object.values(row).map(said).join(', ')).join(' | ');
  return Array.isArray(value) ? value.join(' + ') : String(value);
};

export const formModel: KindModel<'form'> = {
  kind: 'form',
  title: msg('Fill in a form'),
  empty: () => ({ kind: 'form', answers: {} }),
  isEmpty: ({ answers }) => !Object.values(answers).some(isAnswered),
  words: ({ answers }) => ({
    said: Object.entries(answers)
      .map(([name, value]) => `${name}: ${said(value)}`)
      .join(', '),
  }),
  name: () => null,
  classes: () => [],
  isDrawn: false,
  isWide: true,
  takesEnter: true,
  takesAltArrows: false,
  rules: [answerRequired, answerKnown, answerValue, answerRows],
  read: (cell) => {
    try {
      const label = JSON.parse(cell) as Label;
      if (label.kind === 'form' && typeof label.answers === 'object') return label;
    } catch {
      // Said below, with the line.
    }
    return { fault: msg('A form is written as the JSON of a label, in quotes.') };
  },
};
