/** The region as a whole: repeatable, streaming, and true to its own truth. */

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { messages, type RegionMessage, type RegionOptions, showcase, sites, type TruthPerson, truth } from './index.ts';

const PEOPLE = 200;
const all = [...messages({ people: PEOPLE })];
const people = [...truth({ people: PEOPLE })];

function fingerprint(options: RegionOptions): string {
  const hash = createHash('sha256');
  for (const message of messages(options))
    hash.update(`${message.site}|${message.at}|${message.controlId}|${message.body}`);
  return hash.digest('hex');
}

/** Every record number a message names: PID-3 and MRG-1, recordTarget ids, Patient.identifier. */
function identifiersIn({ site, dialect, body }: RegionMessage): { system: string; value: string }[] {
  const { identifierSystem } = sites().find((each) => each.key === site)!;
  if (dialect === 'hl7v2') {
    const numbers = [...body.matchAll(/(?:^|\r)(?:PID\|[^|]*\|[^|]*|MRG)\|([^|^\r]+)/g)].map((found) => found[1]!);
    return numbers.map((value) => ({ system: identifierSystem, value }));
  }
  if (dialect === 'ccda') {
    const [, root, value] = /<patientRole><id root="([^"]+)" extension="([^"]+)"/.exec(body)!;
    return [{ system: `urn:oid:${root}`, value: value! }];
  }
  const bundle = JSON.parse(body) as { entry: { resource: { resourceType: string; identifier?: [] } }[] };
  return bundle.entry.flatMap(({ resource }) =>
    resource.resourceType === 'Patient' ? (resource.identifier ?? []) : [],
  );
}

describe('repeatable', () => {
  test('equal options give equal bytes, another seed another town', () => {
    const first = fingerprint({ people: 20 });
    // The same on every machine and run; it changes when what the sites send is changed on purpose.
    expect(first.slice(0, 16)).toBe('c63923fb6461063c');
    expect(fingerprint({ people: 20 })).toBe(first);
    expect(fingerprint({ people: 20, seed: 2 })).not.toBe(first);
  });

  test('a larger region begins with the smaller one', () => {
    const lastHousehold = people.at(-1)!.household;
    const small = all.filter((message) => !message.controlId.slice(3).startsWith(lastHousehold.slice(1)));
    const large = messages({ people: PEOPLE + 50 });
    for (const message of small) expect(large.next().value).toEqual(message);
  });
});

describe('true', () => {
  test('every record number in a message is in the truth, and the other way round', () => {
    const known = new Set(
      people.flatMap((person) => person.records.map(({ identifier }) => `${identifier.system}|${identifier.value}`)),
    );
    const told = new Set(
      all.flatMap((message) => identifiersIn(message).map(({ system, value }) => `${system}|${value}`)),
    );
    expect([...told].filter((identifier) => !known.has(identifier))).toEqual([]);
    expect([...known].filter((identifier) => !told.has(identifier))).toEqual([]);
    expect(known.size).toBe(people.flatMap((person) => person.records).length);
  });

  test('as many people as asked for, each known somewhere', () => {
    expect(people).toHaveLength(PEOPLE);
    expect(people.filter((person) => person.records.length === 0)).toEqual([]);
  });

  test('the same fact is told by several sites', () => {
    const shared = (kind: string): number =>
      people.flatMap((person) => person.facts).filter((fact) => fact.kind === kind && fact.sites.length > 1).length;
    for (const kind of ['condition', 'medication', 'allergy', 'result', 'procedure'])
      expect(shared(kind)).toBeGreaterThan(10);
  });
});

