import { describe, expect, it } from 'vitest';
import { splitPage } from './split_page';

const judgement = (task: string, characters: number, letter = 'x') => ({
  task,
  label: { kind: 'text' as const, text: letter.repeat(characters) },
  seconds: 1,
});
const tasks = (parts: { task: string }[][]) => parts.map((part) => part.map(({ task }) => task));

describe('a page that is submitted', () => {
  it('goes at once where it fits', () => {
    expect(tasks(splitPage([judgement('a', 10), judgement('b', 10)]))).toEqual([['a', 'b']]);
  });
  it('is cut where it would be larger than a request may be, nothing twice and in order', () => {
    const page = ['a', 'b', 'c', 'd', 'e'].map((task) => judgement(task, 400));
    expect(tasks(splitPage(page, 1_000))).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });
  it('sends what is too large for company alone', () => {
    expect(tasks(splitPage([judgement('a', 10), judgement('b', 5_000), judgement('c', 10)], 1_000))).toEqual([
      ['a'],
      ['b'],
      ['c'],
    ]);
  });
  it('counts bytes as they are sent, not characters', () => {
    expect(tasks(splitPage([judgement('a', 200, '猫'), judgement('b', 200, '猫')], 1_000))).toEqual([['a'], ['b']]);
  });
});
