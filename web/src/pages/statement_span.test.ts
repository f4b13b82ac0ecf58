import { afterEach, describe, expect, it } from 'vitest';
import { spanOf } from './statement_span';

const HOME = process.env.TZ;

describe('the span of a statement', () => {
  afterEach(() => {
    process.env.TZ = HOME ?? 'UTC';
  });

  it('is whole days where the person is, the last one included, in moments that the server reads', () => {
    process.env.TZ = 'Asia/Shanghai';
    expect(spanOf('2026-03-01', '2026-03-31')).toEqual({
      from: '2026-02-28T16:00:00.000Z',
      to: '2026-03-31T16:00:00.000Z',
    });
  });

  it('leaves an emptied field to the server', () => {
    expect(spanOf('', '')).toEqual({});
  });
});
