import { expect, it } from 'vitest';
import { retryAfterMs } from './guarded-request.ts';

it('reads for how long somebody wants to be left alone, in seconds and as a date', () => {
  const now = Date.UTC(2026, 0, 31, 9, 30);
  expect(retryAfterMs('120', now)).toBe(120_000);
  expect(retryAfterMs('Sat, 31 Jan 2026 09:31:00 GMT', now)).toBe(60_000);
  for (const said of ['Sat, 31 Jan 2026 09:29:00 GMT', 'soon', '-5', '', undefined])
    expect(retryAfterMs(said, now)).toBeUndefined();
});
