import { msg } from '../../../i18n/msg';
import { textLength } from '../../validations/text_length';
import { textPattern } from '../../validations/text_pattern';
import { textStorable } from '../../validations/text_storable';
import type { KindModel } from '../model';

export const textModel: KindModel<'text'> = {
  kind: 'text',
  title: msg('Write text'),
  empty: () => ({ kind: 'text', text: '' }),
  isEmpty: ({ text }) => text.trim() === '',
  words: ({ text }) => ({ said: text }),
  name: () => null,
  classes: () => [],
  isDrawn: false,
  isWide: true,
  takesEnter: true,
  takesAltArrows: false,
  rules: [textLength, textPattern, textStorable],
  read: (cell) => ({ kind: 'text', text: cell }),
};
