import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { span, traceOf } from '../../test/traces';
import { ARRIVES_WITHIN_MS, FOLLOWED_MS, LOOK_AGAIN_MS, TraceData } from './data.svelte';

const HOUR = 3_600_000;
/** A tab that can be hidden and shown. */
const tab = Object.assign(new EventTarget(), { hidden: false });
const show = (visible: boolean) => {
  tab.hidden = !visible;
  tab.dispatchEvent(new Event('visibilitychange'));
};

/** How the server answers; the trace starts `ahead` milliseconds after what this browser's clock says. */
function serve(ahead: number, status = 200) {
  const trace = traceOf([span('root', null, 0, 5)], { start: new Date(Date.now() + ahead).toISOString() });
  return vi.spyOn(globalThis, 'fetch').mockImplementation(() => Promise.resolve(Response.json(status === 200 ? trace : { status, title: 'no' }, { status })));
}

describe('a trace on the screen', () => {
  let data: TraceData;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('document', tab);
    tab.hidden = false;
    data = new TraceData('a'.repeat(32));
  });
  afterEach(() => {
    data.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it('is looked at again while it is young', async () => {
    const asked = serve(0);
    await data.load();
    await vi.advanceTimersByTimeAsync(HOUR);
    const looks = ARRIVES_WITHIN_MS / LOOK_AGAIN_MS;
    expect(Math.abs(asked.mock.calls.length - 1 - looks)).toBeLessThanOrEqual(1);
  });

  it('is not looked at for hours where the browser’s clock is behind', async () => {
    const asked = serve(HOUR);
    await data.load();
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    expect(asked.mock.calls.length).toBeGreaterThan(ARRIVES_WITHIN_MS / LOOK_AGAIN_MS);
    expect(asked.mock.calls.length).toBeLessThanOrEqual(FOLLOWED_MS / LOOK_AGAIN_MS + 1);
  });

  it('may still arrive, whatever the browser’s clock does meanwhile', async () => {
    const asked = serve(0, 404);
    await data.load();
    vi.setSystemTime(Date.now() - HOUR);
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(asked.mock.calls.length).toBeLessThanOrEqual(ARRIVES_WITHIN_MS / LOOK_AGAIN_MS + 1);
    expect(data.error).toMatchObject({ status: 404 });
  });

  it('is not looked at in a hidden tab, but when that is shown', async () => {
    const asked = serve(0);
    await data.load();
    show(false);
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(asked).toHaveBeenCalledTimes(1);
    show(true);
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(asked).toHaveBeenCalledTimes(2);
    show(false);
    show(true);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('that is left in a hidden tab is not looked at any more', async () => {
    const asked = serve(0);
    await data.load();
    show(false);
    await vi.advanceTimersByTimeAsync(LOOK_AGAIN_MS * 2);
    data.stop();
    show(true);
    expect(asked).toHaveBeenCalledTimes(1);
  });
});
