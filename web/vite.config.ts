import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** The API during development; the built app is served by the API itself. */
const SERVER = process.env.CUPOLA_URL ?? 'http://127.0.0.1:8000';
const FORWARDED = ['/api', '/events', '/openapi.json', '/docs', '/blobs'];

export default defineConfig({
  plugins: [react()],
  // Every asset is a file of its own: a data: script or font would need a wider content security policy.
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    sourcemap: false,
    modulePreload: { polyfill: false },
    manifest: true,
  },
  server: { proxy: Object.fromEntries(FORWARDED.map((path) => [path, { target: SERVER, changeOrigin: false }])) },
  // A test waits for what it is about, not for a quiet machine.
  test: { include: ['src/**/*.test.{ts,tsx}'], environment: 'node', maxWorkers: 2, testTimeout: 60_000 },
});
