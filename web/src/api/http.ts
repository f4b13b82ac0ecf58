/**
 * One way to the server: cookies, the CSRF header, the tenant header, idempotency keys and problem+json are handled
 * here and nowhere else.
 */

/** An answer that says what happened, where, and what to do (RFC 9457), or a request that never got an answer. */
export class Problem extends Error {
  /** 0 when no answer came (offline, server gone). */
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly remedy: string;
  readonly place: string | null;
  readonly body: Record<string, unknown>;

  constructor(status: number, body: Record<string, unknown>) {
    const text = (key: string) => (typeof body[key] === 'string' ? (body[key] as string) : '');
    super(text('detail') || text('title') || `HTTP ${status}`);
    this.name = 'Problem';
    this.status = status;
    this.code = text('code');
    this.detail = text('detail') || text('title');
    this.remedy = text('remedy');
    this.place = text('place') || null;
    this.body = body;
  }

  /** True when the same request may succeed later without a change: no answer, server trouble, or too many requests. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

interface Identity {
  csrf: string | null;
  tenant: string | null;
}
const identity: Identity = { csrf: null, tenant: null };

/** Called by the session store after sign-in and when the person changes tenant. */
export function setIdentity(next: Partial<Identity>): void {
  Object.assign(identity, next);
}
export function currentTenant(): string | null {
  return identity.tenant;
}

/** A key that makes a repeated POST the same POST. */
export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Record<string, string | number | boolean | null | undefined>;
export interface CallOptions {
  query?: Query;
  body?: unknown;
  /** Sent as it is (uploads); excludes `body`. */
  raw?: Blob;
  idempotencyKey?: string;
  signal?: AbortSignal;
}

export function withQuery(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

function headersFor(method: Method, options: CallOptions): Headers {
  const headers = new Headers({ Accept: 'application/json' });
  if (identity.tenant) headers.set('Cupola-Tenant', identity.tenant);
  if (method !== 'GET') {
    if (identity.csrf) headers.set('X-CSRF-Token', identity.csrf);
    if (method === 'POST') headers.set('Idempotency-Key', options.idempotencyKey ?? newIdempotencyKey());
  }
  if (options.raw) headers.set('Content-Type', options.raw.type || 'application/octet-stream');
  else if (options.body !== undefined) headers.set('Content-Type', 'application/json');
  return headers;
}

async function problemFrom(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => '');
  try {
    const body: unknown = JSON.parse(text);
    if (body && typeof body === 'object') return new Problem(response.status, body as Record<string, unknown>);
  } catch {
    // Not JSON: a proxy's page or an empty body. The status is all there is to say.
  }
  return new Problem(response.status, { title: response.statusText || `HTTP ${response.status}` });
}

/**
 * One request. Resolves with the decoded JSON, or null for 204.
 * @throws Problem for every answer that is not 2xx and for no answer at all (status 0).
 */
export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  let response: Response;
  try {
    const init: RequestInit = { method, headers: headersFor(method, options), credentials: 'same-origin' };
    if (options.raw) init.body = options.raw;
    else if (options.body !== undefined) init.body = JSON.stringify(options.body);
    if (options.signal) init.signal = options.signal;
    response = await fetch(withQuery(path, options.query), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, { code: 'no-answer', detail: 'The server did not answer.' });
  }
  if (!response.ok) throw await problemFrom(response);
  if (response.status === 204) return null as T;
  return (await response.json()) as T;
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  call<T>('GET', path, { ...(query ? { query } : {}), ...(signal ? { signal } : {}) });
export const post = <T>(path: string, body?: unknown, idempotencyKey?: string) =>
  call<T>('POST', path, { body: body ?? {}, ...(idempotencyKey ? { idempotencyKey } : {}) });
export const put = <T>(path: string, body: unknown) => call<T>('PUT', path, { body });
export const patch = <T>(path: string, body: unknown) => call<T>('PATCH', path, { body });
export const del = <T>(path: string) => call<T>('DELETE', path);

/** Uploads a file with its progress (0..1); fetch cannot tell how much of a body has left, XMLHttpRequest can. */
export function upload<T>(path: string, file: File, onProgress: (fraction: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', withQuery(path, { name: file.name }));
    headersFor('PUT', { raw: file }).forEach((value, key) => {
      request.setRequestHeader(key, value);
    });
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => reject(new Problem(0, { code: 'no-answer', detail: 'The server did not answer.' }));
    request.onload = () => {
      const body: unknown = (() => {
        try {
          return JSON.parse(request.responseText);
        } catch {
          return { title: request.statusText };
        }
      })();
      if (request.status >= 200 && request.status < 300) resolve(body as T);
      else reject(new Problem(request.status, (body ?? {}) as Record<string, unknown>));
    };
    request.send(file);
  });
}
