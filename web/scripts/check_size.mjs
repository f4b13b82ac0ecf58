// Fails the build when the first load (the entry, what it imports at once, and its styles) is over its budget.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 250 * 1024;
const root = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', root), 'utf8'));

const files = new Set();
const visit = (key) => {
  const chunk = manifest[key];
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const style of chunk.css ?? []) files.add(style);
  for (const next of chunk.imports ?? []) visit(next);
};
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(key);

let total = 0;
for (const file of files) {
  const bytes = gzipSync(readFileSync(new URL(file, root))).length;
  total += bytes;
  console.log(`${(bytes / 1024).toFixed(1).padStart(7)} kB gz  ${file}`);
}
console.log(`${(total / 1024).toFixed(1).padStart(7)} kB gz  first load (budget ${BUDGET_BYTES / 1024} kB)`);
if (total > BUDGET_BYTES) {
  console.error('The first load is over its budget: split a route or drop a dependency.');
  process.exit(1);
}
