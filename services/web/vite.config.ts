import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Browsers that know light-dark(), :has() and the Popover API: nothing is lowered or polyfilled.
const browsers = ['chrome123', 'firefox125', 'safari17.5'];

const apiTarget = process.env.API_TARGET ?? 'http://localhost:8080';

const firstLoad = /\/src\/(main|App|api\/|router\/|store\/|telemetry\/(?!export|otlp|vitals)|filter\/|i18n\/(?!de|diagnostics)|ui\/(?!Dialog)|keys\/(commands|global)|board\/(?!TimeTravel|dnd|QuickAdd|QuickPreview|CardMenu)|task\/PanelHost)|\/node_modules\/(svelte|esm-env|clsx)\//;
const isFirstLoad = (id: string) => firstLoad.test(id) && !id.endsWith('.css');

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
    // What the first screen needs is one file: it compresses better than thirty and costs one request. Everything not
    // named here is split by where it is imported.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'app', test: isFirstLoad }] } } },
  },
  server: { proxy: { '/api': { target: apiTarget, changeOrigin: false }, '/otlp': { target: apiTarget, changeOrigin: false } } },
  test: { include: ['src/**/*.test.ts', 'test/**/*.test.ts'], environment: 'node' },
});
