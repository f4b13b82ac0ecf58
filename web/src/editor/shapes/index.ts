/** The table of shapes: one file and one line each. */
import type { Ontology, Shape } from '../../api/types';
import { classesOf } from '../core/ontology';
import { box } from './box';
import { point } from './point';
import { polygon } from './polygon';
import type { ShapeFace } from './shape';

type Table = { readonly [Type in Shape['type']]: ShapeFace<Extract<Shape, { type: Type }>> };

/** A shape that the server knows and this table does not is an error of its type. */
export const SHAPES: Table = { box, point, polygon };

export const SHAPE_TYPES = Object.keys(SHAPES) as Shape['type'][];

export function isShape(name: string | null | undefined): name is Shape['type'] {
  return name !== null && name !== undefined && name in SHAPES;
}

/** The shapes that at least one class of the ontology may carry, in the table's order. */
export function shapesFor(ontology: Ontology): Shape['type'][] {
  return SHAPE_TYPES.filter((type) => classesOf(ontology).some(({ geometry }) => !geometry || geometry === type));
}

export function faceOfType(type: Shape['type']): ShapeFace {
  return SHAPES[type] as unknown as ShapeFace;
}

/** The row of the table that a shape belongs to. */
export function faceOf(shape: Shape): ShapeFace {
  return faceOfType(shape.type);
}
