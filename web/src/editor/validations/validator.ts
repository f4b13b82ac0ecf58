/**
 * What the rules find of one label while it is edited. A change is taken as the difference of two labels: objects that
 * are in both are not looked at again, one that is new is asked by itself and with those near it. The looking is done
 * in pieces, whenever somebody has time for it; documents share what they have in common, so the same object is the same value.
 */
import type { Kind, Label, LabelObject } from '../../api/types';
import { type Document, objectsOf, type Setting } from '../core/document';
import { modelOf } from '../kinds/models';
import type { Issue } from './issue';
import { NearIndex } from './near_index';
import type { DocumentRule, KeyRule, ObjectRule, PairRule, Rule } from './rule';

interface Pairs {
  readonly rule: PairRule;
  readonly near: NearIndex;
  /** Each object's partners; both ways. */
  readonly with: Map<LabelObject, Set<LabelObject>>;
}
interface Keys {
  readonly rule: KeyRule;
  readonly count: Map<string, number>;
  /** How many objects more there are than keys. */
  over: number;
}

/** The objects of one list that the other does not have. Lists mostly begin and end alike. */
function difference(before: readonly LabelObject[], after: readonly LabelObject[]) {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const had = before.slice(head, before.length - tail);
  const has = after.slice(head, after.length - tail);
  const old = new Set(had);
  const present = new Set(has);
  return { gone: had.filter((object) => !present.has(object)), come: has.filter((object) => !old.has(object)) };
}

const rulesOfKind = (kind: Kind): readonly Rule[] => modelOf(kind).rules;

export class Validator {
  readonly #rulesOf: (kind: Kind) => readonly Rule[];
  #setting: Setting | null = null;
  #kind: Kind | null = null;
  #document: Document | null = null;
  #objects: readonly LabelObject[] = [];
  #ofDocument: readonly DocumentRule[] = [];
  #ofObject: readonly ObjectRule[] = [];
  #pairs: readonly Pairs[] = [];
  #keys: readonly Keys[] = [];
  /** Not yet looked at. */
  #waiting = new Set<LabelObject>();
  #wholeWaits = false;
  #whole: readonly Issue[] = [];
  #found = new Map<LabelObject, readonly Issue[]>();

  constructor(rulesOf: (kind: Kind) => readonly Rule[] = rulesOfKind) {
    this.#rulesOf = rulesOf;
  }

  /** Takes what changed since the last call; nothing is asked of it yet. */
  take(document: Document, setting: Setting): void {
    const { label } = document;
    if (setting !== this.#setting || label.kind !== this.#kind) this.#reset(label.kind, setting);
    if (label === this.#document?.label) return;
    this.#document = document;
    this.#wholeWaits = this.#ofDocument.length > 0;
    const objects = objectsOf(document);
    const { gone, come } = difference(this.#objects, objects);
    this.#objects = objects;
    for (const object of gone) this.#forget(object);
    for (const object of come) this.#waiting.add(object);
    for (const { near } of this.#pairs) near.change(gone, come);
    for (const keys of this.#keys) for (const object of come) this.#count(keys, object, 1);
  }

  /** Whether everything that was taken has been looked at, and it is this label. */
  hasLookedAt(label: Label, setting: Setting): boolean {
    const isTaken = label === this.#document?.label && setting === this.#setting;
    return isTaken && this.#waiting.size === 0 && !this.#wholeWaits;
  }

  /** Looks at what waits, one after the other, for as long as there is time; at one at least. */
  look(hasTime: () => boolean): void {
    if (this.#wholeWaits && this.#document && this.#setting) {
      const [document, setting] = [this.#document, this.#setting];
      this.#whole = this.#ofDocument.flatMap((rule) => rule.find(document, setting));
      this.#wholeWaits = false;
      if (!hasTime()) return;
    }
    for (const object of this.#waiting) {
      this.#lookAt(object);
      if (!hasTime()) return;
    }
  }

  /** What was found so far, errors first; of the whole label once all has been looked at. */
  issues(): Issue[] {
    const found: Issue[] = [...this.#whole];
    for (const { rule, over } of this.#keys) if (over > 0) found.push(rule.issue);
    if (this.#found.size > 0) for (const object of this.#objects) found.push(...(this.#found.get(object) ?? []));
    for (const pairs of this.#pairs) found.push(...this.#laterOf(pairs));
    return found.sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'));
  }

  #reset(kind: Kind, setting: Setting): void {
    this.#kind = kind;
    this.#setting = setting;
    this.#document = null;
    this.#objects = [];
    this.#whole = [];
    this.#waiting = new Set();
    this.#found = new Map();
    const rules = this.#rulesOf(kind);
    this.#ofDocument = rules.filter((rule) => rule.scope === 'document');
    this.#ofObject = rules.filter((rule) => rule.scope === 'object');
    this.#pairs = rules
      .filter((rule) => rule.scope === 'pair')
      .map((rule) => ({ rule, near: new NearIndex(rule.bounds), with: new Map() }));
    this.#keys = rules.filter((rule) => rule.scope === 'key').map((rule) => ({ rule, count: new Map(), over: 0 }));
  }

  #lookAt(object: LabelObject): void {
    this.#waiting.delete(object);
    const setting = this.#setting;
    if (!setting) return;
    const issues = this.#ofObject.flatMap((rule) => rule.find(object, setting));
    if (issues.length > 0) this.#found.set(object, issues);
    for (const pairs of this.#pairs) {
      for (const other of this.#neighbours(pairs, object)) {
        if (!pairs.rule.breaks(object, other, setting)) continue;
        for (const [one, partner] of [
          [object, other],
          [other, object],
        ] as const) {
          pairs.with.set(one, (pairs.with.get(one) ?? new Set()).add(partner));
        }
      }
    }
  }

  /** Those near it that have been looked at: each of the others will find it in its own turn. */
  #neighbours({ rule, near }: Pairs, object: LabelObject): LabelObject[] {
    const bounds = near.boundsOf(object);
    if (!bounds) return [];
    const reach = rule.reach_px(object);
    const area = {
      left: bounds.left - reach,
      top: bounds.top - reach,
      right: bounds.right + reach,
      bottom: bounds.bottom + reach,
    };
    return near.around(area).filter((other) => other !== object && !this.#waiting.has(other));
  }

  #forget(object: LabelObject): void {
    this.#waiting.delete(object);
    this.#found.delete(object);
    for (const pairs of this.#pairs) {
      for (const partner of pairs.with.get(object) ?? []) {
        const rest = pairs.with.get(partner);
        rest?.delete(object);
        if (rest?.size === 0) pairs.with.delete(partner);
      }
      pairs.with.delete(object);
    }
    for (const keys of this.#keys) this.#count(keys, object, -1);
  }

  #count(keys: Keys, object: LabelObject, by: 1 | -1): void {
    const key = keys.rule.key(object);
    const before = keys.count.get(key) ?? 0;
    const after = before + by;
    if (after > 0) keys.count.set(key, after);
    else keys.count.delete(key);
    keys.over += Math.max(0, after - 1) - Math.max(0, before - 1);
  }

  /** Of each two the one that stands later in the list. */
  #laterOf({ rule, with: partners }: Pairs): Issue[] {
    if (partners.size === 0) return [];
    const place = new Map(this.#objects.map((object, at) => [object, at]));
    return this.#objects
      .filter((object, at) => [...(partners.get(object) ?? [])].some((other) => (place.get(other) ?? at) < at))
      .map(rule.issue);
  }
}
