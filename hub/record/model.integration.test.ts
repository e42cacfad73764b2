/**
 * The record against a model of it in memory: after any sequence of creates, updates, patches, deletions, transactions
 * and races, both give the same outcomes, reads, versions, histories and searches.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../database/testing.ts';
import { custodian as access, testRecord } from '../testing-record.ts';
import { type FhirRecord, RecordError } from './index.ts';

let test: TestDatabase;
let record: FhirRecord;

beforeAll(async () => {
  ({ test, record } = await testRecord());
});
afterAll(() => test.drop());

type Type = 'Basic' | 'Observation';

/** What a resource says: one identifier, one text, one of three patients. */
interface Content {
  tag: string;
  text: string;
  patient: number;
}

type Match = 'none' | 'current' | 'stale';

type Change =
  | { kind: 'update'; type: Type; slot: string; content: Content; match: Match }
  | { kind: 'patch'; type: Type; slot: string; form: 'json' | 'fhirpath'; text: string; holds: boolean; match: Match }
  | { kind: 'remove'; type: Type; slot: string; match: Match };

type Command =
  | Change
  | { kind: 'create'; type: Type; content: Content; ifNoneExist: boolean }
  | { kind: 'conditionalUpdate'; type: Type; content: Content }
  | { kind: 'conditionalPatch'; type: Type; tag: string; text: string }
  | { kind: 'conditionalRemove'; type: Type; tag: string }
  | { kind: 'transaction'; changes: Change[] }
  | { kind: 'race'; type: Type; slot: string; count: number };

const types: Type[] = ['Basic', 'Observation'];
const slots = ['a', 'b', 'c'];
const tags = ['x', 'y', 'z'];
const texts = ['one', 'two', 'three'];

const type = fc.constantFrom(...types);
const slot = fc.constantFrom(...slots);
const tag = fc.constantFrom(...tags);
const text = fc.constantFrom(...texts);
const content = fc.record({ tag, text, patient: fc.nat(2) });
const match = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Match>('none') },
  { weight: 2, arbitrary: fc.constant<Match>('current') },
  { weight: 1, arbitrary: fc.constant<Match>('stale') },
);
const kind = <K extends string>(name: K) => fc.constant(name);

const update = fc.record({ kind: kind('update'), type, slot, content, match });
const patch = fc.record({
  kind: kind('patch'),
  type,
  slot,
  form: fc.constantFrom('json' as const, 'fhirpath' as const),
  text,
  holds: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
  match,
});
const remove = fc.record({ kind: kind('remove'), type, slot, match });
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: update },
  { weight: 3, arbitrary: patch },
  { weight: 1, arbitrary: remove },
);
const changes = fc.uniqueArray(change, {
  minLength: 1,
  maxLength: 5,
  selector: ({ type: of, slot: at }) => `${of}/${at}`,
});
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 9, arbitrary: change },
  { weight: 2, arbitrary: fc.record({ kind: kind('create'), type, content, ifNoneExist: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('conditionalUpdate'), type, content }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('conditionalPatch'), type, tag, text }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('conditionalRemove'), type, tag }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('transaction'), changes }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('race'), type, slot, count: fc.integer({ min: 2, max: 5 }) }) },
);

/** The model: of each resource all that was ever said, undefined where it was deleted. */
class Model {
  readonly run: string;
  versions = new Map<string, (Content | undefined)[]>();

  constructor(run: string) {
    this.run = run;
  }

  key(of: Type, id: string): string {
    return `${of}/${id}`;
  }

  current(key: string): Content | undefined {
    return this.versions.get(key)?.at(-1);
  }

  version(key: string): number {
    return this.versions.get(key)?.length ?? 0;
  }

  push(key: string, said: Content | undefined): void {
    this.versions.set(key, [...(this.versions.get(key) ?? []), said]);
  }

  find(of: Type, tagged: string): string[] {
    return [...this.versions.keys()].filter((key) => key.startsWith(`${of}/`) && this.current(key)?.tag === tagged);
  }

  /** The outcome of one change: the status it fails with, or undefined. */
  apply(one: Change): number | undefined {
    const key = this.key(one.type, this.run + one.slot);
    const [before, isThere] = [this.current(key), this.versions.has(key)];
    if (one.kind === 'patch' && !before) return isThere ? 410 : 404;
    if (one.match === 'stale' || (one.match === 'current' && !isThere)) return 412;
    if (one.kind === 'update') this.push(key, one.content);
    if (one.kind === 'remove' && before) this.push(key, undefined);
    if (one.kind !== 'patch') return undefined;
    if (!one.holds) return 422;
    this.patch(key, one.text);
    return undefined;
  }

  /** A patch that changes nothing makes no version. */
  patch(key: string, said: string): void {
    const before = this.current(key)!;
    if (before.text !== said) this.push(key, { ...before, text: said });
  }

