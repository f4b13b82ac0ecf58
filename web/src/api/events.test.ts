import { expect, it } from 'vitest';
import { keysTouchedBy } from './events';

it('an event marks what it changes as out of date, and an unknown one nothing', () => {
  expect(keysTouchedBy('task.settled')).toContain('quality');
  expect(keysTouchedBy('import.progress')).toContain('imports');
  expect(keysTouchedBy('release.certified')).toContain('releases');
  expect(keysTouchedBy('weather.changed')).toEqual([]);
});
