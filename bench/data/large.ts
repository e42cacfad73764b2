/** Large inputs, made while they are sent: Bundles of many MiB and files of millions of lines. */
import { randomBytes } from 'node:crypto';
import { patientStory } from './bundle.ts';
import { type Draws, drawsFrom, seedOf } from './random.ts';

/** What fills the resources of a large Bundle: narratives, which compress well, or attachments, which do not. */
export type Filling = 'narratives' | 'attachments';

interface Entry {
  fullUrl: string;
  resource: { resourceType: string; [member: string]: unknown };
  request: { method: string; url: string };
}

const mostEntries = 9_900;
const entryBytes = 1_250;
/** Of an entry at least, filled up. */
const leastBytes = 3_000;
const words =
  'patient reports no pain after therapy with improved function and stable vital signs since last visit'.split(' ');

/**
 * The pieces of a Bundle of people's stories, some 1.1 KB a resource, each filled up so that all together have `bytes`.
 * In a batch, whose entries may not refer to each other, the resources stand alone.
 */
export function* largeBundle(
  type: 'batch' | 'transaction',
  bytes: number,
  filling: Filling,
  run: string,
): Generator<string> {
  const draws = drawsFrom(seedOf(`${run} large`));
  const entries = Math.min(mostEntries, Math.ceil(bytes / leastBytes));
  const share = Math.ceil(bytes / entries) - entryBytes;
  let count = 0;
  yield `{"resourceType":"Bundle","type":"${type}","entry":[`;
  for (let serial = 0; count < entries; serial++) {
    const { entry } = JSON.parse(patientStory(run, serial).text) as { entry: Entry[] };
    for (const one of entry.slice(0, entries - count)) {
      if (type === 'batch') alone(one);
      fill(one, share, filling, draws);
      yield `${count++ === 0 ? '' : ','}${JSON.stringify(one)}\n`;
    }
  }
  yield ']}';
}

/** Lines of small Observations of a number of patients, who come first. */
export function* manyLines(lines: number, run: string): Generator<string> {
  const patients = Math.ceil(lines / 1_000);
  for (let i = 0; i < patients; i++) {
    yield `{"resourceType":"Patient","id":"${run}-${i}","name":[{"family":"Line${i}"}],"birthDate":"19${10 + (i % 90)}-03-04"}\n`;
  }
  for (let i = 0; i < lines - patients; i++) {
    const day = `20${10 + (i % 15)}-${String(1 + (i % 12)).padStart(2, '0')}-${String(1 + (i % 28)).padStart(2, '0')}`;
    yield `{"resourceType":"Observation","id":"${run}-o${i}","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/${run}-${i % patients}"},"effectiveDateTime":"${day}","valueQuantity":{"value":${50 + (i % 80)},"system":"http://unitsofmeasure.org","code":"/min"}}\n`;
  }
}

function alone(entry: Entry): void {
  entry.resource = JSON.parse(
    JSON.stringify(entry.resource, (_, value) => (isLink(value) ? { display: 'alone' } : value)),
  );
}

function isLink(value: unknown): boolean {
  const { reference } = (value ?? {}) as { reference?: unknown };
  return typeof reference === 'string' && reference.startsWith('urn:uuid:');
}

function fill({ resource }: Entry, length: number, filling: Filling, draws: Draws): void {
  if (filling === 'attachments') {
    const data = randomBytes(Math.floor((length * 3) / 4)).toString('base64');
    resource.extension = [
      { url: 'https://bench.example/attachment', valueAttachment: { contentType: 'application/pdf', data } },
    ];
    return;
  }
  let said = '';
  while (said.length < length) said += `${draws.pick(words)} ${draws.integer(1, 999)} `;
  resource.text = { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${said}</div>` };
}
