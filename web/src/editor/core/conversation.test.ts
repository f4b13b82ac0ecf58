import { describe, expect, it } from 'vitest';
import type { ItemView } from '../../api/types';
import { conversationOf, drawn, pointsBefore, rewrittenOf, unitsBefore, wordsOfTarget } from './conversation';

const part = (ordinal: number, role: string, meta: unknown, text: string) =>
  ({
    ordinal,
    role,
    sensor: '',
    timestamp_ns: null,
    media_type: 'text/plain',
    url: null,
    text,
    bytes: 1,
    meta,
  }) as unknown;
const ITEM = {
  parts: [
    part(0, 'user', { message: 'm1' }, 'Hi'),
    part(1, 'assistant', { message: 'm2', parent: 'm1', kind: 'step' }, 'one'),
    part(2, 'assistant', { message: 'm2', parent: 'm1', kind: 'step' }, 'two'),
    part(3, 'assistant', { message: 'm3', parent: 'm1' }, 'other'),
    part(4, 'candidate', { message: 'c1', parent: 'm3' }, 'A'),
    part(5, 'candidate', { message: 'c2', parent: 'm3' }, 'B'),
    part(6, 'reference', { message: 'r1' }, 'see'),
  ],
} as unknown as ItemView;

describe('a conversation in the parts of an item', () => {
  it('has messages in order, a second answer to the same one set aside', () => {
    const told = conversationOf(ITEM);
    expect(told?.messages.map(({ name, depth }) => [name, depth])).toEqual([
      ['m1', 0],
      ['m2', 0],
      ['m3', 1],
    ]);
    expect(told?.candidates.map(({ name }) => name)).toEqual(['c1', 'c2']);
    expect(told?.references).toHaveLength(1);
    expect(conversationOf({ parts: [part(0, 'front', {}, 'x')] } as unknown as ItemView)).toBeNull();
  });

  it('knows the words of what is asked of', () => {
    expect(['m1', 't2', 's2', 'c2'].map((target) => wordsOfTarget(ITEM, target))).toEqual(['Hi', 'other', 'two', 'B']);
  });

  it('begins a text that rewrites as what it rewrites: its target, the last reply, or the text', () => {
    expect([rewrittenOf(ITEM), rewrittenOf(ITEM, 'c1'), rewrittenOf({ text: 'Tea.' })]).toEqual(['other', 'A', 'Tea.']);
  });

  it('draws an order of all, and now and then another', () => {
    const list = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
    const orders = new Set(Array.from({ length: 40 }, () => drawn(list).join()));
    expect(orders.size).toBeGreaterThan(1);
    expect([...drawn(list)].sort()).toEqual(list);
  });

  it('counts code points and finds the way back', () => {
    const text = 'a\u{1F469}\u200D\u{1F467}é漢';
    for (let points = 0; points <= [...text].length; points += 1) {
      expect(pointsBefore(text, unitsBefore(text, points))).toBe(points);
    }
    expect(pointsBefore(text, 3)).toBe(2);
  });
});
