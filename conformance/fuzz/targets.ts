/** What is fuzzed. A target takes bytes as they might come from anybody, and throws only where something is wrong with it. */
import { parseCda } from '@causeway/ccda';
import {
  BundleCutter,
  canonicalText,
  isFhirError,
  jsonFromXml,
  scanBundle,
  scanResource,
  validate,
  xmlFromJson,
} from '@causeway/fhir';
import {
  acknowledge,
  forEachAtom,
  isParseError,
  MllpDecoder,
  type MllpEvent,
  parseMessage,
  splitBatch,
} from '@causeway/hl7v2';
import {
  type Conversion,
  type ConversionContext,
  convertCcda,
  convertFhir,
  convertV2,
  type Disposition,
  type Envelope,
  mergeFact,
  writeCcda,
  writeV2,
} from '@causeway/mapping';
import type { Shape } from './input.ts';
import type { Random } from './random.ts';

export interface Target extends Shape {
  name: string;
  /** How many of a hundred inputs are its own. */
  share: number;
  /** Whether the input was taken; false where it was refused. @throws where a promise was broken */
  run(input: Buffer, random: Random): boolean;
}

const context: ConversionContext = {
  source: 'fuzz',
  receivedAt: '2026-01-01T00:00:00.000Z',
  messageUri: 'urn:causeway:message:fuzz',
  timeZone: 'America/New_York',
};

export const targets: readonly Target[] = [
  { name: 'hl7v2-parse', format: 'er7', as: 'file', share: 18, run: parseEr7 },
  { name: 'hl7v2-acknowledge', format: 'er7', as: 'file', share: 12, run: answer },
  { name: 'hl7v2-batch', format: 'er7', as: 'batch', share: 10, run: cut },
  { name: 'hl7v2-mllp', format: 'er7', as: 'stream', share: 12, run: decode },
  { name: 'hl7v2-convert', format: 'er7', as: 'file', share: 18, run: convertEr7 },
  { name: 'hl7v2-write', format: 'er7', as: 'file', share: 2, run: writeEr7 },
  { name: 'ccda-parse', format: 'cda', as: 'file', share: 6, run: (input) => parseCda(input).ok },
  { name: 'ccda-convert', format: 'cda', as: 'file', share: 6, run: convertDocument },
  { name: 'ccda-write', format: 'cda', as: 'file', share: 2, run: writeDocument },
  { name: 'fhir-convert', format: 'bundle', as: 'file', share: 4, run: convertBundle },
  { name: 'fhir-json', format: 'json', as: 'file', share: 6, run: scan },
  { name: 'fhir-xml', format: 'xml', as: 'file', share: 4, run: readXml },
];

function parseEr7(input: Buffer): boolean {
  const message = parseMessage(input);
  if (isParseError(message)) return refused(message.message);
  forEachAtom(message, ({ value }) => {
    if (typeof value !== 'string') throw new Error('An atom has no text.');
  });
  return true;
}

/** Whatever comes is answered in a way that the sender can read, if it is answered. */
function answer(input: Buffer, random: Random): boolean {
  const message = parseMessage(input);
  const isRefused = isParseError(message);
  const answered = acknowledge(message, {
    outcome: isRefused ? 'reject' : random.pick(['accept', 'error', 'reject'] as const),
    stage: random.pick(['commit', 'application'] as const),
    time: new Date(0),
    controlId: 'fuzz-1',
    conditions: random.once(2) ? [{ errorCode: '102', message: 'A|B^C\\D', segment: 'PID', field: 3 }] : [],
  });
  if (answered) {
    const read = parseMessage(answered.bytes);
    if (isParseError(read)) throw new Error(`The answer cannot be read: ${read.code} ${read.message}`);
  }
  return !isRefused;
}

function cut(input: Buffer): boolean {
  const file = splitBatch(input);
  if (isParseError(file)) return refused(file.message);
  let end = 0;
  for (const { messages } of file.batches) {
    for (const { bytes, offset } of messages) {
      if (offset < end) throw new Error('Messages of a batch overlap.');
      end = offset + bytes.length;
      parseMessage(bytes);
    }
  }
  if (end > input.length) throw new Error('A message of a batch ends after the file.');
  return true;
}

/** The same events, however the bytes arrive. */
function decode(input: Buffer, random: Random): boolean {
  const limit = { maximumFrameBytes: random.once(4) ? 200 : 1024 * 1024 };
  const whole = new MllpDecoder(limit);
  const expected = [...whole.push(input), ...whole.end()];
  const pieces = new MllpDecoder(limit);
  const found: MllpEvent[] = [];
  for (let at = 0; at < input.length; ) {
    const next = at + random.few(random.once(3) ? 4 : 4_000);
    found.push(...pieces.push(input.subarray(at, next)));
    at = next;
  }
  found.push(...pieces.end());
  const told = (events: readonly MllpEvent[]) =>
    events.map((event) =>
      event.kind === 'frame' ? `frame ${Buffer.from(event.content).toString('base64')}` : event.code,
    );
  if (told(expected).join('\n') !== told(found).join('\n'))
    throw new Error('The events depend on how the bytes arrive.');
  return expected.some(({ kind }) => kind === 'frame');
}

function convertEr7(input: Buffer): boolean {
  const message = parseMessage(input);
  if (isParseError(message)) return refused(message.message);
  return checked(convertV2(message, context));
}

