/** What is sent to keep a server busy for others. In a thread, sends one after the other until it is told to end. */
import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';

export interface Bomber {
  url: string;
  token: string;
}

/** What became of one; told to who began the thread. */
export interface Thrown {
  name: string;
  status: number;
  ms: number;
}

interface Bomb {
  name: string;
  method: string;
  path: string;
  body?: Buffer;
  type?: string;
  coding?: string;
}

const mega = 1024 * 1024;
const xml = 'application/fhir+xml';
const repeated = (part: string, times: number) => Buffer.from(part.repeat(times));
const around = (before: string, part: string, times: number, after: string) =>
  Buffer.concat([Buffer.from(before), repeated(part, times), Buffer.from(after)]);
const create = (name: string, body: Buffer, type?: string): Bomb => ({
  ...{ name, method: 'POST', path: '/fhir/Patient', body },
  ...(type === undefined ? {} : { type }),
});
const operation = (path: string) => ({
  name: 'operation',
  part: [
    { name: 'type', valueCode: 'delete' },
    { name: 'path', valueString: path },
  ],
});
const msh = 'MSH|^~\\&|A|B|C|D|20240101||ORU^R01|1|P|2.5.1';
const brackets = encodeURIComponent(`${'('.repeat(2_000)}gender eq male${')'.repeat(2_000)}`);

/** The class A24 of docs/attacks.md. */
export const bombs: readonly Bomb[] = [
  create('arrays 10 000 deep', around('{"resourceType":"Patient","name":', '[', 10_000, ']')),
  create('objects 100 000 deep', repeated('{"extension":', 100_000)),
  create('a million members', around('{"resourceType":"Patient","name":[', '1,', mega, '1]}')),
  create('a million names', around('{"resourceType":"Patient","name":[', '{"family":"a"},', mega, '{}]}')),
  create('a code of 10 MB', around('{"resourceType":"Patient","gender":"', 'a', 10 * mega, '"}')),
  create(
    'XML of a quarter million names',
    around('<Patient xmlns="http://hl7.org/fhir">', '<name><family value="a"/></name>', mega / 4, '</Patient>'),
    xml,
  ),
  create('XML 100 000 deep', around('<Patient xmlns="http://hl7.org/fhir">', '<extension>', 100_000, ''), xml),
  {
    name: 'a Bundle of 100 000 entries',
    method: 'POST',
    path: '/fhir',
    body: around(
      '{"resourceType":"Bundle","type":"transaction","entry":[',
      '{"resource":{"resourceType":"Patient","nonsense":1},"request":{"method":"POST","url":"Patient"}},',
      100_000,
      '{}]}',
    ),
  },
  {
    name: 'a batch of 100 000 empty entries',
    method: 'POST',
    path: '/fhir',
    body: around('{"resourceType":"Bundle","type":"batch","entry":[', '{},', 100_000, '{}]}'),
  },
  {
    name: 'gzip',
    method: 'POST',
    path: '/fhir/Patient',
    body: gzipSync(Buffer.alloc(100 * mega, ' ')),
    coding: 'gzip',
  },
  {
    name: 'NDJSON of one endless line',
    method: 'POST',
    path: '/fhir/$import',
    body: around('{"resourceType":"Patient","id":"', 'a', 10 * mega, ''),
    type: 'application/fhir+ndjson',
  },
  {
    name: 'a JSON Patch of 300 000 operations',
    method: 'PATCH',
    path: '/fhir/Patient/kept',
    body: around('[', '{"op":"test","path":"/a","value":1},', 300_000, '{}]'),
    type: 'application/json-patch+json',
  },
  {
    name: 'a million names to be validated',
    method: 'POST',
    path: '/fhir/Patient/$validate',
    body: around('{"resourceType":"Patient","name":[', '{"family":"a"},', mega, '{}]}'),
  },
  {
    name: 'HL7 v2 of 400 000 segments',
    method: 'POST',
    path: '/hl7',
    body: around(`${msh}\r`, 'OBX|1|NM|a^b^c||1|mg|||||F\r', 400_000, ''),
    type: 'application/hl7-v2',
  },
  {
    name: 'HL7 v2 with a header of 10 MB',
    method: 'POST',
    path: '/inbox',
    body: around(msh, '|', 10 * mega, ''),
    type: 'application/hl7-v2',
  },
  {
    name: 'C-CDA three million deep',
    method: 'POST',
    path: '/ccda',
    body: around('<ClinicalDocument xmlns="urn:hl7-org:v3">', '<a>', 3 * mega, ''),
    type: 'text/xml',
  },
  {
    name: 'a Bundle of 300 000 entries to the inbox',
    method: 'POST',
    path: '/inbox',
    body: around(
      '{"resourceType":"Bundle","type":"message","entry":[',
      '{"resource":{"resourceType":"Patient","nonsense":1}},',
      300_000,
      '{}]}',
    ),
    type: 'application/json',
  },
  { name: 'a page of a billion', method: 'GET', path: '/fhir/Patient?_count=1000000000' },
  { name: 'a filter of 2 000 brackets', method: 'GET', path: `/fhir/Patient?_filter=${brackets}` },
  {
    name: 'FHIRPath that never ends',
    method: 'PATCH',
    path: '/fhir/Patient/kept',
    body: Buffer.from(
      JSON.stringify({
        resourceType: 'Parameters',
        parameter: [operation(`Patient.descendants()${'.select(%resource.descendants())'.repeat(14)}`)],
      }),
    ),
  },
];

/** Sends one over a connection that is kept. */
function throwOne({ url, token }: Bomber, agent: Agent, { method, path, body, type, coding }: Bomb): Promise<number> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body ? { 'content-type': type ?? 'application/fhir+json', 'content-length': body.length } : {}),
    ...(coding === undefined ? {} : { 'content-encoding': coding }),
  };
  return new Promise((resolve) => {
    const sent = request(url + path, { agent, method, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode!));
    });
    // What is refused before it is whole may end its connection.
    sent.on('error', () => resolve(0));
    sent.end(body);
  });
}

if (parentPort) {
  const port = parentPort;
  let isOn = false;
  let next = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const go = async () => {
    while (isOn) {
      const bomb = bombs[next++ % bombs.length]!;
      const begun = performance.now();
      const status = await throwOne(workerData as Bomber, agent, bomb);
      port.postMessage({ name: bomb.name, status, ms: performance.now() - begun } satisfies Thrown);
    }
    port.postMessage('paused');
  };
  port.on('message', (word: 'on' | 'off' | 'end') => {
    if (word === 'end') process.exit();
    isOn = word === 'on';
    if (isOn) void go();
  });
  port.postMessage('ready');
}
