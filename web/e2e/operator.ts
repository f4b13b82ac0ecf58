/** What the operator alone may do, asked for through the API: fund an organisation, invite a contributor. */
import type { Page } from 'playwright-core';
import { type Login, logins } from './browser';

const JSON_TYPE = { 'Content-Type': 'application/json' };

async function post<T>(path: string, body: unknown): Promise<T> {
  if (!logins) throw new Error('there is no server to ask');
  const { url, operator } = logins;
  const signed = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify(operator),
  });
  const { csrf } = (await signed.json()) as { csrf: string };
  const cookie = signed.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { ...JSON_TYPE, Cookie: cookie, 'X-CSRF-Token': csrf },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`the operator’s POST ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Funds the tenant that the page's person acts for. */
export async function fundAsOperator(page: Page, amount_minor: number): Promise<void> {
  const tenant = await page.evaluate(async () => {
    const session = (await (await fetch('/api/session')).json()) as { tenants: { id: string }[] };
    return localStorage.getItem('cupola.tenant') ?? session.tenants[0]?.id ?? '';
  });
  await post(`/api/tenants/${tenant}/fund`, { amount_minor, currency: 'EUR' });
}

/** A contributor beside the one that the server came with. */
export async function anotherContributor(name: string): Promise<Login> {
  const { link } = await post<{ link: string }>('/api/invitations', { role: 'contributor' });
  const login = { email: `${name.toLowerCase().replace(/\W+/g, '.')}@cupola.example`, password: crypto.randomUUID() };
  await post('/api/invitations/accept', { token: link.split('token=')[1], name, ...login });
  return login;
}
