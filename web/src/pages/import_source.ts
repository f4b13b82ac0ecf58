/** What an import is told to read, checked as far as the form can: a wrong line is named before it travels. */

import { msg } from '../i18n';

export const SOURCES = ['file', 'annotations', 'manifest', 'urls', 'folder', 's3'] as const;
export type SourceKind = (typeof SOURCES)[number];

export interface S3Draft {
  url: string;
  region: string;
  access_key_id: string;
  secret_access_key: string;
  endpoint: string;
}
export const NO_S3: S3Draft = { url: '', region: '', access_key_id: '', secret_access_key: '', endpoint: '' };

/** What is wrong, as an English message, with the line where there is one. */
export interface Wrong {
  readonly message: string;
  readonly line: number | null;
}

export const MOST_URLS = 100_000;

const NOT_AN_ADDRESS = msg('That is no address that begins with http:// or https://.');
const TOO_MANY_ADDRESSES = msg('That is more than 100,000 addresses: send them as a manifest.');
const NO_JSON = msg('That is no JSON.');
const NO_OBJECT = msg('A line is one JSON object.');
const NO_REF = msg('The line has no “ref”, the name by which you know the item.');
const NO_CONTENT = msg('The line must have exactly one of “url”, “path” and “text”.');
const EMPTY_MANIFEST = msg('There is no line yet.');
const NOT_ABSOLUTE = msg('Give the whole path, from the root: it begins with a slash.');
const NO_BUCKET = msg('Write the bucket as s3://bucket/prefix.');
const HALF_A_KEY = msg('Give both the key and its secret, or neither.');

export function readUrls(text: string): { urls: string[]; wrong: Wrong | null } {
  const urls: string[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    const url = line.trim();
    if (!url) continue;
    if (!isWebAddress(url)) return { urls, wrong: { message: NOT_AN_ADDRESS, line: at + 1 } };
    urls.push(url);
  }
  return urls.length > MOST_URLS
    ? { urls, wrong: { message: TOO_MANY_ADDRESSES, line: MOST_URLS + 1 } }
    : { urls, wrong: null };
}

function isWebAddress(text: string): boolean {
  if (!/^https?:\/\/\S+$/.test(text)) return false;
  try {
    return new URL(text).hostname !== '';
  } catch {
    return false;
  }
}

/** Lines of JSON, each an object with a reference and one of url, path or text. */
export function checkManifest(text: string): Wrong | null {
  let any = false;
  for (const [at, line] of text.split('\n').entries()) {
    if (!line.trim()) continue;
    any = true;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      return { message: NO_JSON, line: at + 1 };
    }
    if (row === null || typeof row !== 'object' || Array.isArray(row)) return { message: NO_OBJECT, line: at + 1 };
    const { ref, url, path, text: words } = row as Record<string, unknown>;
    if (typeof ref !== 'string' || ref === '') return { message: NO_REF, line: at + 1 };
    if ([url, path, words].filter((one) => typeof one === 'string').length !== 1) {
      return { message: NO_CONTENT, line: at + 1 };
    }
  }
  return any ? null : { message: EMPTY_MANIFEST, line: null };
}

export function checkFolder(path: string): Wrong | null {
  return path.startsWith('/') ? null : { message: NOT_ABSOLUTE, line: null };
}

export function checkS3(draft: S3Draft): Wrong | null {
  if (!/^s3:\/\/[^/\s]+(\/\S*)?$/.test(draft.url.trim())) return { message: NO_BUCKET, line: null };
  if ((draft.access_key_id.trim() === '') !== (draft.secret_access_key.trim() === '')) {
    return { message: HALF_A_KEY, line: null };
  }
  return draft.endpoint.trim() === '' || isWebAddress(draft.endpoint.trim())
    ? null
    : { message: NOT_AN_ADDRESS, line: null };
}

/** The source as the server takes it; what was left empty is left out. */
export function s3Source(draft: S3Draft): Record<string, string> {
  const given = Object.entries(draft)
    .map(([name, value]) => [name, value.trim()] as const)
    .filter(([, value]) => value !== '');
  return { type: 's3', ...Object.fromEntries(given) };
}
