/**
 * A message as it came, from the resources it was converted to and its ledger: the ledger says which atom of which
 * segment went to which element, the resources say what stands there. So each value goes back to the very field it came
 * from, which resources alone do not tell (PID-3 and PID-2 both make an identifier). What the ledger keeps or rejects is
 * in the original only.
 */
import {
  type ComponentValue,
  type FieldValue,
  type FieldValues,
  forEachAtom,
  isParseError,
  type LeafValue,
  type Message,
  MessageBuilder,
  parseMessage,
  repetitions,
} from '@causeway/hl7v2';
import type { LedgerEntry } from '../../conversion.ts';
import type { Envelope } from '../envelope.ts';
import { LeafReader } from './leaves.ts';
import { type Place, placesOf } from './places.ts';
import { OutboundRecord } from './record.ts';
import { type OutboundMessage, writeV2 } from './write.ts';

/** The leaves of one segment, by field, repetition, component and sub-component, all from 1. */
type Leaves = Map<string, string>;

/**
 * Writes the message again. Pure; a leaf that stands in no element by itself (a code that drove a decision, a part of a
 * joined text) is taken from what `writeV2` writes of the same resources.
 * @param ledger that of the conversion which gave `message.resources`
 * @returns a sentence where the message cannot be written
 */
export function restoreV2(
  message: OutboundMessage,
  ledger: readonly LedgerEntry[],
  envelope: Envelope,
): Uint8Array | string {
  const bytes = writeV2(message, { ...envelope, relayed: true });
  if (typeof bytes === 'string') return bytes;
  const written = parseMessage(bytes);
  if (isParseError(written)) return written.message;
  const places = placesOf(ledger);
  const reader = new LeafReader(
    new OutboundRecord(message.resources),
    { origin: envelope.origin.key, relayed: true },
    places,
  );
  const offered = segmentsOf(written);
  const header = offered.get('MSH')![0]!;
  const body: { name: string; leaves: Leaves }[] = [];
  for (const [segment, own] of bySegment(places)) {
    const name = segment.slice(0, 3);
    const known = new Map(own.flatMap((place) => pair(keyOf(place), reader.leaf(place))));
    const model = name === 'MSH' ? header : takeMatch(offered.get(name) ?? [], known);
    for (const place of own) {
      const key = keyOf(place);
      const leaf = known.get(key) ?? model?.get(key) ?? looseLeaf(place, model);
      if (leaf !== undefined) known.set(key, leaf);
    }
    if (name === 'MSH') for (const [key, leaf] of known) header.set(key, leaf);
    else body.push({ name, leaves: known });
  }
  return build(written, header, body);
}

function pair(key: string, leaf: string | undefined): [string, string][] {
  return leaf === undefined ? [] : [[key, leaf]];
}

/** Set ids number what is there. */
function looseLeaf(place: Place, model: Leaves | undefined): string | undefined {
  if (place.disposition === 'structural') return place.field === 1 ? String(place.occurrence) : undefined;
  return model?.get(`${place.field}.1.${place.component}.${place.subcomponent}`);
}

function keyOf({ field, repetition, component, subcomponent }: Place): string {
  return `${field}.${repetition}.${component}.${subcomponent}`;
}

function bySegment(places: readonly Place[]): Map<string, Place[]> {
  const segments = new Map<string, Place[]>();
  for (const place of places) {
    const key = `${place.segment}[${place.occurrence}]`;
    const known = segments.get(key);
    if (known === undefined) segments.set(key, [place]);
    else known.push(place);
  }
  return segments;
}

function segmentsOf(message: Message): Map<string, Leaves[]> {
  const segments = new Map<string, Leaves[]>();
  forEachAtom(message, ({ segment, occurrence, field, repetition, component, subcomponent, value }) => {
    const list = segments.get(segment) ?? [];
    segments.set(segment, list);
    const leaves = list[occurrence - 1] ?? new Map<string, string>();
    list[occurrence - 1] = leaves;
    leaves.set(`${field}.${repetition}.${component}.${subcomponent}`, value);
  });
  return segments;
}

/** The written segment that says most of what is known, taken out; several may come of one (the same allergy twice). */
function takeMatch(candidates: Leaves[], known: Leaves): Leaves | undefined {
  let best = 0;
  let most = -1;
  for (const [index, candidate] of candidates.entries()) {
    if (index === SEARCHED && most > 0) break;
    let score = 0;
    for (const [key, leaf] of known) if (candidate?.get(key) === leaf) score++;
    if (score <= most) continue;
    best = index;
    most = score;
    if (most === known.size) break;
  }
  return candidates.length > 1 ? candidates.splice(best, 1)[0] : candidates[0];
}

/** Segments are written much in the order in which they came: of thousands, the next ones are looked at. */
const SEARCHED = 100;

function build(written: Message, header: Leaves, body: readonly { name: string; leaves: Leaves }[]): Uint8Array {
  const { code, event, structure } = written.type;
  const fields = fieldsOf(header);
  const message = new MessageBuilder({
    time: '',
    type: [code, event, structure],
    controlId: written.controlId,
    version: written.version,
    fields: Object.fromEntries(Object.entries(fields).filter(([field]) => !OWN.has(Number(field)))),
  });
  for (const { name, leaves } of body) message.segment(name, fieldsOf(leaves));
  return message.toBytes();
}

/** Fields of MSH that the builder writes itself: delimiters, type, version, charset. */
const OWN = new Set([1, 2, 9, 12, 18]);

function fieldsOf(leaves: Leaves): FieldValues {
  const tree: LeafValue[][][][] = [];
  for (const [key, leaf] of leaves) {
    const [field, repetition, component, subcomponent] = key.split('.').map(Number) as [number, number, number, number];
    tree[field] ??= [];
    tree[field][repetition - 1] ??= [];
    tree[field][repetition - 1]![component - 1] ??= [];
    tree[field][repetition - 1]![component - 1]![subcomponent - 1] = leaf === '""' ? null : leaf;
  }
  const values: Record<number, FieldValue> = {};
  for (const [field, list] of tree.entries())
    if (list !== undefined) values[field] = repetitions(...Array.from(list, componentsOf));
  return values;
}

function componentsOf(repetition: LeafValue[][] | undefined): ComponentValue[] {
  return Array.from(repetition ?? [], (component) =>
    Array.from(component ?? [], (leaf) => leaf ?? (leaf === null ? null : '')),
  );
}
