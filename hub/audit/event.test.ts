import { hash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { privateKeys, sealed, shareOf, subjectKey, unsealed } from './commitments.ts';
import { type Entry, type PublicEvent, partsOf, type Subject, sealEvent, subjectNames } from './event.ts';
import { opened, sealedPartOf } from './open.ts';
import { packed, unpacked } from './rows.ts';

const entry: Entry = {
  at: '2026-03-04T05:06:07.890Z',
  who: 'ann',
  role: 'clinician',
  organization: 'Clinic',
  purpose: 'TREAT',
  action: 'search',
  what: '/Observation?code=secret-code',
  status: 200,
  reason: 'secret reason',
  patients: ['ada', 'bob'],
  decidedBy: { policy: 3, agreements: 12, consents: 4711 },
};

function keysFor(names: readonly string[]): Subject[] {
  return names.map((_, i) => ({ number: i + 7, ...subjectKey(randomBytes(32)) }));
}

function keyring(names: readonly string[], subjects: readonly Subject[]) {
  return new Map(subjects.map((subject, i) => [subject.number, { name: names[i]!, subject }]));
}

it('says in its leaf who did what, in canonical JSON, and hides whom it is about and what was asked', () => {
  const { line } = sealEvent(entry, keysFor(subjectNames(entry)));
  const event = JSON.parse(line) as PublicEvent;
  expect(Object.keys(event)).toEqual(Object.keys(event).toSorted());
  expect(JSON.stringify(event)).toBe(line);
  expect(line).not.toMatch(/secret|ada|bob/);
  expect(event).toEqual({
    v: 2,
    at: entry.at,
    who: 'ann',
    role: 'clinician',
    organization: 'Clinic',
    purpose: 'TREAT',
    action: 'search',
    status: 200,
    outcome: 'success',
    policy: 3,
    agreements: 12,
    consents: 4711,
    type: 'Observation',
    private: expect.stringMatching(/^[\w-]{43}$/),
    patients: [expect.stringMatching(/^[\w-]{43}$/), expect.stringMatching(/^[\w-]{43}$/)],
  });
  expect(sealEvent(entry, keysFor(['ada', 'bob'])).line).not.toBe(line);
});

it.each([
  [200, 'success'],
  [304, 'success'],
  [401, 'refused'],
  [403, 'refused'],
  [404, 'failed'],
  [503, 'error'],
])('ended with status %i as %s', (status, outcome) => {
  const { line } = sealEvent({ ...entry, status }, keysFor(subjectNames(entry)));
  expect(JSON.parse(line)).toMatchObject({ status, outcome });
});

it('says nothing of a decision where the hub acted for itself', () => {
  const { decidedBy: _, ...own } = entry;
  const event = JSON.parse(sealEvent(own, keysFor(subjectNames(own))).line);
  expect(Object.keys(event)).not.toEqual(expect.arrayContaining(['policy']));
  expect(event.v).toBe(2);
});

it('opens with the keys of all, of one patient alone, or not at all', () => {
  const names = subjectNames(entry);
  const subjects = keysFor(names);
  const stored = sealEvent(entry, subjects);
  const event = JSON.parse(stored.line) as PublicEvent;
  const [beside] = unpacked(packed([stored]));
  const all = opened(event, beside!, keyring(names, subjects));
  expect(sealedPartOf(all)).toEqual({ what: entry.what, reason: entry.reason });
  expect(all.patients.map(({ id }) => id)).toEqual(['ada', 'bob']);
  const { salt, id } = all.patients[0]!;
  const salted = Buffer.concat([Buffer.from(salt, 'base64url'), Buffer.from(id)]);
  expect(hash('sha256', salted, 'base64url')).toBe(event.patients![0]);
  const text = Buffer.concat([Buffer.from(all.private!.salt, 'base64url'), Buffer.from(all.private!.text)]);
  expect(hash('sha256', text, 'base64url')).toBe(event.private);
  const one = opened(event, beside!, keyring(names.slice(1), subjects.slice(1)));
  expect(one).toEqual({ patients: [{ index: 1, id: 'bob', salt: expect.any(String) }] });
  expect(opened(event, beside!, new Map())).toEqual({ patients: [] });
});

it('hides from where an access came in the leaf and in what a receipt shows, and holds it to its word', () => {
  const come = { ...entry, address: '192.0.2.7', token: 'abc' };
  const names = subjectNames(come);
  const subjects = keysFor(names);
  const stored = sealEvent(come, subjects);
  const event = JSON.parse(stored.line) as PublicEvent;
  const all = opened(event, stored, keyring(names, subjects));
  expect(`${stored.line} ${all.private!.text}`).not.toMatch(/192\.0\.2\.7|abc/);
  expect(JSON.parse(all.private!.text).origin).toMatch(/^[\w-]{43}$/);
  expect(sealedPartOf(all)).toEqual({
    what: entry.what,
    reason: entry.reason,
    address: '192.0.2.7',
    token: 'abc',
  });
  const { key } = privateKeys(subjects.map((subject) => shareOf(subject, stored.nonce).secret));
  const moved = sealed(key, unsealed(key, stored.sealed).replace('192.0.2.7', '192.0.2.8'));
  expect(() => opened(event, { ...stored, sealed: moved }, keyring(names, subjects))).toThrow('another origin');
  const without = sealed(key, all.private!.text);
  expect(() => opened(event, { ...stored, sealed: without }, keyring(names, subjects))).toThrow('another origin');
});

it('tells where what is sealed is not what the leaf says', () => {
  const names = subjectNames(entry);
  const subjects = keysFor(names);
  const stored = sealEvent(entry, subjects);
  const keys = keyring(names, subjects);
  const other = sealEvent({ ...entry, what: '/Patient' }, subjects);
  const event = JSON.parse(stored.line) as PublicEvent;
  expect(() => opened(event, other, keys)).toThrow('another patient');
  expect(() => opened({ ...event, private: 'x' }, stored, keys)).toThrow('another private text');
  const flipped = Buffer.from(stored.sealed);
  flipped[0]! ^= 1;
  expect(() => opened(event, { ...stored, sealed: flipped }, keys)).toThrow();
});

it('names neither a patient nor a proxy, whose account seals it too', () => {
  const own: Entry = { ...entry, who: 'pat', role: 'proxy', patients: ['ada'] };
  expect(subjectNames(own)).toEqual(['ada', 'account:pat', 'month:2026-03']);
  const stored = sealEvent(own, keysFor(subjectNames(own)));
  expect(stored.line).not.toContain('pat"');
  expect(stored.found).toBe(2);
  expect(subjectNames({ ...own, patients: [] })).toEqual(['account:pat', 'month:2026-03']);
  expect(subjectNames({ ...entry, patients: [] })).toEqual(['month:2026-03']);
});

it('says no type that a caller made up', () => {
  const typeOf = (what: string) =>
    (JSON.parse(sealEvent({ ...entry, what }, keysFor(['ada', 'bob'])).line) as PublicEvent).type;
  expect(['/Patient/1', 'Patient?x', '/Patient', '/Smith/1', '/metadata', ''].map(typeOf)).toEqual([
    'Patient',
    'Patient',
    'Patient',
    undefined,
    undefined,
    undefined,
  ]);
});

it('is cut where it names more than a hundred patients, each once', () => {
  const patients = Array.from({ length: 250 }, (_, i) => `p${i}`);
  const parts = partsOf({ ...entry, patients: [...patients, 'p7'], unproven: ['p0', 'p249'] });
  expect(parts.map((one) => [one.part, one.parts, one.patients!.length, one.unproven])).toEqual([
    [1, 3, 100, ['p0']],
    [2, 3, 100, undefined],
    [3, 3, 50, ['p249']],
  ]);
  expect(parts.flatMap((one) => one.patients)).toEqual(patients);
});
