import { setText } from '../actions/set_text';
import { isStorable, storable } from '../core/limits';
import { issue } from './issue';
import { ofDocument } from './rule';

/** A pasted text can hold a character that nothing can keep. */
export const textStorable = ofDocument(({ label }) =>
  label.kind !== 'text' || isStorable(label.text)
    ? []
    : [
        issue('text-storable', 'The text holds a character that cannot be kept.', {
          fix: { title: 'Remove it', action: setText(storable(label.text)) },
        }),
      ],
);
