/** A real browser against a real server: what every browser test needs. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect, vi } from 'vitest';

export interface Login {
  email: string;
  password: string;
}
export interface Logins {
  url: string;
  requester: Login;
  contributor: Login;
  adjudicator: Login;
  operator: Login;
}

const FILE = process.env.CUPOLA_E2E_LOGINS;
/** The server and who may sign in, or null when no server was given (then the tests are skipped). */
export const logins: Logins | null = FILE ? (JSON.parse(readFileSync(FILE, 'utf8')) as Logins) : null;

const ARTIFACTS = fileURLToPath(new URL('../../tests/artifacts/', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core');
const CHROMIUM = process.env.CUPOLA_CHROMIUM ?? '/usr/bin/chromium';
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A name for this machine that is no loopback address to the browser: over http a page there is no secure context. */
export const PLAIN_NAME = 'cupola.lan.example';

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [...ARGS, `--host-resolver-rules=MAP ${PLAIN_NAME} 127.0.0.1`],
  });
}

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** Console errors and uncaught exceptions so far, refusals of the content security policy among them. */
  complaints: string[];
  /** Requests that have had no answer yet. */
  unanswered: Set<string>;
}

/** The sign-in page asks who is there before anybody is: that 401 is an answer, not a fault. */
const EXPECTED = /401 \(Unauthorized\)|\/api\/session/;
/** A project without training answers 404 where it is asked for its training. */
const ABSENT = /\/training$/;

export async function visit(
  browser: Browser,
  options: { colorScheme?: 'light' | 'dark'; locale?: string; width?: number } = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: 800 },
    colorScheme: options.colorScheme ?? 'light',
    locale: options.locale ?? 'en-GB',
    reducedMotion: 'reduce',
    acceptDownloads: true,
  });
  // generous: a busy machine is no fault of the page
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() !== 'error' || EXPECTED.test(message.text())) return;
    const { url } = message.location();
    if (!ABSENT.test(url)) complaints.push(`${message.text()} ${url}`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const unanswered = new Set<string>();
  page.on('request', (request) => unanswered.add(`${request.method()} ${request.url()}`));
  for (const over of ['requestfinished', 'requestfailed'] as const)
    page.on(over as 'requestfinished', (request) => unanswered.delete(`${request.method()} ${request.url()}`));
  const made = { context, page, complaints, unanswered };
  visits.push(made);
  return made;
}

const visits: Visit[] = [];

/** The visits of this file that were not closed yet. */
export const open = (): Visit[] => visits.filter(({ page }) => !page.isClosed());

export async function signIn({ page }: Visit, base: string, who: Login): Promise<void> {
  await page.goto(`${base}/signin`);
  await page.fill('input[name=email]', who.email);
  await page.fill('input[name=password]', who.password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.cup-shell');
}

/** Where a picture of this name goes. */
export function pathOf(name: string): string {
  mkdirSync(ARTIFACTS, { recursive: true });
  return `${ARTIFACTS}${name}.png`;
}

/** A picture of the page as it is, for people to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: pathOf(name) });
}

interface AxeResult {
  violations: { id: string; nodes: { html: string }[] }[];
}

/** Fails with every accessibility rule that the page breaks, and where. */
export async function expectAccessible(page: Page): Promise<void> {
  // Through the debugger, so that the page's content security policy stays as strict as it is for people.
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const broken = await page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run: (root: Document) => Promise<AxeResult> } }).axe;
    const { violations } = await axe.run(document);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
  });
  expect(broken, `accessibility of ${page.url()}`).toEqual([]);
}

/** Checked again until it holds: a page answers a key when it has drawn itself anew, and saves a moment later. */
export const eventually = (check: () => Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 15_000, interval: 100 });

/** Waits until the page has its heading and nothing says that it is loading. */
export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('load');
  // Between two pages there is a moment that belongs to neither, and says nothing.
  await page.waitForSelector('h1', { state: 'attached' });
  await page.waitForFunction(() => !document.body.textContent?.match(/Loading…|正在加载…|Getting your next page/));
}

/** Waits until the item of the desk is before the person's eyes: until then nothing can be said of it. */
export async function shown(page: Page): Promise<void> {
  await page.locator('.cup-desk').waitFor();
  await settled(page);
  await page.locator('.cup-unseen').waitFor({ state: 'detached' });
}

/** Opens a page, looks at it with axe, and keeps its picture. */
export async function inspect({ page }: Visit, url: string, name: string): Promise<void> {
  await page.goto(url);
  await page.waitForSelector('h1');
  await settled(page);
  await expectAccessible(page);
  await picture(page, name);
}

/** One request as the signed-in person, through the page's own session. */
export async function ask<T>(page: Page, method: string, path: string, body?: unknown): Promise<T> {
  return page.evaluate(
    async ([verb, address, content]) => {
      const session = (await (await fetch('/api/session')).json()) as { csrf: string; tenants: { id: string }[] };
      const tenant = localStorage.getItem('cupola.tenant') ?? session.tenants[0]?.id;
      const response = await fetch(address as string, {
        method: verb as string,
        headers: {
          'X-CSRF-Token': session.csrf,
          ...(tenant ? { 'Cupola-Tenant': tenant } : {}),
          ...(content === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(content === undefined ? {} : { body: JSON.stringify(content) }),
      });
      if (!response.ok) throw new Error(`${address}: ${response.status} ${await response.text()}`);
      return response.json();
    },
    [method, path, body] as const,
  ) as Promise<T>;
}
