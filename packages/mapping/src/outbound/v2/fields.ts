/** The fields of one segment while it is written. */
import { type FieldValue, type FieldValues, type LeafValue, type RepetitionValue, repetitions } from '@causeway/hl7v2';
import { cutText, limitsOf } from './lengths.ts';

export class SegmentFields {
  readonly #fields = new Map<number, RepetitionValue[]>();

  /** Adds repetitions to a field; empty ones are left out. */
  add(field: number, ...values: readonly RepetitionValue[]): void {
    const kept = values.filter((value) => !isBlank(value));
    if (kept.length === 0) return;
    const known = this.#fields.get(field);
    if (known === undefined) this.#fields.set(field, kept);
    else known.push(...kept);
  }

  /** Puts a component into the field's first repetition. */
  addComponent(field: number, component: number, value: RepetitionValue): void {
    if (isBlank(value)) return;
    const known = this.#fields.get(field)?.[0];
    const parts = Array.isArray(known) ? [...known] : [known];
    parts[component - 1] = value;
    this.#fields.set(field, [Array.from(parts, (part) => part ?? '')]);
  }

  /**
   * Keeps to the lengths of the segment's fields; of a coded field whose code alone fits, the code stays.
   * @returns what did not fit
   */
  fit(segment: string): string[] {
    const told: string[] = [];
    for (const [field, { most, isCut }] of limitsOf(segment) ?? []) {
      const values = this.#fields.get(field);
      if (values === undefined || values.every((value) => lengthOf(value) <= most)) continue;
      const kept = values.flatMap((value): RepetitionValue[] => {
        if (lengthOf(value) <= most) return [value];
        if (isCut) {
          told.push(`${segment}-${field} is cut`);
          return [cutText(String(firstOf(value)), most)];
        }
        const code = firstOf(value);
        if (code !== value && lengthOf(code) > 0 && lengthOf(code) <= most) return [code];
        told.push(`${segment}-${field} is left out: it is longer than the field`);
        return [];
      });
      if (kept.length === 0) this.#fields.delete(field);
      else this.#fields.set(field, kept);
    }
    return told;
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  get isEmpty(): boolean {
    return this.#fields.size === 0;
  }

  /** For the message builder. */
  get values(): FieldValues {
    const values: Record<number, FieldValue> = {};
    for (const [field, list] of this.#fields) values[field] = list.length === 1 ? list[0] : repetitions(...list);
    return values;
  }
}

/** First leaf of a repetition: the code of a coded value, the text of a plain one. */
function firstOf(value: RepetitionValue): LeafValue {
  if (!Array.isArray(value)) return value as LeafValue;
  const filled: RepetitionValue = value.find((part: RepetitionValue) => !isBlank(part));
  return firstOf(filled);
}

/** Characters of a repetition as it is written, escapes aside. */
function lengthOf(value: RepetitionValue): number {
  if (value === null) return 2;
  if (!Array.isArray(value)) return String(value ?? '').length;
  const filled = value.findLastIndex((part: RepetitionValue) => !isBlank(part));
  return value.slice(0, filled + 1).reduce((sum: number, part: RepetitionValue) => sum + lengthOf(part), filled);
}

/** Nothing at all to write: empty texts in any depth. */
export function isBlank(value: RepetitionValue): boolean {
  if (value === null) return false;
  if (Array.isArray(value)) return value.every((part: RepetitionValue) => isBlank(part));
  return value === undefined || value === '';
}
