/** Large documents must not keep others waiting: acknowledgements above all. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { adt } from '../testing-messages.ts';

const mebibyte = 1024 * 1024;

const HEAD = (id: string) => `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="1.2.826.1" extension="${id}"/>
<code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><title>Large document</title><effectiveTime value="20240301101500+0000"/>
<recordTarget><patientRole><id root="1.2.826.2" extension="LARGE-${id}"/><patient><name><given>Ida</given><family>Large</family></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="19620405"/></patient></patientRole></recordTarget>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.826.3"/><name>Saltby Surgery</name></representedCustodianOrganization></assignedCustodian></custodian>`;

function scanned(id: string, bytes: number): string {
  const pdf = Buffer.alloc(0.75 * bytes, `${id} of a scanned page`).toString('base64');
  return `${HEAD(id)}<component><nonXMLBody><text mediaType="application/pdf" representation="B64">${pdf}</text></nonXMLBody></component></ClinicalDocument>`;
}

function structured(id: string, bytes: number): string {
  const row = (n: number) =>
    `<tr ID="r${n}"><td>Glucose</td><td>${n} mg/dL</td><td>as told at some length by the laboratory</td></tr>`;
  const entry = (n: number) =>
    `<entry><observation classCode="OBS" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.2"/><id root="1.2.826.5" extension="${id}-${n}"/><code code="2345-7" codeSystem="2.16.840.1.113883.6.1" displayName="Glucose"/><text><reference value="#r${n}"/></text><statusCode code="completed"/><effectiveTime value="20240226080000+0100"/><value xsi:type="PQ" value="${n}" unit="mg/dL"/></observation></entry>`;
  const count = Math.round(bytes / (entry(10_000).length + row(10_000).length));
  const many = (one: (n: number) => string) => Array.from({ length: count }, (_, n) => one(n)).join('');
  return `${HEAD(id)}<component><structuredBody><component><section><code code="30954-2" codeSystem="2.16.840.1.113883.6.1"/><title>Results</title>
<text><table><tbody>${many(row)}</tbody></table></text>${many(entry)}</section></component></structuredBody></component></ClinicalDocument>`;
}

/** Sends from another thread, once it is told, so that the main one is the hub's. */
async function sender(
  url: string,
  token: string,
  body: string,
): Promise<() => Promise<{ status: number; text: string }>> {
  const code = `const { workerData, parentPort } = require('node:worker_threads');
    parentPort.once('message', () =>
      fetch(workerData.url, { method: 'POST', body: workerData.body, headers: { authorization: 'Bearer ' + workerData.token } })
        .then(async (answer) => parentPort.postMessage({ status: answer.status, text: await answer.text() })));
    parentPort.postMessage('ready');`;
  const worker = new Worker(code, { eval: true, workerData: { url, token, body: Buffer.from(body) } });
  await once(worker, 'message');
  return async () => {
    worker.postMessage('go');
    const [answer] = await once(worker, 'message');
    await worker.terminate();
    return answer;
  };
}

/** Watches for how long the main thread computes without a pause, in its own CPU time, since other processes compute too. */
function watch(): () => number {
  const spent = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let longest = 0;
  let last = spent();
  let isWatching = true;
  const look = () => {
    const now = spent();
    longest = Math.max(longest, now - last);
    last = now;
    if (isWatching) setTimeout(look, 1);
  };
  setTimeout(look, 1);
  return () => {
    isWatching = false;
    return longest;
  };
}

describe('a large document', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub({ messageBytes: 64 * mebibyte });
    await hub.deliver(adt('A04', { id: 'W0', family: 'Warm', given: 'Ada', birth: '19600101', sex: 'F' }, {}));
    await hub.settled();
  });
  afterAll(() => hub.stop());

  /** Sends a document and, meanwhile and until it is processed, messages by MLLP one after the other. */
  const take = async (body: string) => {
    const send = await sender(`${hub.url}/ccda`, await hub.token('system'), body);
    const client = await hub.mllp();
    const stop = watch();
    let isDone = false;
    const sent = send().then(async (answer) => {
      const { id } = JSON.parse(answer.text);
      while ((await stateOf(id)) === 'received') await new Promise((resolve) => setTimeout(resolve, 20));
      isDone = true;
      return { status: answer.status, id };
    });
    for (let n = 0; !isDone; n++) {
      client.send(adt('A08', { id: `M${n % 50}`, family: 'Meanwhile', given: 'Bo', birth: '19610101', sex: 'M' }, {}));
      expect(await client.answer()).toContain('MSA|AA|');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const longest = stop();
    client.end();
    const answer = await sent;
    return { answer, longest };
  };
  const stateOf = async (id: string): Promise<string> =>
    (await hub.test.database.query('SELECT state FROM message WHERE id = $1', [id])).rows[0]!.state;

  it.each([
    { name: '20 MiB that is a PDF in base64', make: scanned, bytes: 20 * mebibyte, longestMs: 50 },
    // What thousands of facts become is written in steps of the record's own.
    { name: '4 MiB that is thousands of entries', make: structured, bytes: 4 * mebibyte, longestMs: 200 },
  ])('of $name leaves the main thread to others', { timeout: 200_000 }, async ({ make, bytes, longestMs }) => {
    const { answer, longest } = await take(make('L1', bytes));
    expect(answer.status).toBe(202);
    expect(await stateOf(answer.id)).toBe('processed');
    expect(longest).toBeLessThan(longestMs);
  });
});
