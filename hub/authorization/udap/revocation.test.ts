import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { revocationFetch } from '../revocation-fetch.ts';
import { checkTrust } from './chain.ts';
import { ocspRequest, readOcspResponse } from './ocsp.ts';
import { Revocations } from './revocation.ts';
import type { RevocationRule } from './revocation-rules.ts';
import { inDays, type TestHolder, testRoot } from './testing.ts';
import { TestRevocation, type Way } from './testing-revocation.ts';
import { CRLDistributionPointsExtension, Extension, X509Crl, X509CrlGenerator } from './x509.ts';

const uri = 'https://client.example';
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as never;

let root: TestHolder;
let service: TestRevocation;
let unreached: string[];
let revocations: Revocations;
beforeAll(async () => {
  root = await testRoot('Root');
  service = await TestRevocation.start(root);
});
afterAll(() => service.stop());
beforeEach(() => {
  unreached = [];
  revocations = opened([service.url]);
  service.state = 'answers';
  service.asked.length = 0;
  service.responder = undefined;
});

function opened(from: string[]): Revocations {
  return new Revocations(revocationFetch(from), {
    failed: ({ address }) => unreached.push(address),
    answered: () => {},
  });
}

/** Undefined where it is trusted, else why not. */
function refusal(
  { certificate, between }: TestHolder,
  rule: RevocationRule = 'required',
  now = new Date(),
  lists: X509Crl[] = [],
): Promise<string | undefined> {
  const revocation = (one: typeof certificate, issuer: typeof certificate) =>
    revocations.check(one, issuer, { rule, lists }, now);
  return checkTrust(certificate, between, { anchors: [root.certificate], revocation }, now).then(
    () => undefined,
    (error) => error.message,
  );
}

describe.each([['ocsp'], ['crl']] as Way[][])('by %s', (way) => {
  test('one that is good is taken, a revoked one is not', async () => {
    const [good, bad] = [await service.issue('Good', uri, [way!]), await service.issue('Bad', uri, [way!])];
    service.revoked.add(bad);
    expect(await refusal(good)).toBeUndefined();
    expect(await refusal(bad)).toContain('is revoked');
    expect(new Set(service.asked)).toEqual(new Set([way]));
  });

  test('is asked once for what holds for a while, also by many at one moment', async () => {
    const good = await service.issue('Good', uri, [way!]);
    await Promise.all(Array.from({ length: 20 }, () => refusal(good)));
    expect(await refusal(good)).toBeUndefined();
    expect(service.asked).toHaveLength(1);
    expect(await refusal(good, 'required', new Date(Date.now() + 3_601_000))).toBeUndefined();
    expect(service.asked).toHaveLength(2);
  });

  test.each(['fails', 'silent'] as const)(
    'where it %s, only who may be without is taken, and it is left alone for a while',
    async (state) => {
      const good = await service.issue('Good', uri, [way!]);
      service.state = state;
      expect(await refusal(good)).toContain('cannot be learned');
      expect(await refusal(good, 'named')).toContain('cannot be learned');
      expect(await refusal(good, 'reachable')).toBeUndefined();
      expect(await refusal(good, 'off')).toBeUndefined();
      expect([service.asked.length, unreached.length]).toEqual([1, 1]);
      service.state = 'answers';
      expect(await refusal(good, 'required', new Date(Date.now() + 31_000))).toBeUndefined();
    },
  );
});

test('who names nobody to ask needs an answer only where each does, or where the operator named lists', async () => {
  const silent = await root.issue('Silent', uri);
  expect(await refusal(silent)).toContain('nothing tells');
  expect(await refusal(silent, 'named')).toBeUndefined();
  expect(await refusal(silent, 'reachable')).toBeUndefined();
  const others = [new X509Crl((await (await testRoot('Other')).revocations([])) as never)];
  expect(await refusal(silent, 'named', new Date(), others)).toContain('nothing tells');
  expect(
    await refusal(silent, 'named', new Date(), [new X509Crl((await root.revocations([])) as never)]),
  ).toBeUndefined();
});

test('a list serves until its time is over, while it cannot be fetched anew', async () => {
  const good = await service.issue('Good', uri, ['crl']);
  expect(await refusal(good)).toBeUndefined();
  service.state = 'fails';
  expect(await refusal(good, 'required', new Date(Date.now() + 7_200_000))).toBeUndefined();
  expect(unreached).toHaveLength(1);
  expect(await refusal(good, 'required', inDays(7.5))).toContain('cannot be learned');
});

test('what a responder said serves until its time is over, while it does not answer', async () => {
  const good = await service.issue('Good', uri, ['ocsp']);
  expect(await refusal(good)).toBeUndefined();
  service.state = 'fails';
  expect(await refusal(good, 'required', new Date(Date.now() + 7_200_000))).toBeUndefined();
  expect(unreached).toHaveLength(1);
  expect(await refusal(good, 'required', inDays(1.5))).toContain('cannot be learned');
});

