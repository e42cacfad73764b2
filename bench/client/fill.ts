/** Fills a server with a data set by transactions, several at once, while the next are being made. */
import { patientStory, type Visits } from '../data/bundle.ts';
import { namesake, perName } from '../data/namesakes.ts';
import { regionTransactions } from '../data/region.ts';
import { readSynthea } from '../data/synthea.ts';
import { HttpConnection } from './http-connection.ts';
import type { Known } from './known.ts';
import { expect, type FhirTarget } from './server.ts';

/** What is loaded. */
export type DataSet =
  | { kind: 'none' }
  /** The people from number `from` up to number `people`, with so many visits each, and namesakes besides. */
  | { kind: 'stories'; people: number; from: number; visits: Visits; namesakes: number }
  | { kind: 'synthea'; archive: string }
  /** The people of the simulated region from number `from` up to number `people`. */
  | { kind: 'region'; people: number; from: number };

export interface Filled {
  resources: number;
  transactions: number;
  bytes: number;
  seconds: number;
  /** Ids of Patients that were stored, some hundreds of them, spread evenly over the whole. */
  patients: string[];
  namesakes: Known['namesakes'];
}

/** Bytes of a story's Patient, so that a read of it answers 2.3 KB. */
const storyPatientBytes = 2_100;
const senders = 4;
const rememberedPatients = 400;

/** Loads the data set. Rejects with the first transaction that is refused. */
export async function fill(target: FhirTarget, data: DataSet): Promise<Filled> {
  const begun = performance.now();
  const { first, rest, namesakes } = contentOf(target.run, data);
  const sum = { resources: 0, transactions: 0, bytes: 0 };
  await sendAll(target, first, sum, () => {});
  const patients = new Spread<string>(rememberedPatients);
  await sendAll(target, rest, sum, (answer) => {
    for (const [, id] of answer.matchAll(patientLocation)) patients.add(id!);
  });
  return { ...sum, seconds: (performance.now() - begun) / 1000, patients: patients.kept, namesakes };
}

const patientLocation = /"location":\s*"(?:[^"]*\/)?Patient\/([A-Za-z0-9\-.]{1,64})\/_history/g;

interface Transaction {
  text: string;
  resources: number;
}

interface Content {
  /** What has to be there before the rest. */
  first: Iterable<Transaction>;
  rest: Iterable<Transaction>;
  namesakes: Known['namesakes'];
}

function contentOf(run: string, data: DataSet): Content {
  switch (data.kind) {
    case 'none':
      return { first: [], rest: [], namesakes: [] };
    case 'stories':
      return { ...namesakesOf(run, data.namesakes), rest: stories(run, data) };
    case 'synthea': {
      const { first, people } = readSynthea(data.archive);
      const told = (bundle: (typeof people)[number]) => ({
        text: JSON.stringify(bundle),
        resources: bundle.entry!.length,
      });
      return { first: first.map(told), rest: people.map(told), namesakes: [] };
    }
    case 'region':
      return { first: [], rest: regionTransactions(data.people, data.from), namesakes: [] };
  }
}

function namesakesOf(run: string, people: number): Pick<Content, 'first' | 'namesakes'> {
  const first: Transaction[] = [];
  const namesakes: Known['namesakes'] = [];
  for (let serial = 0; serial < people; serial += perName) {
    const group = Array.from({ length: perName }, (_, i) => namesake(run, serial + i));
    namesakes.push({ family: group[0]!.name![0]!.family!, birthDate: group[0]!.birthDate! });
    const entry = group.map((resource) => ({ resource, request: { method: 'POST', url: 'Patient' } }));
    first.push({ text: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }), resources: perName });
  }
  return { first, namesakes };
}

function* stories(run: string, { from, people, visits }: { from: number; people: number; visits: Visits }) {
  for (let serial = from; serial < people; serial++) {
    yield patientStory(`${run}-seed`, serial, visits, storyPatientBytes);
  }
}

/** Sends transactions in their order, the next few before the first is answered. */
async function sendAll(
  target: FhirTarget,
  transactions: Iterable<Transaction>,
  sum: Pick<Filled, 'resources' | 'transactions' | 'bytes'>,
  answered: (body: string) => void,
): Promise<void> {
  const idle = Array.from({ length: senders }, () => new HttpConnection(target.base, target.token));
  const all = [...idle];
  const underWay = new Set<Promise<void>>();
  try {
    for (const { text, resources } of transactions) {
      while (idle.length === 0) await Promise.race(underWay);
      const connection = idle.pop()!;
      const sent = send(connection, text, answered).then(() => void idle.push(connection));
      underWay.add(sent);
      sent.then(
        () => underWay.delete(sent),
        () => {},
      );
      sum.resources += resources;
      sum.transactions++;
      sum.bytes += Buffer.byteLength(text);
      // Lets answers in, so that the server always has something to do.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(underWay);
  } finally {
    for (const connection of all) connection.close();
  }
}

async function send(connection: HttpConnection, text: string, answered: (body: string) => void): Promise<void> {
  const { body } = expect(await connection.request('POST', '', text), 'The transaction', 200);
  answered(body.toString('utf8'));
}

/** Keeps so many of what is added, spread evenly over the whole: when it is full, every other one goes. */
export class Spread<T> {
  readonly kept: T[] = [];
  readonly #most: number;
  #every = 1;
  #seen = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(item: T): void {
    if (this.#seen++ % this.#every !== 0) return;
    this.kept.push(item);
    if (this.kept.length <= this.#most) return;
    this.kept.splice(0, this.kept.length, ...this.kept.filter((_, i) => i % 2 === 0));
    this.#every *= 2;
  }
}