  /** All or nothing. */
  transaction(all: Change[]): boolean {
    const before = new Map(this.versions);
    if (all.every((one) => this.apply(one) === undefined)) return true;
    this.versions = before;
    return false;
  }
}

function resourceOf(run: string, of: Type, { tag: tagged, text: said, patient }: Content, id?: string) {
  return {
    resourceType: of,
    ...(id === undefined ? {} : { id }),
    identifier: [{ system: `urn:${run}`, value: tagged }],
    ...(of === 'Observation' ? { status: 'final' } : {}),
    code: { text: said },
    subject: { reference: `Patient/${run}p${patient}` },
  };
}

const scan = (resource: { resourceType: string }) => record.scan(JSON.stringify(resource), resource.resourceType);

/** A patch that gives the code another text; one that does not hold tests for a text that is never there. */
function patchOf(of: Type, form: 'json' | 'fhirpath', said: string, holds: boolean) {
  if (form === 'json') {
    const test = holds ? [] : [{ op: 'test', path: '/code/text', value: 'never' }];
    return JSON.stringify([{ op: 'replace', path: '/code/text', value: said }, ...test]);
  }
  const path = `${of}.code${holds ? '' : ".where(text = 'never')"}.text`;
  const part = [
    { name: 'type', valueCode: 'replace' },
    { name: 'path', valueString: path },
    { name: 'value', valueString: said },
  ];
  return JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'operation', part }] });
}

function ifMatchOf(model: Model, { type: of, slot: at, match: wanted }: Change): string | undefined {
  const version = model.version(model.key(of, model.run + at));
  return wanted === 'none' ? undefined : `W/"${wanted === 'stale' ? version + 7 : version}"`;
}

/** Carries out one change by itself, as the model says it goes. */
async function carryOut(model: Model, one: Change): Promise<void> {
  const id = model.run + one.slot;
  const when = { ifMatch: ifMatchOf(model, one) };
  const expected = model.apply(one);
  const outcome =
    one.kind === 'update'
      ? record.update(access, scan(resourceOf(model.run, one.type, one.content, id)), id, when)
      : one.kind === 'remove'
        ? record.remove(access, one.type, id, when)
        : record.patch(
            access,
            one.type,
            id,
            { kind: one.form, text: patchOf(one.type, one.form, one.text, one.holds) },
            when,
          );
  expect(await statusOf(outcome)).toBe(expected);
}

function entryOf(model: Model, one: Change): object {
  const id = model.run + one.slot;
  const request = { url: `${one.type}/${id}`, ifMatch: ifMatchOf(model, one) };
  if (one.kind === 'remove') return { request: { ...request, method: 'DELETE' } };
  if (one.kind === 'update') {
    return { request: { ...request, method: 'PUT' }, resource: resourceOf(model.run, one.type, one.content, id) };
  }
  const said = patchOf(one.type, one.form, one.text, one.holds);
  const binary = {
    resourceType: 'Binary',
    contentType: 'application/json-patch+json',
    data: Buffer.from(said).toString('base64'),
  };
  return { request: { ...request, method: 'PATCH' }, resource: one.form === 'json' ? binary : JSON.parse(said) };
}

/** Carries out a command on the record and on the model. */
async function perform(model: Model, one: Command): Promise<void> {
  const { run } = model;
  const condition = (tagged: string) => `identifier=urn:${run}|${tagged}`;
  switch (one.kind) {
    case 'create': {
      const found = one.ifNoneExist ? model.find(one.type, one.content.tag) : [];
      const ifNoneExist = one.ifNoneExist ? condition(one.content.tag) : undefined;
      const made = record.create(access, scan(resourceOf(run, one.type, one.content)), ifNoneExist);
      expect(await statusOf(made)).toBe(found.length > 1 ? 412 : undefined);
      if (found.length === 1) expect(`${one.type}/${(await made).id}`).toBe(found[0]);
      if (found.length === 0) model.push(model.key(one.type, (await made).id), one.content);
      return;
    }
    case 'conditionalUpdate': {
      const found = model.find(one.type, one.content.tag);
      const resource = scan(resourceOf(run, one.type, one.content));
      const made = record.conditionalUpdate(access, resource, condition(one.content.tag));
      expect(await statusOf(made)).toBe(found.length > 1 ? 412 : undefined);
      if (found.length <= 1) model.push(found[0] ?? model.key(one.type, (await made).id), one.content);
      return;
    }
    case 'conditionalPatch': {
      const found = model.find(one.type, one.tag);
      const said = { kind: 'json' as const, text: patchOf(one.type, 'json', one.text, true) };
      const status = await statusOf(record.conditionalPatch(access, one.type, condition(one.tag), said));
      expect(status).toBe(found.length === 1 ? undefined : found.length === 0 ? 404 : 412);
      if (found.length === 1) model.patch(found[0]!, one.text);
      return;
    }
    case 'conditionalRemove': {
      const removed = await record.conditionalRemove(access, one.type, condition(one.tag));
      const found = model.find(one.type, one.tag);
      expect(removed.map(({ id }) => `${one.type}/${id}`).sort()).toEqual([...found].sort());
      for (const key of found) model.push(key, undefined);
      return;
    }
    case 'transaction': {
      const entry = one.changes.map((each) => entryOf(model, each));
      const bundle = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
      const exchange = { base: 'http://h/fhir', single: () => Promise.reject(new Error()), fault: () => {} };
      const status = await statusOf(record.bundle(access, bundle, exchange));
      expect(status === undefined).toBe(model.transaction(one.changes));
      return;
    }
    case 'race':
      return race(model, one.type, one.slot, one.count);
    default:
      return carryOut(model, one);
  }
}

