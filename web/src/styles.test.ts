import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** Classes that a sheet gives a look of their own (`.cup-x {`) in more than one place. */
function twice(sheet: string): string[] {
  const named = [...sheet.matchAll(/^\.(cup-[a-z0-9-]+) \{/gm)].map(([, name]) => name as string);
  return named.filter((name, at) => named.indexOf(name) !== at);
}

test('no two things of the page share a class by chance', () => {
  expect(twice(readFileSync(fileURLToPath(new URL('./styles.css', import.meta.url)), 'utf8'))).toEqual([]);
});

test('a class that is given a look twice is found', () => {
  expect(twice('.cup-a {\n}\n.cup-a b {\n}\n.cup-b {\n}\n.cup-a {\n}\n')).toEqual(['cup-a']);
});
