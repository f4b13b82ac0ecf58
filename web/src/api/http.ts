/**
 * One way to the server: cookies, the CSRF header, the tenant header, idempotency keys and problem+json are handled
 * here and nowhere else.
 */
import { door } from './door';
import { newId } from './ids';

const NO_ANSWER = 'no-answer';
const NOT_UNDERSTOOD = 'answer-not-understood';
/** 401 too, of an e-mail address and a password that do not belong together: at the door, and where one is changed. */
const WRONG_PASSWORD = 'sign-in-refused';

/** An answer that says what happened, where, and what to do (RFC 9457), or a request that never got an answer. */
export class Problem extends Error {
  /** 0 when no answer came (offline, server gone), or none that could be read. */
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

  /** True when nothing came back: the one case in which "the server does not answer" may be said. */
  get isAbsence(): boolean {
    return this.code === NO_ANSWER;
  }

  /** True when the server does not know who asks (any more): signing in mends it. A wrong password is not that. */
  get isSignedOut(): boolean {
    return this.status === 401 && this.code !== WRONG_PASSWORD;
  }

  /** True when the same request may succeed later without a change: no answer, server trouble, or too many requests. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

interface Identity {
  person: string | null;
  csrf: string | null;
  tenant: string | null;
}
const identity: Identity = { person: null, csrf: null, tenant: null };

/** Called by the session store after sign-in and when the person changes tenant. */
export function setIdentity(next: Partial<Identity>): void {
  Object.assign(identity, next);
}
export function currentTenant(): string | null {
  return identity.tenant;
}

/** A key that makes a repeated POST the same POST. */
export const newIdempotencyKey = newId;

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

/** The routes by which somebody comes in: nobody is signed in there yet. */
const AT_THE_DOOR = /^\/api\/(session$|first-admin|invitations\/)/;

function problemFrom(status: number, statusText: string, text: string): Problem {
  try {
    const body: unknown = JSON.parse(text);
    if (body && typeof body === 'object') return new Problem(status, body as Record<string, unknown>);
  } catch {
    // Not JSON: a proxy's page or an empty body. The status is all there is to say.
  }
  return new Problem(status, { title: statusText || `HTTP ${status}` });
}

function failed(path: string, status: number, statusText: string, text: string): Problem {
  const problem = problemFrom(status, statusText, text);
  if (problem.isSignedOut && !AT_THE_DOOR.test(path)) door.signedOut();
  return problem;
}

function decoded<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Problem(0, { code: NOT_UNDERSTOOD, detail: 'Something other than this server answered.' });
  }
}

const noAnswer = () => new Problem(0, { code: NO_ANSWER, detail: 'The server did not answer.' });

/**
 * The token of another tab's newer sign-in is taken over. False when somebody else signed in there: then whoever works
 * here is signed out.
 */
async function isStillMe(): Promise<boolean> {
  const session = await call<{ person: { id: string }; csrf: string }>('GET', '/api/session').catch(() => null);
  if (session && session.person.id === identity.person) {
    identity.csrf = session.csrf;
    return true;
  }
  door.signedOut();
  return false;
}

/** The second press of a double click comes this soon after the first. */
const DOUBLE_CLICK_MS = 700;
let lastWrite: { readonly said: string; readonly at: number; readonly answer: Promise<unknown> } | null = null;

/**
 * A write that says the same as the last one and comes with its double click is that one: it gets the same answer. Any
 * other write in between, and a refusal, make it a new one; whoever gives a key of their own tells their writes apart.
 */
export function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  if (method === 'GET' || options.raw || options.signal || options.idempotencyKey) return ask<T>(method, path, options);
  const said = JSON.stringify([method, withQuery(path, options.query), identity.tenant, options.body ?? null]);
  const now = performance.now();
  if (lastWrite?.said === said && now - lastWrite.at < DOUBLE_CLICK_MS) return lastWrite.answer as Promise<T>;
  const answer = ask<T>(method, path, options);
  const write = { said, at: now, answer };
  lastWrite = write;
  answer.catch(() => {
    if (lastWrite === write) lastWrite = null;
  });
  return answer;
}

/**
 * One request. Resolves with the decoded JSON, or null for 204.
 * @throws Problem for every answer that is not 2xx or cannot be read, and for no answer at all (status 0). What goes
 * wrong before the request leaves is a fault of this app and comes as the Error that it is.
 */
async function ask<T>(method: Method, path: string, options: CallOptions, isRepeat = false): Promise<T> {
  const init: RequestInit & { headers: Headers } = {
    method,
    headers: headersFor(method, options),
    credentials: 'same-origin',
  };
  if (options.raw) init.body = options.raw;
  else if (options.body !== undefined) init.body = JSON.stringify(options.body);
  if (options.signal) init.signal = options.signal;
  const address = withQuery(path, options.query);
  let response: Response;
  let text: string;
  try {
    response = await fetch(address, init);
    text = await response.text();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    // What fetch says of a connection that failed or broke off; anything else is not the server's silence.
    if (error instanceof TypeError) throw noAnswer();
    throw error;
  }
  if (!response.ok) {
    const problem = failed(path, response.status, response.statusText, text);
    if (problem.code === 'csrf' && !isRepeat && (await isStillMe())) {
      // The key is set here, so that the request is the same request.
      return ask<T>(method, path, { ...options, idempotencyKey: init.headers.get('Idempotency-Key') ?? '' }, true);
    }
    throw problem;
  }
  return response.status === 204 ? (null as T) : decoded<T>(text);
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
    request.onerror = () => reject(noAnswer());
    request.onload = () => {
      if (request.status < 200 || request.status >= 300) {
        reject(failed(path, request.status, request.statusText, request.responseText));
        return;
      }
      try {
        resolve(decoded<T>(request.responseText));
      } catch (error) {
        reject(error);
      }
    };
    request.send(file);
  });
}
