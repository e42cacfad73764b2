/**
 * The largest of each kind that reaches the thread for what may take long, in the memory that it has in a hub: read, or
 * refused. A thread that needs much more at once than it may have would end the process, and this test with it.
 */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useDefinitions } from './definitions.ts';
import { LowPriority } from './low-priority.ts';
import type { Asked } from './low-priority-worker.ts';

/** The largest message that a hub takes unless told otherwise, less what is around the text. */
const largest = 64 * 1024 * 1024 - 1024;
/** The most values that a body may have, nearly. */
const mostValues = 490_000;
/** A character of two bytes makes a text of twice as many. */
const long = () => `漢${'a'.repeat(largest)}`;
const faults: unknown[] = [];

let thread: LowPriority;
beforeAll(async () => {
  const dataDir = join(tmpdir(), `causeway-low-priority-${process.getuid?.() ?? 0}`);
  mkdirSync(dataDir, { recursive: true });
  await useDefinitions(dataDir);
  thread = new LowPriority(dataDir, (error) => faults.push(error));
}, 120_000);
afterAll(() => thread.close());

const patient = () => `{"resourceType":"Patient","name":[{"family":"${long()}"}]}`;
const concepts = (one: string) => `{"resourceType":"CodeSystem","concept":[${`${one},`.repeat(mostValues)}${one}]}`;
const body = (text: string, format: 'json' | 'xml'): Asked => ({
  kind: 'body',
  body: Buffer.from(text),
  format,
  isWritten: true,
});
const request = { type: 'Patient', id: undefined, mode: undefined, profile: undefined } as never;
const copies = Array.from({ length: 900 }, () => ({ op: 'copy', from: '/name/0', path: '/name/-' }));

const cases: { [what: string]: () => Asked } = {
  'a resource with one long text': () => body(patient(), 'json'),
  'one with a text that is all escapes': () =>
    body(`{"resourceType":"Patient","name":[{"family":"漢${'\\n'.repeat(largest / 2)}"}]}`, 'json'),
  'one with very many values': () => body(concepts('{"code":"漢a"}'), 'json'),
  'one with very many that are wrong': () => body(concepts('{"x":1}'), 'json'),
  'one in XML': () =>
    body(`<Patient xmlns="http://hl7.org/fhir"><name><family value="${long()}"/></name></Patient>`, 'xml'),
  'one in XML with very many values': () =>
    body(
      `<CodeSystem xmlns="http://hl7.org/fhir">${'<concept><code value="漢a"/></concept>'.repeat(mostValues)}</CodeSystem>`,
      'xml',
    ),
  'a Bundle': () => ({
    kind: 'bundle',
    body: Buffer.from(`{"resourceType":"Bundle","type":"message","entry":[{"resource":${patient()}}]}`),
  }),
  'a message of HL7 v2': () => ({
    kind: 'v2',
    charset: undefined,
    body: Buffer.from(`MSH|^~\\&|A|B|||20240301||ADT^A08|1|P|2.5.1\rPID|1||1||${long()}\r`),
  }),
  'one of very many segments': () => ({
    kind: 'v2',
    charset: undefined,
    body: Buffer.from(`MSH|^~\\&|A|B|||20240301||ADT^A08|1|P|2.5.1\r${'Z漢1\r'.repeat(largest / 8)}`),
  }),
  'what is to be validated': () => ({ kind: 'validation', text: patient(), request }),
  'copies of what is long': () => ({
    kind: 'patch',
    resource: patient(),
    patch: { kind: 'json', text: JSON.stringify(copies) },
  }),
};

it.each(Object.keys(cases))(
  '%s',
  async (what) => {
    const ended = await thread.run('one', cases[what]!(), 60_000).then(
      ({ kind }) => kind,
      ({ status }) => status,
    );
    expect(['body', 'bundle', 'v2', 'patch', 'validation', 400, 413, 422]).toContain(ended);
    // Whatever became of it, the next is served.
    const next = {
      kind: 'v2',
      charset: undefined,
      body: Buffer.from('MSH|^~\\&|A|B|||20240301||ADT^A08|1|P|2.5.1\r'),
    } as const;
    expect((await thread.run('other', next, 60_000)).unreadable).toBeUndefined();
    expect(faults).toEqual([]);
  },
  180_000,
);
