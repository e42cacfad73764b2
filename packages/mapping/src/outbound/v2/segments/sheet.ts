/** A message while it is written: its segments so far, and what all of them are about. */
import { type FieldValues, type HeaderValues, MessageBuilder } from '@causeway/hl7v2';
import type { OutboundKind } from '../../envelope.ts';
import { SegmentFields } from '../fields.ts';
import { type Element, listOf, type OutboundRecord, textOf, type Writing } from '../record.ts';

export class Sheet implements Writing {
  readonly record: OutboundRecord;
  readonly origin: string;
  readonly relayed: boolean;
  readonly kind: OutboundKind | undefined;
  /** MSH-9: code and event. */
  readonly code: string;
  readonly event: string;
  readonly patient: Element | undefined;
  /** The Provenance of the message that stated the content. */
  readonly provenance: Element | undefined;
  /** What did not fit its field, a sentence each. */
  readonly shortened: string[] = [];
  readonly #segments: { name: string; values: FieldValues }[] = [];
  readonly #counts = new Map<string, number>();

  constructor(writing: Writing, code: string, event: string, patient: Element | undefined) {
    this.record = writing.record;
    this.origin = writing.origin;
    this.relayed = writing.relayed;
    this.kind = writing.kind;
    this.code = code;
    this.event = event;
    this.patient = patient;
    this.provenance = this.record
      .all('Provenance')
      .find((item) => listOf(item, 'contained').some(({ resourceType }) => resourceType === 'MessageHeader'));
  }

  /** Adds a segment when anything is filled in, or it has to be there. */
  add(name: string, fill: (fields: SegmentFields) => void, required = false): boolean {
    const fields = this.#filled(name, fill);
    if (fields.isEmpty && !required) return false;
    this.#segments.push({ name, values: fields.values });
    return true;
  }

  /** Adds a segment whose first field numbers it, when anything else is filled in or it has to be there. */
  addNumbered(name: string, fill: (fields: SegmentFields) => void, required = false): boolean {
    const fields = this.#filled(name, fill);
    if (fields.isEmpty && !required) return false;
    const number = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, number);
    fields.add(1, String(number));
    this.#segments.push({ name, values: fields.values });
    return true;
  }

  /** A message that is passed on as it came keeps values as long as they were. */
  #filled(name: string, fill: (fields: SegmentFields) => void): SegmentFields {
    const fields = new SegmentFields();
    fill(fields);
    if (!this.relayed) this.shortened.push(...fields.fit(name));
    return fields;
  }

  /** Whether a segment of one of these names is written. */
  has(...names: string[]): boolean {
    return this.#segments.some(({ name }) => names.includes(name));
  }

  /** A sheet on another patient of the message, to be added when it is filled. */
  about(patient: Element): Sheet {
    return new Sheet(this, this.code, this.event, patient);
  }

  append(sheet: Sheet): void {
    this.#segments.push(...sheet.#segments);
    this.shortened.push(...sheet.shortened);
  }

  /** Numbering of a segment starts again: another group begins. */
  restart(...names: string[]): void {
    for (const name of names) this.#counts.delete(name);
  }

  /** Resources of a type whose reference `element` is to the patient; all of them where one patient is spoken of. */
  ofPatient(type: string, element = 'subject'): readonly Element[] {
    const patient = this.patient;
    if (patient === undefined || this.record.all('Patient').length < 2) return this.record.all(type);
    return this.record.referring(type, element, patient);
  }

  /** The segments so far. */
  get segments(): readonly { name: string; values: FieldValues }[] {
    return this.#segments;
  }

  /** The message with its header. */
  build(header: HeaderValues): MessageBuilder {
    const message = new MessageBuilder(header);
    for (const { name, values } of this.#segments) message.segment(name, values);
    return message;
  }
}

/** The text of a concept that has no coding: what our own observations are called by. */
export function nameOf(resource: Element): string | undefined {
  return textOf(resource.code, 'text');
}
