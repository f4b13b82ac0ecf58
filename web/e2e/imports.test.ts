/** Every place where data can be, each with its form, and what the forms and the server say of what is wrong. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectAccessible, launch, logins, picture, signIn, type Visit, visit } from './browser';
import { shapes, zip } from './files';

const TABS = ['Files', 'Manifest', 'Addresses', 'Folder of the server', 'S3 bucket'] as const;

describe.skipIf(!logins)('an import', () => {
  const { url, requester } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let page: Page;

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    ({ page } = owner);
    await signIn(owner, url, requester);
    const { id } = await ask<{ id: string }>(page, 'POST', '/api/datasets', {
      name: `Sources ${Date.now().toString(36)}`,
      licence: 'CC0-1.0',
    });
    await page.goto(`${url}/datasets/${id}`);
  });
  afterAll(() => browser?.close());

  const choose = (tab: (typeof TABS)[number]) =>
    page.getByRole('radiogroup', { name: 'Where the data is' }).getByText(tab, { exact: true }).click();

  it('has an accessible form for each place', async () => {
    for (const tab of TABS) {
      await choose(tab);
      await expectAccessible(page);
      await picture(page, `import-${tab.toLowerCase().replaceAll(' ', '-')}`);
    }
  });

  it('takes a zip that is dropped on the form', async () => {
    await choose('Files');
    const bytes = [...zip(shapes(2))];
    const data = await page.evaluateHandle((content) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(content)], 'two.zip', { type: 'application/zip' }));
      return transfer;
    }, bytes);
    await page.dispatchEvent('.cup-drop', 'drop', { dataTransfer: data });
    await page.getByRole('heading', { name: 'Items (2)' }).waitFor({ timeout: 30_000 });
  });

  it('takes a folder and single files that are dropped, whatever they are called', async () => {
    const top = mkdtempSync(join(tmpdir(), 'dropped-'));
    const pictures = Object.values(shapes(6));
    const put = (path: string, data: Buffer) => {
      mkdirSync(dirname(join(top, path)), { recursive: true });
      writeFileSync(join(top, path), data);
    };
    put('照片 📷/猫 🐈.png', pictures[2] as Buffer);
    put('照片 📷/صور/قطة.png', pictures[3] as Buffer);
    put('照片 📷/.DS_Store', Buffer.from('clutter'));
    put('eins.png', pictures[4] as Buffer);
    put('zwei.png', pictures[5] as Buffer);
    const at = await page.locator('.cup-drop').boundingBox();
    const there = { x: (at?.x ?? 0) + 20, y: (at?.y ?? 0) + 20 };
    const session = await owner.context.newCDPSession(page);
    // As a person's pointer does it: a script cannot make a transfer that holds a folder.
    const drop = async (...files: string[]) => {
      const data = { items: [], files: files.map((path) => join(top, path)), dragOperationsMask: 1 };
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
        await session.send('Input.dispatchDragEvent', { type, ...there, data });
    };
    try {
      await drop('照片 📷');
      await page.getByRole('heading', { name: 'Items (4)' }).waitFor({ timeout: 30_000 });
      await page.getByText('猫 🐈.png', { exact: true }).first().waitFor();
      await page.getByText('صور/قطة.png', { exact: true }).first().waitFor();
      await drop('eins.png', 'zwei.png');
      await page.getByRole('heading', { name: 'Items (6)' }).waitFor({ timeout: 30_000 });
      await page.getByText('zwei.png', { exact: true }).first().waitFor();
    } finally {
      rmSync(top, { recursive: true });
    }
    await expectAccessible(page);
    await picture(page, 'import-dropped');
  });

  it('takes lines that are written down, and names the line that is wrong', async () => {
    await choose('Manifest');
    const lines = page.getByLabel('Or write the lines here');
    await lines.fill('{"ref": "a", "text": "It howls."}\n{"ref": "b"}');
    await page.getByRole('button', { name: 'Import these lines' }).click();
    await page.getByText('Line 2: The line must have exactly one of').waitFor();
    await expectAccessible(page);
    await lines.fill('{"ref": "a", "text": "It howls."}\n{"ref": "b", "text": "It purrs."}');
    await page.getByRole('button', { name: 'Import these lines' }).click();
    await page.getByRole('heading', { name: 'Items (8)' }).waitFor({ timeout: 30_000 });
  });

  it('names the address that is none before anything is sent', async () => {
    await choose('Addresses');
    await page.getByLabel('One address a line').fill('https://files.example/1.png\nfiles.example/2.png');
    await page.getByRole('button', { name: /^Import/ }).click();
    await page.getByText('Line 2: That is no address').waitFor();
  });

  it('says who can open a folder of the server', async () => {
    await choose('Folder of the server');
    await page.getByRole('textbox', { name: 'Folder of the server' }).fill('photos');
    await page.getByRole('button', { name: 'Import the folder' }).click();
    await page.getByText('it begins with a slash').waitFor();
    await page.getByRole('textbox', { name: 'Folder of the server' }).fill('/nobody/opened/this');
    await page.getByRole('button', { name: 'Import the folder' }).click();
    await page
      .getByText(/is not open to imports/)
      .first()
      .waitFor({ timeout: 30_000 });
    await expectAccessible(page);
    await picture(page, 'import-folder-refused');
  });

  it('wants a whole key for a bucket, or none', async () => {
    await choose('S3 bucket');
    await page.getByLabel('Bucket and prefix').fill('s3://bucket/photos');
    await page.getByLabel('Access key').fill('AKIA');
    await page.getByRole('button', { name: 'Import the bucket' }).click();
    await page.getByText('Give both the key and its secret').waitFor();
    expect(owner.complaints.filter((complaint) => !/40[03]/.test(complaint))).toEqual([]);
  });
});
