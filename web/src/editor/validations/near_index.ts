/**
 * Which objects are near a place, kept while objects come and go: a packed tree of those that were there when it was
 * built, a short list of those that came since. It is built anew when that list has grown with the label, so that a
 * change costs a small and steady share.
 */
import Flatbush from 'flatbush';
import type { LabelObject } from '../../api/types';
import type { Bounds } from '../shapes/shape';

const LEAST_LATE = 32;
/** So many of the objects may have come since the tree was built. */
const MOST_LATE = 1 / 8;

const meets = (a: Bounds, b: Bounds): boolean =>
  a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom;

export class NearIndex {
  readonly #boundsOf: (object: LabelObject) => Bounds;
  readonly #bounds = new Map<LabelObject, Bounds>();
  #tree: Flatbush | null = null;
  #planted: readonly LabelObject[] = [];
  #late = new Set<LabelObject>();

  constructor(boundsOf: (object: LabelObject) => Bounds) {
    this.#boundsOf = boundsOf;
  }

  change(gone: Iterable<LabelObject>, come: Iterable<LabelObject>): void {
    for (const object of gone) {
      this.#bounds.delete(object);
      this.#late.delete(object);
    }
    for (const object of come) {
      this.#bounds.set(object, this.#boundsOf(object));
      this.#late.add(object);
    }
    const dead = this.#planted.length + this.#late.size - this.#bounds.size;
    if (this.#late.size + dead > LEAST_LATE + this.#bounds.size * MOST_LATE) this.#plant();
  }

  boundsOf(object: LabelObject): Bounds | undefined {
    return this.#bounds.get(object);
  }

  /** Every present object whose bounds meet the area. */
  around(area: Bounds): LabelObject[] {
    const found: LabelObject[] = [];
    this.#tree?.search(area.left, area.top, area.right, area.bottom, (at) => {
      const object = this.#planted[at];
      // One that left and came back is late, and told from there.
      if (object && this.#bounds.has(object) && !this.#late.has(object)) found.push(object);
      return false;
    });
    for (const object of this.#late) {
      const bounds = this.#bounds.get(object);
      if (bounds && meets(bounds, area)) found.push(object);
    }
    return found;
  }

  #plant(): void {
    this.#late = new Set();
    this.#planted = [...this.#bounds.keys()];
    this.#tree = null;
    if (this.#planted.length === 0) return;
    const tree = new Flatbush(this.#planted.length);
    for (const { left, top, right, bottom } of this.#bounds.values()) tree.add(left, top, right, bottom);
    tree.finish();
    this.#tree = tree;
  }
}
