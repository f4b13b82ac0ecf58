/** The table of shapes: one file and one line each. */
import type { Ontology, Shape } from '../../api/types';
import { drawnClasses } from '../core/ontology';
import { box } from './box';
import { ellipse } from './ellipse';
import type { ShapeGesture } from './gestures';
import { mask } from './mask';
import { point } from './point';
import { polygon } from './polygon';
import { polyline } from './polyline';
import type { ShapeFace, Way } from './shape';
import { skeleton } from './skeleton';

type Table = { readonly [Type in Shape['type']]: ShapeFace<Extract<Shape, { type: Type }>> };

/** A shape that the server knows and this table does not is an error of its type. */
export const SHAPES: Table = { box, point, polygon, polyline, ellipse, skeleton, mask };

export const SHAPE_TYPES = Object.keys(SHAPES) as Shape['type'][];

export function isShape(name: string | null | undefined): name is Shape['type'] {
  return name !== null && name !== undefined && name in SHAPES;
}

/** The shapes that at least one class of the ontology may carry, in the table's order. */
export function shapesFor(ontology: Ontology): Shape['type'][] {
  return SHAPE_TYPES.filter((type) =>
    drawnClasses(ontology).some(({ geometry, skeleton: places }) => {
      if (geometry) return geometry === type;
      // Where a class leaves it open, only one that names its places can be a skeleton.
      return type !== 'skeleton' || Boolean(places);
    }),
  );
}

export function faceOfType(type: Shape['type']): ShapeFace {
  return SHAPES[type] as unknown as ShapeFace;
}

/** The row of the table that a shape belongs to. */
export function faceOf(shape: Shape): ShapeFace {
  return faceOfType(shape.type);
}

/** Another way to draw a shape; null for the plain one. */
export function wayOf(type: Shape['type'], id: string | null | undefined): Way | null {
  return faceOfType(type).ways?.find((way) => way.id === id) ?? null;
}

export function gestureOf(type: Shape['type'], way: string | null | undefined): ShapeGesture {
  return wayOf(type, way)?.gesture ?? faceOfType(type).gesture;
}
