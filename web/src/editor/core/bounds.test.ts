import { describe, expect, it } from 'vitest';
import { answerHint, countHint } from './bounds';

describe('what is bounded', () => {
  it('is said of the classes that may be chosen', () => {
    const several = { kind: 'choice' as const, classes: [{ name: 'a' }, { name: 'b' }], multiple: true };
    expect(countHint(several)).toBeNull();
    expect(countHint({ ...several, at_least: 0 })).toBeNull();
    expect(countHint({ ...several, at_least: 1 })).toEqual({
      message: 'Choose at least {least}.',
      values: { least: 1, most: 0 },
    });
    expect(countHint({ ...several, at_most: 2 })?.message).toBe('Choose at most {most}.');
    expect(countHint({ ...several, at_least: 1, at_most: 2 })?.message).toBe('Choose {least} to {most}.');
    expect(countHint({ ...several, at_least: 2, at_most: 2 })?.message).toBe('Choose {least}.');
  });

  it('is said of an answer by its type', () => {
    const asked = { name: 'q' };
    expect(answerHint({ ...asked, type: 'number', least: 0 })?.message).toBe('A number from {least} on.');
    expect(answerHint({ ...asked, type: 'multi', most: 3 })?.message).toBe('Choose at most {most}.');
    expect(answerHint({ ...asked, type: 'text', max_chars: 5, min_chars: 0 })?.message).toBe(
      'At most {most} characters.',
    );
    expect(answerHint({ ...asked, type: 'text' })).toBeNull();
    expect(answerHint({ ...asked, type: 'bool' })).toBeNull();
  });
});
