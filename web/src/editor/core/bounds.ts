/** What an ontology bounds, in words for the person who answers: English messages, translated where shown. */
import type { AttributeSpec, Ontology } from '../../api/types';
import { msg } from '../../i18n/msg';

export interface Hint {
  readonly message: string;
  readonly values: Readonly<Record<string, number>>;
}

interface Messages {
  readonly exactly: string;
  readonly both: string;
  readonly least: string;
  readonly most: string;
}

const CHOSEN: Messages = {
  exactly: msg('Choose {least}.'),
  both: msg('Choose {least} to {most}.'),
  least: msg('Choose at least {least}.'),
  most: msg('Choose at most {most}.'),
};
const COUNTED: Messages = {
  exactly: msg('{least}, no other number.'),
  both: msg('A number from {least} to {most}.'),
  least: msg('A number from {least} on.'),
  most: msg('A number up to {most}.'),
};
const WRITTEN: Messages = {
  exactly: msg('{least} characters.'),
  both: msg('{least} to {most} characters.'),
  least: msg('At least {least} characters.'),
  most: msg('At most {most} characters.'),
};

function between(words: Messages, least: number | null | undefined, most: number | null | undefined): Hint | null {
  const values = { least: least ?? 0, most: most ?? 0 };
  if (least !== null && least !== undefined && most !== null && most !== undefined) {
    return { message: least === most ? words.exactly : words.both, values };
  }
  if (least !== null && least !== undefined) return { message: words.least, values };
  if (most !== null && most !== undefined) return { message: words.most, values };
  return null;
}

/** How many classes are to be chosen, where that is bounded. */
export function countHint({ at_least, at_most }: Ontology): Hint | null {
  return between(CHOSEN, at_least || null, at_most);
}

/** What a question wants of its answer beside its type. */
export function answerHint({ type, least, most, min_chars, max_chars }: AttributeSpec): Hint | null {
  switch (type) {
    case 'multi':
      return between(CHOSEN, least, most);
    case 'number':
    case 'scale':
      return between(COUNTED, least, most);
    case 'text':
      return between(WRITTEN, min_chars || null, max_chars);
    default:
      return null;
  }
}
