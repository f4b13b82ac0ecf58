import { defineConfig } from 'vitest/config';

/** Browser tests against a running server (CUPOLA_E2E_LOGINS names the file with its address and logins). */
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    environment: 'node',
    setupFiles: ['e2e/failures.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // A page answers a key when it has drawn itself anew: on a busy machine that takes a while.
    expect: { poll: { timeout: 15_000 } },
  },
});
