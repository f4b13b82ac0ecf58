import { msg } from '../../i18n/msg';
import { classNamed } from '../core/ontology';
import { faceOf } from '../shapes';
import { issue } from './issue';
import { ofObject } from './rule';

/** An outline or a line has as many points as its class asks for. */
export const pointsOfClass = ofObject(({ id, cls, shape }, { ontology }) => {
  const spec = classNamed(ontology, cls);
  const count = faceOf(shape).count?.(shape);
  if (!spec || count === undefined) return [];
  const { min_points: least = 0, max_points: most = null } = spec;
  if (count >= least && (most === null || count <= most)) return [];
  const message =
    count < least
      ? msg('“{cls}” has {least} points or more: set more.')
      : msg('“{cls}” has {most} points at most: drop some.');
  return [issue('points-of-class', message, { object: id, values: { cls, least, most: most ?? 0 } })];
});