const envelope: Envelope = {
  controlId: 'FUZZ1',
  deliveryId: '01890000-0000-7000-8000-000000000001',
  time: context.receivedAt,
  kind: 'new',
  recipient: { patient: { resourceType: 'Patient' }, identifierSystem: '' },
  origin: { key: context.source, name: context.source },
  relayed: true,
};

/** What was read of a message is written as one that can be read. */
function writeEr7(input: Buffer): boolean {
  const message = parseMessage(input);
  if (isParseError(message)) return refused(message.message);
  const { code, event } = message.type;
  const resources = convertV2(message, context).facts.map(({ resource }) => resource);
  const bytes = writeV2({ code, event, resources }, envelope);
  if (typeof bytes === 'string') return refused(bytes);
  const read = parseMessage(bytes);
  if (isParseError(read)) throw new Error(`What is written cannot be read: ${read.code} ${read.message}`);
  return true;
}

function convertDocument(input: Buffer): boolean {
  const parsed = parseCda(input);
  if (!parsed.ok) return refused(parsed.error.message);
  return checked(convertCcda(parsed.document, context));
}

/** What was read of a document is written as one that can be read. */
function writeDocument(input: Buffer, random: Random): boolean {
  const parsed = parseCda(input);
  if (!parsed.ok) return refused(parsed.error.message);
  const resources = convertCcda(parsed.document, context).facts.map(({ resource }) => resource);
  if (!resources.some(({ resourceType }) => resourceType === 'Patient')) return false;
  const { xml } = writeCcda(resources, {
    kind: random.pick(['ccd', 'discharge-summary'] as const),
    id: '01890000-0000-7000-8000-000000000001',
    time: context.receivedAt,
    custodian: { resourceType: 'Organization', name: 'Fuzz' },
    software: { manufacturer: 'Fuzz', name: 'Fuzz' },
  });
  const read = parseCda(xml);
  if (!read.ok) throw new Error(`What is written cannot be read: ${read.error.code} ${read.error.message}`);
  return true;
}

function convertBundle(input: Buffer): boolean {
  const conversion = convertFhir(input.toString(), context);
  return typeof conversion === 'string' ? refused(conversion) : checked(conversion);
}

const dispositions: ReadonlySet<Disposition> = new Set(['mapped', 'consumed', 'structural', 'kept', 'rejected']);

/** That what comes out can be stored: texts of R4 resources under ids, and a ledger without a sixth answer. */
function checked({ facts, ledger, issues, identityEvents }: Conversion): boolean {
  for (const { resource, mode, asOf, ...rest } of facts) {
    const text = JSON.stringify(resource);
    const scanned = scanResource(text);
    if (isFhirError(scanned)) throw new Error(`A fact cannot be stored: ${scanned.path}: ${scanned.error}`);
    if (!/^[A-Za-z0-9\-.]{1,64}$/.test(scanned.id ?? '')) throw new Error('A fact has no id.');
    if (Number.isNaN(Date.parse(asOf))) throw new Error(`A fact is told as of no time: ${asOf}`);
    if (mode === 'merge') mergeFact({ ...scanned.value }, { resource, ...rest });
  }
  for (const { source, disposition } of ledger) {
    if (source === '' || !dispositions.has(disposition)) throw new Error('An entry of the ledger says nothing.');
  }
  for (const { at } of identityEvents) if (Number.isNaN(Date.parse(at))) throw new Error(`An event has no time: ${at}`);
  for (const { message } of issues) if (message === '') throw new Error('An issue says nothing.');
  return true;
}

/** A resource or Bundle as a client sends it, at once and in chunks: both ways say the same. */
function scan(input: Buffer, random: Random): boolean {
  const text = input.toString();
  const bundle = scanBundle(text);
  const cutter = new BundleCutter(() => {});
  for (let at = 0; at < input.length; ) {
    const next = at + random.few(8_000);
    if (cutter.write(input.subarray(at, next))) break;
    at = next;
  }
  const wasCut = cutter.end();
  if (!isFhirError(bundle) && !isFhirError(wasCut) && bundle.entries.length !== wasCut.entries.length) {
    throw new Error('A Bundle has other entries where it is cut as it arrives.');
  }
  const scanned = scanResource(text);
  if (isFhirError(scanned)) return refused(scanned.error);
  const version = { id: 'x', versionId: '1', lastUpdated: '2026-01-01T00:00:00.000Z' };
  const again = scanResource(canonicalText(scanned, version).text);
  if (isFhirError(again)) throw new Error(`The canonical text cannot be read: ${again.error}`);
  const isValid = validate(scanned.value).length === 0;
  const xml = xmlFromJson(text);
  if (isValid && typeof xml === 'string' && typeof jsonFromXml(xml) !== 'string') {
    throw new Error('The XML of a valid resource cannot be read.');
  }
  return true;
}

function readXml(input: Buffer): boolean {
  const json = jsonFromXml(input.toString());
  if (typeof json !== 'string') return refused(json.error);
  const scanned = scanResource(json);
  // XML may be nested deeper than JSON may.
  if (isFhirError(scanned) && scanned.code === 'too-costly') return refused(scanned.error);
  if (isFhirError(scanned)) throw new Error(`The JSON of it cannot be read: ${scanned.error}`);
  validate(scanned.value);
  return true;
}

function refused(reason: string): false {
  if (reason === '') throw new Error('It was refused without a reason.');
  return false;
}