/** Patches that come at once are all carried out, in some order, where there is something to patch. */
async function race(model: Model, of: Type, at: string, count: number): Promise<void> {
  const id = model.run + at;
  const key = model.key(of, id);
  const before = model.current(key);
  const said = Array.from({ length: count }, (_, i) => `race ${i}`);
  const statuses = await Promise.all(
    said.map((each) => statusOf(record.patch(access, of, id, { kind: 'json', text: patchOf(of, 'json', each, true) }))),
  );
  expect(new Set(statuses)).toEqual(new Set([before ? undefined : model.versions.has(key) ? 410 : 404]));
  if (!before) return;
  const { versions } = await record.history(access, { type: of, id }, { count });
  const order = versions.map((stored) => JSON.parse(stored.text).code.text as string).reverse();
  expect([...order].sort()).toEqual(said);
  for (const each of order) model.push(key, { ...before, text: each });
}

/** Everything that can be read is as the model says. */
async function compare(model: Model): Promise<void> {
  const { run } = model;
  const saidIn = (stored: { text: string; version: number }) => {
    const { meta, ...said } = JSON.parse(stored.text);
    expect(meta.versionId).toBe(String(stored.version));
    return said;
  };
  for (const [key, versions] of model.versions) {
    const [of, id] = key.split('/') as [Type, string];
    const history = await record.history(access, { type: of, id }, { count: 1_000 });
    const expected = versions.map((said) => (said ? resourceOf(run, of, said, id) : undefined));
    const read = history.versions.map((stored) => (stored.deleted ? undefined : saidIn(stored)));
    expect(read).toEqual([...expected].reverse());
    const current = expected.at(-1);
    if (current) expect(saidIn(await record.read(access, of, id))).toEqual(current);
    else expect(await statusOf(record.read(access, of, id))).toBe(410);
    const first = record.vread(access, of, id, '1');
    expect(expected[0] ? saidIn(await first) : await statusOf(first)).toEqual(expected[0] ?? 410);
  }
  for (const of of types) {
    expect(await total(of)).toBe((await scanned(of)).length);
    const found = async (query: string) => {
      const request = record.readSearch(of, new URLSearchParams(query), false);
      const { matches } = await record.search(access, request);
      return matches.map((stored) => `${of}/${JSON.parse(stored.text).id}`).sort();
    };
    for (const tagged of tags) {
      expect(await found(`identifier=urn:${run}|${tagged}&_count=1000`)).toEqual(model.find(of, tagged).sort());
    }
    for (let patient = 0; patient < 3; patient++) {
      const theirs = [...model.versions.keys()].filter(
        (key) => key.startsWith(`${of}/`) && model.current(key)?.patient === patient,
      );
      expect(await found(`subject=Patient/${run}p${patient}&_count=1000`)).toEqual(theirs.sort());
    }
  }
}

/** The total of a type, which the writers keep. */
async function total(of: Type): Promise<number | undefined> {
  return (await record.search(access, record.readSearch(of, [['_summary', 'count']], false))).total;
}

/** Every resource of a type, one page after the other. */
async function scanned(of: Type): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: [string, string][] = []; ; ) {
    const request = record.readSearch(of, [['_count', '1000'], ...cursor], false);
    const { matches, next } = await record.search(access, request);
    found.push(...matches.map(({ rid }) => rid));
    if (next === undefined) return found;
    cursor = [['_cursor', next]];
  }
}

async function statusOf(outcome: Promise<unknown>): Promise<number | undefined> {
  try {
    await outcome;
    return undefined;
  } catch (error) {
    if (error instanceof RecordError) return error.status;
    throw error;
  }
}

it('any sequence of changes leaves what a model of the record says', { timeout: 60_000 }, async () => {
  let runs = 0;
  const sequence = fc.array(command, { minLength: 20, maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(sequence, async (commands) => {
      const model = new Model(`run${process.pid}-${runs++}-`);
      for (const one of commands) await perform(model, one);
      await compare(model);
    }),
    { numRuns: 15, endOnFailure: false },
  );
});
