/** What stood on each open page when a test failed: a log is all that is left of a run on another machine. */
import { afterEach } from 'vitest';
import { open } from './browser';

const SHOWN = 1500;

afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  for (const { page, complaints, unanswered } of open()) {
    const text = await page
      .locator('body')
      .innerText({ timeout: 2000 })
      .catch((error: Error) => `(cannot be read: ${error.message})`);
    process.stderr.write(
      `${task.name}: ${page.url()}\n${text.slice(0, SHOWN)}\ncomplaints: ${complaints.join('\n') || 'none'}\n` +
        `without an answer: ${[...unanswered].join('\n') || 'none'}\n`,
    );
  }
});
