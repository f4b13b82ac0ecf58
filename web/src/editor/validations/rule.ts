/**
 * What a rule looks at decides when it is asked again: a rule of one object once for that object, a rule of two once for
 * each two that lie near each other, a rule of the whole label at each change of it.
 */
import type { LabelObject } from '../../api/types';
import type { Document, Setting } from '../core/document';
import type { Bounds } from '../shapes/shape';
import type { Issue } from './issue';

/** Of a whole label: for kinds whose labels are small. */
export interface DocumentRule {
  readonly scope: 'document';
  readonly find: (document: Document, setting: Setting) => Issue[];
}
/** Of one object by itself: the same object in the same setting has the same issues. */
export interface ObjectRule {
  readonly scope: 'object';
  readonly find: (object: LabelObject, setting: Setting) => Issue[];
}
/** Of two objects: the later one of the list has the issue, once. */
export interface PairRule {
  readonly scope: 'pair';
  /** Where the object is, and how far from there the other of a pair can be. */
  readonly bounds: (object: LabelObject) => Bounds;
  readonly reach_px: (object: LabelObject) => number;
  /** Whether the two break the rule; the same either way round. */
  readonly breaks: (a: LabelObject, b: LabelObject, setting: Setting) => boolean;
  readonly issue: (later: LabelObject) => Issue;
}
/** Of all objects together: no two have the same key. */
export interface KeyRule {
  readonly scope: 'key';
  readonly key: (object: LabelObject) => string;
  readonly issue: Issue;
}
export type Rule = DocumentRule | ObjectRule | PairRule | KeyRule;

export const ofDocument = (find: DocumentRule['find']): DocumentRule => ({ scope: 'document', find });
export const ofObject = (find: ObjectRule['find']): ObjectRule => ({ scope: 'object', find });
export const ofPairs = (rule: Omit<PairRule, 'scope'>): PairRule => ({ scope: 'pair', ...rule });
export const ofKeys = (rule: Omit<KeyRule, 'scope'>): KeyRule => ({ scope: 'key', ...rule });
