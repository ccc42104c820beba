import { describe, expect, it } from 'vitest';
import { ApiError, NetworkError } from '../api/http';
import { failureOf } from './failure';

const problem = (status: number) => new ApiError(status, { type: 'about:blank', title: `problem ${status}`, status, code: 'unknown' });

describe('a trace that could not be loaded', () => {
  it.each([400, 404])('is missing where the server says so (%i)', (status) => {
    expect(failureOf(problem(status))).toMatchObject({ icon: 'zap', title: 'There is no such trace' });
  });
  it.each([403, 429, 500, 503])('is not called missing where the server had another problem (%i)', (status) => {
    expect(failureOf(problem(status))).toEqual({ icon: 'cloud-off', title: 'The trace cannot be read', text: `problem ${status}` });
  });
  it('is not called missing where no answer came; the path is nothing to read', () => {
    const { title, text } = failureOf(new NetworkError('GET /api/v1/traces/1'));
    expect(title).toBe('The trace cannot be read');
    expect(text).not.toContain('/api/');
  });
});
