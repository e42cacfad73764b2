import { describe, expect, it } from 'vitest';
import { careTime } from './care-time.ts';

const day = (text: string) => Date.parse(`${text}T00:00:00Z`);

describe('when care took place', () => {
  it('is read from the element that tells it', () => {
    expect(careTime({ resourceType: 'Observation', issued: '2021-01-01', effectiveDateTime: '2020-05-04' })).toEqual({
      low: day('2020-05-04'),
      high: day('2020-05-05'),
    });
    expect(careTime({ resourceType: 'Encounter', period: { start: '2020-01-01' } })).toEqual({
      low: day('2020-01-01'),
      high: Number.POSITIVE_INFINITY,
    });
    expect(careTime({ resourceType: 'Specimen', collection: { collectedDateTime: '2020' } })?.low).toBe(
      day('2020-01-01'),
    );
    expect(
      careTime({ resourceType: 'ServiceRequest', occurrenceTiming: { event: ['2020-02-01', '2020-03-01'] } }),
    ).toEqual({ low: day('2020-02-01'), high: day('2020-03-02') });
  });

  it('is not known of what names no time, or none that is a date', () => {
    for (const resource of [{}, { period: {} }, { effectiveDateTime: 'soon' }, { onset: null }, { date: ['2020'] }]) {
      expect(careTime(resource)).toBeUndefined();
    }
  });
});
