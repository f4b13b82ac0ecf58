/** Money of a live world comes from the operator alone; tests that spend ask for it through the API. */
import type { Page } from 'playwright-core';
import { logins } from './browser';

/** Funds the tenant that the page's person acts for, as the operator. */
export async function fundAsOperator(page: Page, amount_minor: number): Promise<void> {
  if (!logins) throw new Error('there is no server to fund a tenant of');
  const { url, operator } = logins;
  const tenant = await page.evaluate(async () => {
    const session = (await (await fetch('/api/session')).json()) as { tenants: { id: string }[] };
    return localStorage.getItem('cupola.tenant') ?? session.tenants[0]?.id ?? '';
  });
  const json = { 'Content-Type': 'application/json' };
  const signed = await fetch(`${url}/api/session`, { method: 'POST', headers: json, body: JSON.stringify(operator) });
  const { csrf } = (await signed.json()) as { csrf: string };
  const cookie = signed.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  const answer = await fetch(`${url}/api/tenants/${tenant}/fund`, {
    method: 'POST',
    headers: { ...json, Cookie: cookie, 'X-CSRF-Token': csrf },
    body: JSON.stringify({ amount_minor, currency: 'EUR' }),
  });
  if (!answer.ok) throw new Error(`the operator could not fund ${tenant}: ${answer.status} ${await answer.text()}`);
}