describe('the hard cases are among the first two hundred', () => {
  const countOf = (rule: (person: TruthPerson) => boolean): number => people.filter(rule).length;
  const inBody = (type: string, text: string | RegExp): number =>
    all.filter((message) => message.type === type && message.body.search(text) >= 0).length;

  test('of identity', () => {
    const related = (kind: string) => countOf((person) => person.relations.some((relation) => relation.kind === kind));
    expect(related('twin of')).toBeGreaterThanOrEqual(2);
    expect(related('namesake parent of')).toBeGreaterThanOrEqual(1);
    expect(countOf((person) => person.name.maiden !== undefined)).toBeGreaterThanOrEqual(1);
    expect(
      countOf((person) => person.records.some((record) => record.slips.includes('wrong digit in birth date'))),
    ).toBeGreaterThanOrEqual(1);
    expect(
      countOf((person) => person.records.some((record) => record.placeholder === 'resolved')),
    ).toBeGreaterThanOrEqual(1);
    expect(
      countOf((person) => person.records.some((record) => record.mergedInto !== undefined)),
    ).toBeGreaterThanOrEqual(1);
    expect(countOf((person) => new Set(person.records.map((record) => record.site)).size === 1)).toBeGreaterThanOrEqual(
      1,
    );
    expect(inBody('ADT^A40', 'MRG|')).toBeGreaterThanOrEqual(1);
    expect(inBody('ADT^A04', /\|DOE\^J/) + inBody('ADT^A01', /\|DOE\^J/)).toBeGreaterThanOrEqual(1);
    expect(inBody('ADT^A01', /\^BABY (BOY|GIRL)/)).toBeGreaterThanOrEqual(1);
  });

  test('of results, documents and allergies', () => {
    expect(inBody('ORU^R01', /\|C\r(?:OBX|NTE)|\|\|\|C\|/)).toBeGreaterThanOrEqual(1);
    expect(inBody('ORU^R01', /\|\|\|W\|/)).toBeGreaterThanOrEqual(1);
    expect(inBody('ORU^R01', /\|\|\|D\|/)).toBeGreaterThanOrEqual(1);
    expect(inBody('MDM^T02', 'DISCHARGE SUMMARY')).toBeGreaterThanOrEqual(1);
    expect(inBody('CCD', 'negationInd="true"')).toBeGreaterThanOrEqual(1);
    expect(inBody('CCD', 'Not allergic to penicillin')).toBeGreaterThanOrEqual(1);
    expect(inBody('Referral note', 'Reason for referral')).toBeGreaterThanOrEqual(1);
  });

  test('the showcase person is known at all four sites, with much to tell', () => {
    const person = showcase({ people: PEOPLE });
    expect(person).toEqual(people[0]);
    expect(new Set(person.records.map((record) => record.site)).size).toBe(4);
    expect(person.facts.length).toBeGreaterThan(50);
    const number = person.records.find((record) => record.site === 'harbor-hospital')!.identifier.value;
    const atHospital = all.filter(
      (message) => message.site === 'harbor-hospital' && message.body.includes(`|${number}^`),
    );
    expect(new Set(atHospital.map((message) => message.type))).toEqual(
      new Set(['ADT^A01', 'ADT^A03', 'ADT^A04', 'ADT^A08', 'MDM^T02', 'ORU^R01', 'SIU^S12']),
    );
  });
});

describe('as a stream', () => {
  test('in time order within a household, before the end, control ids unique', () => {
    const lastAt = new Map<string, string>();
    for (const { controlId, at } of all) {
      const home = controlId.slice(3, 8);
      expect(at >= (lastAt.get(home) ?? '')).toBe(true);
      expect(at < '2026-06-30T05').toBe(true);
      lastAt.set(home, at);
    }
    expect(new Set(all.map((message) => message.controlId)).size).toBe(all.length);
  });

  test('twelve to eighteen messages a person', () => {
    expect(all.length / PEOPLE).toBeGreaterThan(12);
    expect(all.length / PEOPLE).toBeLessThan(18);
  });

  test('memory does not grow with the region', () => {
    const stream = messages({ people: 100_000 });
    let characters = 0;
    for (let count = 0; count < 6_000; count++) characters += (stream.next().value as RegionMessage).body.length;
    expect(characters).toBeGreaterThan(20_000_000);
    expect(process.memoryUsage().heapUsed).toBeLessThan(400_000_000);
  });
});
