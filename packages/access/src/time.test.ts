import fc from 'fast-check';
import { expect, it } from 'vitest';
import { interval } from './time.ts';

const iso = (start: string | undefined, end: string | undefined, zone: string) => {
  const found = interval(start, end, zone);
  return found && [found.from, found.to].map((at) => (Number.isFinite(at) ? new Date(at).toISOString() : '-'));
};

it('takes dates without a zone as those of the network, and includes the end', () => {
  expect(iso('2026-03-01', '2026-03-01', 'UTC')).toEqual(['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z']);
  expect(iso('2026', '2026-02', 'America/New_York')).toEqual(['2026-01-01T05:00:00.000Z', '2026-03-01T05:00:00.000Z']);
  // The clocks change within these days.
  expect(iso('2026-03-08', '2026-03-08', 'America/New_York')).toEqual([
    '2026-03-08T05:00:00.000Z',
    '2026-03-09T04:00:00.000Z',
  ]);
  expect(iso('2026-11-01', '2026-11-01', 'America/New_York')).toEqual([
    '2026-11-01T04:00:00.000Z',
    '2026-11-02T05:00:00.000Z',
  ]);
  // In Santiago clocks jump from midnight to one.
  expect(iso('2026-09-06', undefined, 'America/Santiago')).toEqual(['2026-09-06T04:00:00.000Z', '-']);
  expect(iso(undefined, '2026-01-01T10:00:00+02:00', 'Asia/Tokyo')).toEqual(['-', '2026-01-01T08:00:01.000Z']);
});

it('takes nothing for a date that is none', () => {
  for (const date of ['2026-02-30', '2026-13', '26', '2026-1-1', '2026-01-01T10:00:00', '', 'yesterday']) {
    expect(interval(date, undefined, 'UTC'), date).toBeUndefined();
    expect(interval(undefined, date, 'UTC'), date).toBeUndefined();
  }
});

it('makes days that follow each other without gap or overlap, in every zone', () => {
  const zones = ['UTC', 'America/New_York', 'America/Santiago', 'Australia/Lord_Howe', 'Asia/Kolkata', 'Pacific/Apia'];
  const days = fc.integer({ min: Date.UTC(1990, 0, 1) / 86_400_000, max: Date.UTC(2040, 0, 1) / 86_400_000 });
  fc.assert(
    fc.property(days, fc.constantFrom(...zones), (number, zone) => {
      const text = (offset: number) => new Date((number + offset) * 86_400_000).toISOString().slice(0, 10);
      const [one, next] = [text(0), text(1)].map((date) => interval(date, date, zone)!) as [never, never];
      const { from, to } = one as { from: number; to: number };
      expect(to).toBe((next as { from: number }).from);
      // A day that a zone left out, as Apia did, takes no time.
      expect(to - from).toBeGreaterThanOrEqual(0);
      expect(to - from).toBeLessThanOrEqual(25 * 3_600_000);
    }),
  );
});
