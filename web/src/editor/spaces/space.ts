/**
 * A space is where an item lies and how it is looked at: it owns the viewport, and only it knows what one is. The plane
 * of a picture is the first; time and three dimensions have viewports of their own.
 */
import type { Point, Size } from '../core/geometry';

export interface Space<View, Place, Extent> {
  /** The whole item. */
  readonly fitted: (extent: Extent, screen: Size) => View;
  readonly toItem: (view: View, screen: Point) => Place;
  readonly toScreen: (view: View, place: Place) => Point;
  /** Zooms by `factor`, what is under `at` (screen) staying where it is. */
  readonly zoomed: (view: View, at: Point, factor: number) => View;
  readonly panned: (view: View, dx: number, dy: number) => View;
  /** After two fingers went from `before` to `after`. */
  readonly pinched: (view: View, before: readonly [Point, Point], after: readonly [Point, Point]) => View;
}
