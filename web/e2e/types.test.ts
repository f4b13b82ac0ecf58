/** The types in the repository are what this server says of itself. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import { describe, expect, it } from 'vitest';
import { logins } from './browser';

describe.skipIf(!logins)('the types of the API', () => {
  it('are made from the document of the server as it is', async () => {
    const { url } = logins as NonNullable<typeof logins>;
    const document = await (await fetch(`${url}/openapi.json`)).text();
    // As `npm run types` makes them.
    const made = astToString(await openapiTS(document, { alphabetize: true, defaultNonNullable: false }));
    const kept = readFileSync(fileURLToPath(new URL('../src/api/schema.d.ts', import.meta.url)), 'utf8');
    const withoutHead = kept.slice(kept.indexOf('export interface paths'));
    expect(withoutHead.trim() === made.trim(), 'run `npm run types` against this server').toBe(true);
  });
});