test('where the responder fails, the list tells', async () => {
  const bad = await service.issue('Bad', uri, ['ocsp', 'crl']);
  service.revoked.add(bad);
  service.responder = await root.issue('Nobody', undefined);
  expect(await refusal(bad)).toContain('is revoked');
  expect(service.asked).toEqual(['ocsp', 'crl']);
});

test('nobody is asked whom a certificate names that is not trusted otherwise', async () => {
  const stranger = await testRoot('Stranger');
  const names = [new CRLDistributionPointsExtension([`${service.url}/list.crl`])];
  const below = await service.issue('No authority', uri, []);
  for (const holder of [
    await stranger.issue('Client', uri, { extensions: names }),
    await root.issue('Client', uri, { extensions: names, notAfter: inDays(-0.5) }),
    await below.issue('Client', uri, { extensions: names }),
  ]) {
    expect(await refusal(holder)).toBeDefined();
  }
  expect(service.asked).toEqual([]);
});

test('addresses in the hub’s own network are not asked', async () => {
  revocations = opened([]);
  for (const way of ['ocsp', 'crl'] as const) {
    expect(await refusal(await service.issue('Good', uri, [way]))).toContain('cannot be learned');
  }
  expect(unreached).toHaveLength(2);
  expect(service.asked).toEqual([]);
});

describe('an answer of a responder', () => {
  const read = async (holder: TestHolder, bytes: Buffer, now = new Date()) =>
    (await readOcspResponse(bytes, holder.certificate, root.certificate, now)).status;
  const asked = (holder: TestHolder) => ocspRequest(holder.certificate, root.certificate);

  test('is taken of the authority, and of whom it lets answer', async () => {
    const good = await service.issue('Good', uri, ['ocsp']);
    const unknown = await root.issue('Unknown', uri);
    expect(await read(good, await service.answer(await asked(good)))).toBe('good');
    expect(await read(unknown, await service.answer(await asked(unknown)))).toBe('unknown');
    service.responder = await service.delegate();
    expect(await read(good, await service.answer(await asked(good)))).toBe('good');
  });

  test('is not taken of anybody else, about another, of another time, or changed', async () => {
    const [good, other] = [await service.issue('Good', uri, []), await service.issue('Other', uri, [])];
    const answer = await service.answer(await asked(good));
    await expect(read(other, answer)).rejects.toThrow('another certificate');
    await expect(read(good, answer, inDays(2))).rejects.toThrow('too old');
    await expect(read(good, answer, inDays(-1))).rejects.toThrow('future');
    const changed = Buffer.from(answer);
    // A second of the time at which it was made.
    changed[changed.indexOf('Z') - 1]! ^= 1;
    await expect(read(good, changed)).rejects.toThrow('not signed');
    for (const responder of [
      await service.delegate(['1.3.6.1.5.5.7.3.2']),
      await root.issue('Nobody', undefined),
      await (await testRoot('Root')).issue('Responder', undefined),
    ]) {
      service.responder = responder;
      const forged = await service.answer(await asked(good));
      await expect(read(good, forged)).rejects.toThrow('not signed');
    }
    await expect(read(good, Buffer.from('nothing'))).rejects.toThrow();
    // tryLater (3): OCSPResponse with a status alone.
    await expect(read(good, Buffer.from('30030a0103', 'hex'))).rejects.toThrow('status 3');
  });
});

describe('a list of a part', () => {
  /** @param scope the content of an IssuingDistributionPoint, hexadecimal */
  const listOf = async (scope: string, revoked: readonly TestHolder[] = []) => {
    const content = Buffer.from(scope, 'hex');
    const value = Buffer.concat([Buffer.from([0x30, content.length]), content]);
    const list = await X509CrlGenerator.create({
      issuer: root.certificate.subject,
      thisUpdate: inDays(-1),
      nextUpdate: inDays(1),
      signingAlgorithm: algorithm,
      signingKey: root.keys.privateKey,
      entries: revoked.map(({ certificate }) => ({ serialNumber: certificate.serialNumber })),
      extensions: [new Extension('2.5.29.28', true, new Uint8Array(value))],
    });
    return [list];
  };
  const named = (address: string) => {
    const text = Buffer.from(address, 'latin1').toString('hex');
    const length = (bytes: number) => bytes.toString(16).padStart(2, '0');
    const name = `86${length(address.length)}${text}`;
    return `a0${length(address.length + 4)}a0${length(address.length + 2)}${name}`;
  };

  test('tells of what is in it alone', async () => {
    const client = await service.issue('Client', uri, ['crl']);
    service.state = 'fails';
    const told = async (scope: string) =>
      (await refusal(client, 'required', new Date(), await listOf(scope))) === undefined;
    expect(await told('')).toBe(true);
    expect(await told('8101ff')).toBe(true);
    expect(await told('8201ff')).toBe(false);
    expect(await told('8401ff')).toBe(false);
    expect(await told('8501ff')).toBe(false);
    expect(await told('83020640')).toBe(false);
    expect(await told(named(`${service.url}/list.crl`))).toBe(true);
    expect(await told(named(`${service.url}/other.crl`))).toBe(false);
    expect(await refusal(client, 'required', new Date(), await listOf('8101ff', [client]))).toContain('is revoked');
  });
});
