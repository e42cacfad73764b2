/**
 * The client's own process: makes its data, warms up, waits for the word, runs. The bench calls the functions below by
 * name over the process's message channel (see `startClient`), one at a time.
 */

import { ccdaRun, v2Run } from '../parts/conversion.ts';
import { deliveryRun } from '../parts/delivery.ts';
import { matchingRun } from '../parts/matching.ts';
import { fill } from './fill.ts';
import { sample } from './known.ts';
import { percentiles, runLoad, type Work } from './load.ts';
import { frames, type MllpTarget, mllpWork } from './mllp-work.ts';
import { fhirWork, pathsWork, type WorkOptions } from './operations.ts';
import { timeUntilFound } from './probe.ts';
import type { FhirTarget } from './server.ts';
import { tokenValues } from './token-values.ts';

let work: Work | undefined;
const supply = frames();
const stock: Buffer[] = [];
let taken = 0;

const functions = {
  fill,
  sample,
  tokenValues,

  /** Makes a FHIR work ready: bodies made, connections open, server warm. */
  async prepareFhir(options: WorkOptions, warmSeconds: number) {
    work?.close();
    work = await fhirWork(options);
    if (warmSeconds > 0) await runLoad(work, { seconds: warmSeconds });
  },

  /** Makes reads of these paths ready. */
  async preparePaths(target: FhirTarget, clients: number, paths: string[], warmSeconds: number) {
    work?.close();
    work = pathsWork(target, clients, paths);
    await runLoad(work, { seconds: warmSeconds });
  },

  /** Makes an MLLP work ready, with so many messages at hand. */
  async prepareMllp(target: MllpTarget, connections: number, count: number, warmSeconds: number) {
    work?.close();
    stockUp(count);
    work = await mllpWork(target, connections, takeFrame);
    if (warmSeconds > 0) await runLoad(work, { seconds: warmSeconds });
  },

  /** Runs what was made ready. */
  run: (seconds: number) => runLoad(work!, { seconds }),

  /** Runs what was made ready until so many units are done. */
  runUnits: (units: number) => runLoad(work!, { units }),

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

function stockUp(count: number): void {
  while (stock.length - taken < count) stock.push(supply.next().value!);
}

function takeFrame(): Buffer {
  if (taken === stock.length) stockUp(1);
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
