import { classNamed } from '../core/ontology';
import { faceOfType, isShape } from '../shapes';
import { issue } from './issue';
import { ofObject } from './rule';

/** An object has the shape that its class asks for. */
export const shapeOfClass = ofObject(({ id, cls, shape }, { ontology }) => {
  const wanted = classNamed(ontology, cls)?.geometry;
  if (!isShape(wanted) || wanted === shape.type) return [];
  return [issue('shape-of-class', faceOfType(wanted).words.only, { object: id, values: { cls } })];
});
