/** The fields of one segment while it is written. */
import { type FieldValue, type FieldValues, type RepetitionValue, repetitions } from '@causeway/hl7v2';

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

/** Nothing at all to write: empty texts in any depth. */
export function isBlank(value: RepetitionValue): boolean {
  if (value === null) return false;
  if (Array.isArray(value)) return value.every((part: RepetitionValue) => isBlank(part));
  return value === undefined || value === '';
}
