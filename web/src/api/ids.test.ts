import { describe, expect, it } from 'vitest';
import { newId } from './ids';

describe('a new identifier', () => {
  it('is a UUID of version 4, and never the same twice', () => {
    const made = Array.from({ length: 500 }, newId);
    for (const id of made) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(made).size).toBe(made.length);
  });
});
