import { setText } from '../actions/set_text';
import { MAX_TEXT_CHARS } from '../core/limits';
import { issue } from './issue';
import { ofDocument } from './rule';

/** The text has between min_chars and max_chars characters (code points), blanks at its ends not counted. */
export const textLength = ofDocument(({ label }, { ontology }) => {
  if (label.kind !== 'text') return [];
  const characters = [...label.text.trim()];
  const least = ontology.text?.min_chars ?? 0;
  const most = ontology.text?.max_chars ?? MAX_TEXT_CHARS;
  if (characters.length === 0 && least > 0) return [issue('text-length', 'Write something first.', { key: 'short' })];
  if (characters.length < least) {
    return [issue('text-length', 'At least {least} characters, please.', { key: 'short', values: { least } })];
  }
  // What is at the ends is not counted as long as the whole can be taken.
  const over = Math.max(characters.length - most, [...label.text].length - MAX_TEXT_CHARS);
  if (over <= 0) return [];
  return [
    issue('text-length', 'At most {most} characters: {over} too many.', {
      key: 'long',
      values: { most, over },
      fix: { title: 'Cut the end', action: setText(characters.slice(0, most).join('')) },
    }),
  ];
});
