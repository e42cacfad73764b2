/** ORC, OBR, OBX and NTE of a laboratory order, in the hospital's and in the laboratory's way (HL7 v2 chapter 7). */

import { compactTime, HOUR_MS } from './calendar.ts';
import { abnormalFlag, labValue, rangeText } from './codes/tests.ts';
import { components, escapeText, segment } from './er7.ts';
import { hospitalTime } from './er7-patient.ts';
import type { Measurement, Order } from './story.ts';

/** One release of an order: its state and which values it carries. */
export interface Release {
  /** OBR-25 and, for the first test, OBX-11. */
  status: 'P' | 'F' | 'C' | 'X';
  /** OBX-11 of the first test, where it differs (`W` retracted as wrong, `D` deleted). */
  firstStatus?: 'W' | 'D';
  at: number;
  note?: string;
}

/** The releases of an order in time: preliminary, final, then what became of it. */
export function releasesOf(order: Order): Release[] {
  const final = order.at + 9 * HOUR_MS;
  const releases: Release[] = [];
  if (order.preliminary) releases.push({ status: 'P', at: order.at + 3 * HOUR_MS });
  releases.push({ status: 'F', at: final });
  if (order.amendment === 'corrected') {
    releases.push({
      status: 'C',
      at: final + 26 * HOUR_MS,
      note: 'Corrected: the first value was read from the wrong run.',
    });
  } else if (order.amendment === 'retracted') {
    releases.push({
      status: 'C',
      firstStatus: 'W',
      at: final + 30 * HOUR_MS,
      note: 'Withdrawn: the sample belonged to another person.',
    });
  } else if (order.amendment === 'deleted') {
    releases.push({
      status: 'C',
      firstStatus: 'D',
      at: final + 20 * HOUR_MS,
      note: 'Deleted: the test was not asked for.',
    });
  }
  return releases;
}

/** Tests for which the hospital's catalogue holds no LOINC code. */
const UNMAPPED_AT_HOSPITAL: ReadonlySet<string> = new Set(['crp', 'albuminRatio', 'egfr', 'hdl']);

/** ORC, OBR, OBX and NTE of one release in the hospital's conventional units (v2.5.1). */
export function hospitalResults(order: Order, release: Release, doctor: string): string[] {
  const placer = components(`HO${order.id}`, 'HARBORADT');
  const filler = components(`HL${order.id}`, 'HARBORLAB');
  const time = hospitalTime(order.at);
  const observations = order.measurements.map((measurement, index) => {
    const { test } = measurement;
    const value = valueAt(measurement, release);
    return segment('OBX', {
      1: String(index + 1),
      2: 'NM',
      3: components(
        test.hospitalCode,
        test.text,
        'HGHLAB',
        ...(UNMAPPED_AT_HOSPITAL.has(test.key) ? [] : [test.loinc, test.text, 'LN']),
      ),
      5: value.toFixed(test.digits),
      6: components(test.unit, test.unit, 'UCUM'),
      7: escapeText(rangeText(test.low, test.high)),
      8: abnormalFlag(test, value),
      11: statusAt(index, release),
      14: time,
      19: hospitalTime(release.at),
    });
  });
  return [
    segment('ORC', { 1: 'RE', 2: placer, 3: filler, 5: release.status === 'P' ? 'IP' : 'CM', 12: doctor }),
    segment('OBR', {
      1: '1',
      2: placer,
      3: filler,
      4: components(order.panel.hospitalCode, order.panel.text, 'HGHLAB', order.panel.loinc, order.panel.text, 'LN'),
      7: time,
      14: time,
      16: doctor,
      22: hospitalTime(release.at),
      24: 'LAB',
      25: release.status,
    }),
    ...withNote(observations, release),
  ];
}

/** ORC, OBR, OBX and NTE of one release in the laboratory's SI units (v2.3.1). */
export function laboratoryResults(order: Order, release: Release, doctor: string): string[] {
  const placer = components(`MFP${order.id}`, 'MILLBROOK');
  const filler = components(`E${order.id}`, 'ELLERYLIS');
  const time = compactTime(order.at);
  const observations = order.measurements.map((measurement, index) => {
    const { test } = measurement;
    const value = valueAt(measurement, release);
    const loinc = test.labLoinc ? [test.labLoinc, test.text, 'LN'] : [];
    return segment('OBX', {
      1: String(index + 1),
      2: 'NM',
      3: components(test.labCode, test.text, 'ERL', ...loinc),
      5: labValue(test, value),
      6: components(test.labUnit),
      7: escapeText(rangeText(test.low, test.high, test.labFactor, test.labDigits)),
      8: abnormalFlag(test, value),
      11: statusAt(index, release),
      14: time,
      15: components('ERL', 'Ellery Reference Laboratory'),
    });
  });
  return [
    segment('ORC', { 1: 'RE', 2: placer, 3: filler, 5: release.status === 'P' ? 'IP' : 'CM', 12: doctor }),
    segment('OBR', {
      1: '1',
      2: placer,
      3: filler,
      4: components(order.panel.labCode, order.panel.text, 'ERL'),
      7: time,
      14: compactTime(order.at + HOUR_MS),
      15: components('BLD'),
      16: doctor,
      22: compactTime(release.at),
      24: 'CH',
      25: release.status,
    }),
    ...withNote(observations, release),
  ];
}

function valueAt(measurement: Measurement, release: Release): number {
  return release.status === 'C' ? measurement.value : (measurement.firstValue ?? measurement.value);
}

function statusAt(index: number, release: Release): string {
  if (release.status !== 'C') return release.status;
  if (index > 0) return 'F';
  return release.firstStatus ?? 'C';
}

/** The note stands behind the observation it is about, which is the first. */
function withNote(observations: readonly string[], release: Release): string[] {
  const [first, ...others] = observations;
  const note = release.note ? [segment('NTE', { 1: '1', 2: 'L', 3: escapeText(release.note) })] : [];
  return [first!, ...note, ...others];
}
