/**
 * The client's own process: makes its data, warms up, waits for the word, runs. The bench calls the functions below by
 * name over the process's message channel (see `startClient`), one at a time.
 */

import { ccdaRun, v2Run } from '../parts/conversion.ts';
import { deliveryRun } from '../parts/delivery.ts';
import { matchingRun } from '../parts/matching.ts';
import { type FhirName, type FhirTarget, fhirWork, type KnownPatient, seed } from './fhir-work.ts';
import { percentiles, runLoad, type Work } from './load.ts';
import { frames, type MllpTarget, mllpWork } from './mllp-work.ts';
import { timeUntilFound } from './probe.ts';

let work: Work | undefined;
const supply = frames();
const stock: Buffer[] = [];
let taken = 0;

const functions = {
  seed,

  /** Makes a FHIR work ready: bodies made, connections open, server warm. */
  async prepareFhir(name: FhirName, target: FhirTarget, clients: number, known: KnownPatient[], warmSeconds: number) {
    work?.close();
    work = fhirWork(name, target, clients, known);
    await runLoad(work, warmSeconds);
  },

  /** Makes an MLLP work ready, with so many messages at hand. */
  async prepareMllp(target: MllpTarget, connections: number, count: number, warmSeconds: number) {
    work?.close();
    fill(count);
    work = await mllpWork(target, connections, takeFrame);
    if (warmSeconds > 0) await runLoad(work, warmSeconds);
  },

  /** Runs what was made ready. */
  run: (seconds: number) => runLoad(work!, seconds),

  /** Sends so many messages over the connections made ready; returns the milliseconds until the last was accepted. */
  async sendMessages(count: number): Promise<number> {
    const begun = performance.now();
    let left = count;
    await Promise.all(
      Array.from({ length: work!.clients }, async (_, client) => {
        while (left-- > 0) await work!.operation(client);
      }),
    );
    return performance.now() - begun;
  },

  /** Milliseconds from sending a message until a search finds its patient, one message at a time. */
  async timesUntilFound(mllp: MllpTarget, fhir: FhirTarget, count: number) {
    return percentiles(await timeUntilFound(mllp, fhir, count));
  },

  v2Run,
  ccdaRun,
  matchingRun,
  deliveryRun,
};

export type ClientFunctions = typeof functions;

function fill(count: number): void {
  while (stock.length - taken < count) stock.push(supply.next().value!);
}

function takeFrame(): Buffer {
  if (taken === stock.length) fill(1);
  return stock[taken++]!;
}

process.on('message', async ({ name, args }: { name: keyof ClientFunctions; args: unknown[] }) => {
  try {
    const call = functions[name] as (...args: unknown[]) => unknown;
    process.send!({ value: await call(...args) });
  } catch (error) {
    process.send!({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
