import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { TestAuthority } from '../testing-certificates.ts';
import { Certificates, Participants, routesTo, type WatchedCertificate } from './index.ts';

let test: TestDatabase;
let authority: TestAuthority;
beforeAll(async () => {
  test = await testDatabase();
  authority = new TestAuthority();
});
afterAll(async () => {
  authority.remove();
  await test.drop();
});

const day = 86_400_000;
const lab = { key: 'lab', name: 'Lab', kind: 'lab', settings: {} };
const unknown = {
  sendingFacility: undefined,
  sendingApplication: undefined,
  identifierSystem: undefined,
  identifierAuthority: undefined,
};

it('tells of each certificate when it ends, once a day, and of those that cannot be read', async () => {
  const participants = new Participants(test.database);
  const sender = authority.issue('sender');
  const own = authority.issue('own');
  const broken = `${own.certificate}.broken`;
  writeFileSync(broken, 'nothing');
  const endpoint = { dialect: 'hl7v2', host: 'lab.example', port: 1, tls: { certificate: own.certificate } } as const;
  await participants.put({
    ...lab,
    ...unknown,
    routes: routesTo(endpoint),
    transport: { certificates: [sender.fingerprint] },
  });
  const files = [
    { what: 'MLLP over TLS', path: authority.certificate },
    { what: 'elsewhere', path: broken },
  ];
  const certificates = new Certificates(
    test.database,
    participants,
    async () => files,
    (error) => expect(error).toBeUndefined(),
  );
  await certificates.noteSeen({ participant: 'lab' }, new X509Certificate(readFileSync(sender.certificate)));
  const states = (found: WatchedCertificate[]) =>
    found.map(({ what, participant, state }) => [what, participant, state]);
  // The test authority's certificates are good for two days.
  expect(states(await certificates.list())).toEqual(
    expect.arrayContaining([
      ['elsewhere', undefined, 'unreadable'],
      ['MLLP over TLS', undefined, 'soon'],
      ['the hub’s own, towards it', 'lab', 'soon'],
      ['connects to the hub', 'lab', 'soon'],
    ]),
  );
  expect(new Set((await certificates.list(Date.now() + 3 * day)).map(({ state }) => state))).toEqual(
    new Set(['unreadable', 'expired']),
  );
  expect((await certificates.list(Date.now() - 31 * day)).filter(({ state }) => state === 'good')).toHaveLength(3);
  const told: [string, number | undefined][] = [];
  certificates.watch(({ what }, days) => told.push([what, days]), 50);
  await expect.poll(() => told.length).toBe(4);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(told).toHaveLength(4);
  expect(told.find(([what]) => what === 'MLLP over TLS')![1]).toBe(1);
  await certificates.close();
  // One that is not taken any more is told of no more.
  await participants.put({ ...lab, ...unknown, routes: routesTo(endpoint), transport: { certificates: [] } });
  expect(states(await certificates.list()).some(([what]) => what === 'connects to the hub')).toBe(false);
});
