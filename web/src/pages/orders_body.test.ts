import { describe, expect, it } from 'vitest';
import { indented } from './orders_body';

describe('the body of a callback', () => {
  it('is shown indented', () => {
    expect(indented('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  });
  it('is shown as it is when it is no JSON', () => {
    expect(indented('not <b>json</b>')).toBe('not <b>json</b>');
  });
});
