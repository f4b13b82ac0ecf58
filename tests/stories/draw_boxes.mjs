/** A person who draws one box on each picture of a page, with a real pointer in a real browser, and submits. */
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core');
const { url, email, password, project, count, side, box } = JSON.parse(process.argv[2]);

const browser = await chromium.launch({
  executablePath: process.env.CUPOLA_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  await page.goto(`${url}/signin`);
  await page.fill('input[name=email]', email);
  await page.fill('input[name=password]', password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.cup-shell');
  await page.goto(`${url}/work/${project}`);
  const rows = (n) =>
    page.waitForFunction((wanted) => document.querySelectorAll('.cup-object-row').length === wanted, n);
  for (let n = 0; n < count; n++) {
    await page.locator('canvas').waitFor();
    await rows(0);
    await page.waitForTimeout(150); // the picture finds its place
    const area = await page.locator('canvas').boundingBox();
    // a square picture fits the canvas with a margin of 24 px
    const scale = (Math.min(area.width, area.height) - 48) / side;
    const left = area.x + (area.width - side * scale) / 2;
    const top = area.y + (area.height - side * scale) / 2;
    await page.mouse.move(left + box[0] * scale, top + box[1] * scale);
    await page.mouse.down();
    await page.mouse.move(left + ((box[0] + box[2]) / 2) * scale, top + box[3] * scale, { steps: 3 });
    await page.mouse.move(left + box[2] * scale, top + box[3] * scale, { steps: 3 });
    await page.mouse.up();
    await rows(1);
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
  }
  // all done, or all the money of the orders spent on them
  await page.getByText(/Nothing more to do here for now|all reserved or paid/).first().waitFor();
} catch (error) {
  for (const page of browser.contexts().flatMap((one) => one.pages())) {
    console.error((await page.locator('body').innerText()).slice(0, 1500));
  }
  throw error;
} finally {
  await browser.close();
}
