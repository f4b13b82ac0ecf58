import { describe, expect, it } from 'vitest';
import { Problem } from './http';
import { troubleOf } from './trouble';

describe('trouble is told as what it is', () => {
  it.each([
    [new Problem(0, { code: 'no-answer' }), 'absent'],
    [new Problem(0, { code: 'answer-not-understood' }), 'busy'],
    [new Problem(503, {}), 'busy'],
    [new Problem(429, {}), 'busy'],
    [new Problem(401, {}), 'signed-out'],
    [new Problem(401, { code: 'unauthenticated' }), 'signed-out'],
    [new Problem(401, { code: 'sign-in-refused' }), 'refused'],
    [new Problem(400, {}), 'refused'],
    [new TypeError('x is not a function'), 'fault'],
  ])('%s', (error, trouble) => {
    expect(troubleOf(error)).toBe(trouble);
  });
});
