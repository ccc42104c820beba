// What can be taken back, newest last. Undoing is an edit like any other, so it is optimistic and merges as well.
import { t } from '../i18n/i18n.svelte';
import { tracer } from '../telemetry/telemetry';
import { dismiss, toast } from '../ui/toasts.svelte';

interface Step {
  text: string;
  run: () => void;
  toast: number;
}

const MAX_STEPS = 50;
const steps: Step[] = [];

/** Remembers how to take an action back and shows a notice with Undo. */
export function undoable(text: string, run: () => void): void {
  const step: Step = { text, run, toast: 0 };
  step.toast = toast({ kind: 'info', text, action: { label: t('undo'), run: () => undoStep(step) } });
  steps.push(step);
  if (steps.length > MAX_STEPS) steps.shift();
}

/** Takes back the latest action. Returns false if there is none. */
export function undo(): boolean {
  const step = steps.at(-1);
  if (!step) return false;
  undoStep(step);
  return true;
}

function undoStep(step: Step): void {
  const at = steps.indexOf(step);
  if (at < 0) return;
  steps.splice(at, 1);
  dismiss(step.toast);
  tracer.act('undo', {}, step.run);
  toast({ kind: 'info', text: t('undone', { what: step.text }) });
}
