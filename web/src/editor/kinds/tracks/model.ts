import type { Label } from '../../../api/types';
import { msg } from '../../../i18n/msg';
import { trackRules } from '../../validations/track_rules';
import type { KindModel } from '../model';

export const tracksModel: KindModel<'tracks'> = {
  kind: 'tracks',
  title: msg('Follow things through a video'),
  empty: () => ({ kind: 'tracks', tracks: [] }),
  isEmpty: ({ tracks, events = [] }) => tracks.length === 0 && events.length === 0,
  words: ({ tracks, events = [] }) => ({
    message: msg('{count, plural, one {# track} other {# tracks}}'),
    count: tracks.length + events.length,
  }),
  name: () => null,
  classes: ({ tracks, events = [] }) => [...tracks, ...events].map(({ cls }) => cls),
  isDrawn: true,
  isWide: true,
  takesEnter: false,
  takesAltArrows: true,
  rules: [trackRules],
  read: (cell) => {
    try {
      const label = JSON.parse(cell) as Label;
      if (label.kind === 'tracks' && Array.isArray(label.tracks)) return label;
    } catch {
      // Said below, with the line.
    }
    return { fault: msg('Tracks are written as the JSON of a label, in quotes.') };
  },
};
