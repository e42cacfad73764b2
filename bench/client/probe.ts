/** How long a message takes until a reader finds what it says, with nothing else going on. */

import { HttpConnection } from './http-connection.ts';
import { type MllpTarget, mllpWork } from './mllp-work.ts';
import type { FhirTarget } from './server.ts';

const pollMs = 2;
const patienceMs = 10_000;

/** Milliseconds from sending each of `count` registrations until the FHIR search finds the patient. */
export async function timeUntilFound(mllp: MllpTarget, fhir: FhirTarget, count: number): Promise<number[]> {
  let next: Buffer | undefined;
  const work = await mllpWork(mllp, 1, () => next!);
  const reader = new HttpConnection(fhir.base, fhir.token);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const number = `PROBE${process.pid}X${Date.now()}X${i}`;
    next = Buffer.from(`\v${registration(number, i)}\x1c\r`);
    const begun = performance.now();
    await work.operation(0);
    while (!(await found(reader, number))) {
      if (performance.now() - begun > patienceMs) throw new Error('A message was not to be found after 10 s.');
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    times.push(performance.now() - begun);
  }
  work.close();
  reader.close();
  return times;
}

async function found(reader: HttpConnection, number: string): Promise<boolean> {
  const { status, body } = await reader.request('GET', `/Patient?identifier=${number}`);
  if (status !== 200) throw new Error(`The search has the status ${status}: ${body.toString().slice(0, 300)}`);
  return body.includes(number, body.indexOf('"entry"'));
}

function registration(number: string, i: number): string {
  const letters = [...String(i * 7919 + process.pid)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
  const born = `19${10 + (i % 90)}0${1 + (i % 9)}1${i % 10}`;
  return [
    `MSH|^~\\&|BENCH|BENCH|||20260102030405||ADT^A04^ADT_A01|${number}|P|2.5.1`,
    'EVN|A04|20260102030405',
    `PID|1||${number}^^^BENCH^MR||Q${letters}^V${letters}||${born}|F|||${i} Quarry Hill^^Easton^MA^02334`,
    'PV1|1|O',
    '',
  ].join('\r');
}
