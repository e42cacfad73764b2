/**
 * Maximum lengths of fields that hold no composite (HL7 v2.5.1, attribute tables of chapters 3, 4, 6, 7, 9). A longer text is
 * cut, since its beginning is true by itself; a longer code or number is left out, since a part of it is another one.
 */
const TEXTS: Readonly<Record<string, number>> = {
  'PID-23': 250,
  'PV2-12': 50,
  'AL1-5': 15,
  'IAM-5': 15,
  'IAM-12': 60,
  'DG1-4': 40,
  'PR1-4': 40,
  'ACC-3': 25,
  'ACC-8': 25,
  'ACC-9': 80,
  'NTE-3': 65536,
  'SPM-14': 250,
  'GT1-56': 250,
};

const CODES: Readonly<Record<string, number>> = {
  'PID-8': 1,
  'PID-19': 16,
  'PID-24': 1,
  'PID-25': 2,
  'PID-30': 1,
  'PD1-1': 2,
  'PD1-2': 2,
  'PD1-5': 2,
  'PD1-7': 2,
  'PD1-8': 2,
  'PD1-16': 1,
  'PD1-19': 5,
  'PD1-20': 2,
  'PD1-21': 3,
  'NK1-15': 1,
  'NK1-37': 16,
  'PV1-2': 1,
  'PV1-4': 2,
  'PV1-10': 3,
  'PV1-13': 2,
  'PV1-14': 6,
  'PV1-15': 2,
  'PV1-16': 2,
  'PV1-18': 2,
  'PV1-36': 3,
  'PV1-39': 2,
  'PV1-41': 2,
  'PV2-7': 2,
  'PV2-11': 3,
  'PV2-25': 1,
  'DG1-6': 2,
  'DG1-15': 2,
  'DG1-17': 3,
  'PR1-6': 2,
  'PR1-7': 4,
  'GT1-9': 1,
  'GT1-12': 11,
  'GT1-20': 2,
  'GT1-49': 20,
  'IN1-8': 12,
  'IN1-15': 3,
  'IN1-22': 2,
  'IN1-35': 8,
  'IN1-36': 15,
  'IN1-43': 1,
  'IN2-2': 11,
  'IN2-6': 15,
  'IN2-8': 15,
  'IN2-10': 20,
  'ORC-5': 2,
  'OBR-5': 2,
  'OBR-24': 10,
  'OBX-4': 20,
  'OBX-7': 60,
  'OBX-8': 5,
  'TQ1-14': 10,
  'RXE-12': 3,
  'RXE-15': 20,
  'RXO-13': 3,
  'RXA-6': 20,
  'RXA-15': 20,
  'TXA-16': 30,
};

/** The greatest length of a field, and whether what is longer is cut. */
interface Limit {
  most: number;
  isCut: boolean;
}

const limits = new Map<string, Map<number, Limit>>();
for (const [isCut, fields] of [
  [true, TEXTS],
  [false, CODES],
] as const) {
  for (const [name, most] of Object.entries(fields)) {
    const [segment, field] = name.split('-') as [string, string];
    const known = limits.get(segment) ?? new Map<number, Limit>();
    limits.set(segment, known.set(Number(field), { most, isCut }));
  }
}

/** The limits of a segment's fields, by their numbers; undefined where there are none. */
export function limitsOf(segment: string): ReadonlyMap<number, Limit> | undefined {
  return limits.get(segment);
}

/** A text cut to a length, no character in half. */
export function cutText(text: string, most: number): string {
  const whole = text.charCodeAt(most - 1) >= 0xd800 && text.charCodeAt(most - 1) < 0xdc00 ? most - 1 : most;
  return text.slice(0, whole);
}
