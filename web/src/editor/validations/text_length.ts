import { setText } from '../actions/set_text';
import { issue, type Validation } from './issue';

/** The text has between min_chars and max_chars characters (code points), blanks at its ends not counted. */
export const textLength: Validation = ({ label }, { ontology }) => {
  if (label.kind !== 'text') return [];
  const characters = [...label.text.trim()];
  const least = Math.max(ontology.text?.min_chars ?? 1, 1);
  const most = ontology.text?.max_chars ?? null;
  if (characters.length === 0) return [issue('text-length', 'Write something first.', { key: 'short' })];
  if (characters.length < least) {
    return [issue('text-length', 'At least {least} characters, please.', { key: 'short', values: { least } })];
  }
  if (most === null || characters.length <= most) return [];
  return [
    issue('text-length', 'At most {most} characters: {over} too many.', {
      key: 'long',
      values: { most, over: characters.length - most },
      fix: { title: 'Cut the end', action: setText(characters.slice(0, most).join('')) },
    }),
  ];
};
