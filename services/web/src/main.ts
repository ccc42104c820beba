import { mount } from 'svelte';
import App from './App.svelte';
import { startLanguage } from './i18n/i18n.svelte';
import { query, route } from './router/router.svelte';
import { shows } from './telemetry/screens';
import { startTelemetry } from './telemetry/telemetry';

shows(route(), query('task'), performance.timeOrigin);
startTelemetry();

await startLanguage();
mount(App, { target: document.getElementById('app')! });
