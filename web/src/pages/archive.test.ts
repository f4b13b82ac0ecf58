import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archive, fitsArchive, MOST_FILES } from './archive';

const file = (path: string, words: string) => ({ path, file: new File([words], path.split('/').at(-1) ?? '') });

describe('several files as one zip', () => {
  it('is read by another program, with names of any script and empty files', async () => {
    const files = [file('猫/🙂 1.txt', 'miau'), file('صور/a.txt', 'x'.repeat(200_000)), file('empty', '')];
    const made = await archive(files, 'dropped.zip');
    const folder = mkdtempSync(join(tmpdir(), 'archive-'));
    try {
      const path = join(folder, made.name);
      writeFileSync(path, Buffer.from(await made.arrayBuffer()));
      const read =
        'import json, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1]) as z:\n' +
        '  assert z.testzip() is None\n  print(json.dumps({i.filename: z.read(i).decode() for i in z.infolist()}))';
      const told = JSON.parse(execFileSync('python3', ['-c', read, path], { encoding: 'utf8' }));
      expect(told).toEqual({ '猫/🙂 1.txt': 'miau', 'صور/a.txt': 'x'.repeat(200_000), empty: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is not begun where a zip cannot say how much it holds', () => {
    const one = file('a', 'x');
    expect(fitsArchive([one])).toBe(true);
    expect(fitsArchive(Array(MOST_FILES + 1).fill(one))).toBe(false);
    const large = { path: 'b', file: Object.defineProperty(new File([], 'b'), 'size', { value: 5e9 }) };
    expect(fitsArchive([one, large])).toBe(false);
  });
});
