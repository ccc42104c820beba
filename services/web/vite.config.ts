import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Browsers that know light-dark(), :has() and the Popover API: nothing is lowered or polyfilled.
const browsers = ['chrome123', 'firefox125', 'safari17.5'];

const apiTarget = process.env.API_TARGET ?? 'http://localhost:8080';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: browsers,
    cssTarget: browsers,
    outDir: 'dist',
    emptyOutDir: true, // public/.gitkeep is copied back, so that go:embed finds the folder in a fresh clone
    assetsInlineLimit: 0, // no data: URLs, the content security policy forbids them
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': { target: apiTarget, changeOrigin: false } } },
  test: { include: ['src/**/*.test.ts', 'test/**/*.test.ts'], environment: 'node' },
});
