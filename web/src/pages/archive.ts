/** Several files as one zip, stored as they are: nothing of them is held but a piece at a time. */
import type { Dropped } from './dropped';

/** What a zip can say without its later extension. */
export const MOST_BYTES = 0xffff_ffff;
export const MOST_FILES = 0xffff;
const HEAD_BYTES = 30;
const ENTRY_BYTES = 46;
const END_BYTES = 22;
/** Names are UTF-8. */
const UTF8 = 0x0800;
const VERSION = 20;
/** 1 January 1980, which says nothing: when files were changed stays with whoever drops them. */
const DAY = 0x21;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** Whether files can go into one zip. */
export function fitsArchive(files: readonly Dropped[]): boolean {
  const bytes = files.reduce((sum, { path, file }) => sum + file.size + HEAD_BYTES + ENTRY_BYTES + 8 * path.length, 0);
  return files.length <= MOST_FILES && bytes < MOST_BYTES;
}

/** The zip of some files, which are read twice: now for their checksums, and when it is sent. */
export async function archive(files: readonly Dropped[], name: string): Promise<File> {
  const parts: BlobPart[] = [];
  const directory: BlobPart[] = [];
  let offset = 0;
  let listed = 0;
  for (const { path, file } of files) {
    const label = new TextEncoder().encode(path);
    const shared = fields([
      [2, VERSION],
      [2, UTF8],
      [2, 0],
      [2, 0],
      [2, DAY],
      [4, await checksum(file)],
      [4, file.size],
      [4, file.size],
      [2, label.length],
      [2, 0],
    ]);
    parts.push(fields([[4, 0x04034b50]]), shared, label, file);
    const tail = fields([
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, offset],
    ]);
    directory.push(
      fields([
        [4, 0x02014b50],
        [2, VERSION],
      ]),
      shared,
      tail,
      label,
    );
    offset += HEAD_BYTES + label.length + file.size;
    listed += ENTRY_BYTES + label.length;
  }
  const end = fields([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, files.length],
    [2, files.length],
    [4, listed],
    [4, offset],
    [2, 0],
  ]);
  return new File([...parts, ...directory, end], name, { type: 'application/zip' });
}

/** Numbers of two or four bytes, the least significant first. */
function fields(values: readonly (readonly [2 | 4, number])[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(END_BYTES * 2));
  let at = 0;
  for (const [bytes, value] of values) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer.slice(0, at));
}

/** CRC-32 of a file. */
async function checksum(file: Blob): Promise<number> {
  let value = 0xffff_ffff;
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value: piece } = await reader.read();
    if (done) return (value ^ 0xffff_ffff) >>> 0;
    for (const byte of piece) value = (TABLE[(value ^ byte) & 0xff] as number) ^ (value >>> 8);
  }
}
