/** Runs in a thread of its own: is told ids of persons, answers with what was found of each, and with all when it is told `end`. */
import { parentPort, workerData } from 'node:worker_threads';
import { useDefinitions } from '../../hub/record/index.ts';
import { callsOf } from '../../hub/testing-calls.ts';
import { Checker } from './checker.ts';
import { type Examined, Examiner, type Report } from './examiner.ts';
import { readGuide } from './package.ts';

/** Where the hub is, and the cases. */
export interface Place {
  url: string;
  dataDir: string;
  cases: string;
}

export type Said = { id: string; examined: Examined } | { id: string; crash: string } | { report: Report };

const { url, dataDir, cases } = workerData as Place;
const port = parentPort!;
const say = (said: Said) => port.postMessage(said);
await useDefinitions(dataDir);
const examiner = new Examiner(callsOf(url, dataDir), await Checker.of(readGuide(cases)));
port.on('message', async (id: string | 'end') => {
  if (id === 'end') {
    say({ report: examiner.report() });
    return port.close();
  }
  try {
    say({ id, examined: await examiner.examine(id) });
  } catch (error) {
    say({ id, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
