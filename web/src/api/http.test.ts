import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { door } from './door';
import { call, Problem, setIdentity, withQuery } from './http';

let server: Server | null = null;

/** A real server for one test; answers every request the same way and remembers what it was asked. */
async function serve(status: number, body: string): Promise<{ url: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(status, {
      'content-type': 'application/json',
      'access-control-allow-origin': '*',
      'access-control-allow-headers': '*',
    });
    response.end(status === 204 ? undefined : body);
  });
  await new Promise<void>((resolve) => void server?.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`, asked };
}

describe('requests', () => {
  afterEach(() => {
    server?.close();
    setIdentity({ person: null, csrf: null, tenant: null });
  });

  it('carry the CSRF token, the tenant and an idempotency key when they change something', async () => {
    const { url, asked } = await serve(200, '{}');
    setIdentity({ csrf: 'token', tenant: 'tenant-1' });
    await call('POST', url, { body: {}, idempotencyKey: 'once' });
    const sent = asked.find((request) => request.method === 'POST');
    expect(sent?.headers).toMatchObject({
      'x-csrf-token': 'token',
      'cupola-tenant': 'tenant-1',
      'idempotency-key': 'once',
    });
  });

  it('are one where a double click sends the same twice, and two where something else came between', async () => {
    const { url, asked } = await serve(200, '{"made": 1}');
    const posts = () => asked.filter((request) => request.method === 'POST').length;
    const [first, second] = await Promise.all([call('POST', url, { body: 'a' }), call('POST', url, { body: 'a' })]);
    expect([first, second]).toEqual([{ made: 1 }, { made: 1 }]);
    expect(await call('POST', url, { body: 'a' })).toEqual({ made: 1 });
    expect(posts()).toBe(1);
    await call('POST', url, { body: 'b' });
    await call('POST', url, { body: 'a' });
    expect(posts()).toBe(3);
    await call('POST', url, { body: 'a', idempotencyKey: 'x' });
    await call('POST', url, { body: 'a', idempotencyKey: 'y' });
    expect(posts()).toBe(5);
    setIdentity({ tenant: 'another' });
    await call('POST', url, { body: 'a' });
    expect(posts()).toBe(6);
  });

  it('that were refused are sent anew when they are asked for again', async () => {
    const { url, asked } = await serve(503, '{"code": "busy"}');
    for (const _ of [1, 2]) await expect(call('POST', url, { body: 'again' })).rejects.toMatchObject({ code: 'busy' });
    expect(asked.filter((request) => request.method === 'POST')).toHaveLength(2);
  });

  it('come back as null when there is nothing', async () => {
    const { url } = await serve(204, '');
    expect(await call('DELETE', url)).toBeNull();
  });

  it('become a problem that names the place and the remedy', async () => {
    const { url } = await serve(
      400,
      JSON.stringify({ code: 'invalid', detail: 'Too long.', remedy: 'Shorten it.', place: '/name' }),
    );
    const problem = await call('GET', url).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({
      status: 400,
      code: 'invalid',
      remedy: 'Shorten it.',
      place: '/name',
      isTransient: false,
    });
  });

  it('become a problem even when the answer is not JSON', async () => {
    const { url } = await serve(502, '<html>Bad gateway</html>');
    expect(await call('GET', url).catch((error: unknown) => error)).toMatchObject({ status: 502, isTransient: true });
  });

  it('become a problem that may pass when there is no answer', async () => {
    const { url } = await serve(200, '{}');
    await new Promise((resolve) => server?.close(resolve));
    expect(await call('GET', url).catch((error: unknown) => error)).toMatchObject({
      status: 0,
      code: 'no-answer',
      isTransient: true,
    });
  });

  it('end the session in an answer 401, unless that says that a password is wrong', async () => {
    door.signedIn();
    const refused = await serve(
      401,
      JSON.stringify({ code: 'sign-in-refused', detail: 'They do not belong together.' }),
    );
    await call('POST', refused.url).catch(() => undefined);
    expect(door.isOut()).toBe(false);
    server?.close();
    const ended = await serve(401, JSON.stringify({ code: 'unauthenticated' }));
    await call('POST', ended.url).catch(() => undefined);
    expect(door.isOut()).toBe(true);
    door.signedIn();
  });

  it('leave empty parameters out of the address', () => {
    expect(withQuery('/a', { state: '', limit: 5, cursor: null })).toBe('/a?limit=5');
    expect(withQuery('/a', {})).toBe('/a');
  });
});
