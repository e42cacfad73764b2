/** HL7 times as FHIR, and refusals. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDateTime, isInvalidDateTime, parseDateTime } from './datetime.ts';

test.each([
  ['2024', 'year', '2024', undefined, 'none'],
  ['202402', 'month', '2024-02', undefined, 'none'],
  ['20240229', 'day', '2024-02-29', undefined, 'none'],
  ['2024022913-0500', 'hour', '2024-02-29T13:00:00-05:00', undefined, 'stated'],
  ['202402291345+0000', 'minute', '2024-02-29T13:45:00Z', undefined, 'stated'],
  ['20240229134507+0530', 'second', '2024-02-29T13:45:07+05:30', '2024-02-29T13:45:07+05:30', 'stated'],
  [
    '20240229134507.1230-0800',
    'fraction',
    '2024-02-29T13:45:07.1230-08:00',
    '2024-02-29T13:45:07.1230-08:00',
    'stated',
  ],
  ['20240229134507', 'second', '2024-02-29', undefined, 'unknown'],
  ['20000229', 'day', '2000-02-29', undefined, 'none'],
] as const)('%s', (text, precision, dateTime, instant, zone) => {
  expect(parseDateTime(text)).toMatchObject({
    kind: 'date-time',
    precision,
    dateTime,
    zone,
    date: dateTime.slice(0, 10),
  });
  expect(parseDateTime(text)).toHaveProperty('kind', 'date-time');
  const parsed = parseDateTime(text);
  expect(isInvalidDateTime(parsed) ? 'invalid' : parsed.instant).toBe(instant);
});

test.each([
  ['20240115120000', 'America/Chicago', '-06:00'],
  ['20240715120000', 'America/Chicago', '-05:00'],
  ['20240715120000', 'Europe/Berlin', '+02:00'],
  ['20240715120000', 'Asia/Kolkata', '+05:30'],
  ['20240715120000', 'UTC', 'Z'],
  ['20240715120000', '-03:30', '-03:30'],
  ['20241103013000', 'America/Chicago', '-05:00'],
  ['20241103023000', 'America/Chicago', '-06:00'],
  ['20240310013000', 'America/Chicago', '-06:00'],
  ['20240310023000', 'America/Chicago', '-06:00'],
  ['20240310033000', 'America/Chicago', '-05:00'],
])('%s in %s is %s', (text, timeZone, offset) => {
  expect(parseDateTime(text, { timeZone })).toMatchObject({
    zone: 'sender',
    dateTime: expect.stringMatching(/00(Z|[+-].*)$/),
  });
  const parsed = parseDateTime(text, { timeZone });
  expect(isInvalidDateTime(parsed) ? '' : parsed.dateTime.slice(19)).toBe(offset);
});

test('an unknown zone is our own fault', () => {
  expect(() => parseDateTime('20240101120000', { timeZone: 'Mars/Base' })).toThrow(RangeError);
});

test.each([
  ['', 'empty'],
  ['""', 'format'],
  ['2024-02-29', 'format'],
  ['202', 'format'],
  ['20240', 'format'],
  ['00000101', 'format'],
  ['00000000', 'format'],
  ['20241301', 'month'],
  ['20240001', 'month'],
  ['20240230', 'day'],
  ['20230229', 'day'],
  ['19000229', 'day'],
  ['20240431', 'day'],
  ['20240100', 'day'],
  ['2024010124', 'hour'],
  ['202401012360', 'minute'],
  ['20240101235960', 'second'],
  ['20240101120000+1500', 'offset'],
  ['20240101120000+0099', 'offset'],
])('%j is refused: %s', (text, code) => {
  expect(parseDateTime(text)).toMatchObject({ kind: 'invalid-date-time', code });
});

test('a time written is read as the same time', () => {
  const dates = fc.date({ min: new Date('1800-01-01'), max: new Date('2999-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(dates, (date) => {
      const parsed = parseDateTime(formatDateTime(date));
      if (isInvalidDateTime(parsed)) throw new Error(parsed.reason);
      expect(Date.parse(parsed.instant!)).toBe(Math.floor(date.getTime() / 1000) * 1000);
    }),
  );
});

test('digits are a FHIR time or refused', () => {
  const fhir = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$/;
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789+-.'), maxLength: 24 }), (text) => {
      const parsed = parseDateTime(text, { timeZone: 'Europe/Paris' });
      if (!isInvalidDateTime(parsed)) expect(parsed.dateTime).toMatch(fhir);
    }),
    { numRuns: 500 },
  );
});
