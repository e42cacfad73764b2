import { beforeAll, describe, expect, test } from 'vitest';
import { type Anchors, checkTrust, readCertificates, urisOf } from './chain.ts';
import { Revocations } from './revocation.ts';
import { authorityExtensions, inDays, type TestHolder, testRoot, type Wishes } from './testing.ts';
import { BasicConstraintsExtension, Extension, KeyUsageFlags, KeyUsagesExtension, X509Crl } from './x509.ts';

const uri = 'https://client.example';

let root: TestHolder;
let middle: TestHolder;

beforeAll(async () => {
  root = await testRoot('Root');
  middle = await root.authority('Middle', 0);
});

const trusting = (holder: TestHolder, revoked?: Buffer[]): Anchors => {
  const lists = revoked?.map((list) => new X509Crl(list as never));
  const untold = { failed: () => {}, answered: () => {} };
  const revocations = new Revocations(() => Promise.reject(new Error('nobody is asked')), untold);
  return {
    anchors: [holder.certificate],
    revocation: lists && ((one, issuer, now) => revocations.check(one, issuer, { rule: 'required', lists }, now)),
  };
};

/** Undefined where it is trusted, else why not. */
function refusal(holder: TestHolder, trust = trusting(root)): Promise<string | undefined> {
  return checkTrust(holder.certificate, holder.between, trust).then(
    () => undefined,
    (error) => error.message,
  );
}

test('a certificate of an anchor, or of an authority below it, is trusted', async () => {
  expect(await refusal(await root.issue('Client', uri))).toBeUndefined();
  expect(await refusal(await middle.issue('Client', uri))).toBeUndefined();
  expect(await refusal(await (await testRoot('R', 'RS256')).issue('Client', uri))).toMatch(/leads to none/);
  const rsa = await testRoot('RSA', 'RS256');
  expect(await refusal(await rsa.issue('Client', uri, { alg: 'RS256' }), trusting(rsa))).toBeUndefined();
});

test('its URIs are those of the Subject Alternative Name', async () => {
  expect(urisOf((await root.issue('Client', uri)).certificate)).toEqual([uri]);
  expect(urisOf((await root.issue(uri, undefined)).certificate)).toEqual([]);
});

describe('is not trusted', () => {
  const cases: { [why: string]: () => Promise<TestHolder> } = {
    'has expired': () => root.issue('Client', uri, { notAfter: inDays(-0.5) }),
    'is not valid yet': () => root.issue('Client', uri, { notBefore: inDays(1) }),
    'leads to none': async () => (await testRoot('Root')).issue('Client', uri),
    'is an authority’s own': () => root.issue('Client', uri, { extensions: authorityExtensions() }),
    'is not for signatures': () =>
      root.issue('Client', uri, { extensions: [new KeyUsagesExtension(KeyUsageFlags.keyEncipherment, true)] }),
    'critical extension': () =>
      root.issue('Client', uri, { extensions: [new Extension('1.2.3.4', true, new Uint8Array([5, 0]))] }),
    'digest that is too weak': () => root.issue('Client', uri, { hash: 'SHA-1' }),
  };
  for (const [why, made] of Object.entries(cases)) {
    test(why, async () => expect(await refusal(await made())).toContain(why));
  }

  const below: { [why: string]: Wishes } = {
    'is no authority': { extensions: [new BasicConstraintsExtension(false, undefined, true)] },
    'may sign no certificates': {
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      ],
    },
    'has expired': { extensions: authorityExtensions(), notAfter: inDays(-0.5) },
  };
  for (const [why, wishes] of Object.entries(below)) {
    test(`below one that ${why}`, async () => {
      const between = await root.issue('Between', undefined, wishes);
      expect(await refusal(await between.issue('Client', uri))).toContain(why);
    });
  }

  test('below more authorities than one of them may have', async () => {
    const lower = await middle.authority('Lower');
    expect(await refusal(await lower.issue('Client', uri))).toContain('may have fewer authorities below it');
  });

  test('by itself, though its name is that of an anchor', async () => {
    const other = await testRoot('Root');
    expect(await refusal(other)).toContain('leads to none');
  });
});

describe('where revocation is asked for', () => {
  test('a revoked one is refused, another is not', async () => {
    const [bad, good] = [await root.issue('Bad', uri), await root.issue('Good', uri)];
    const trust = trusting(root, [await root.revocations([bad])]);
    expect(await refusal(bad, trust)).toContain('is revoked');
    expect(await refusal(good, trust)).toBeUndefined();
  });

  test('so is one whose authority is revoked, or of which no current list tells', async () => {
    const client = await middle.issue('Client', uri);
    const ofRoot = await root.revocations([]);
    const ofMiddle = await middle.revocations([]);
    expect(await refusal(client, trusting(root, [ofRoot, ofMiddle]))).toBeUndefined();
    expect(await refusal(client, trusting(root, [ofRoot]))).toContain('nothing tells whether');
    expect(await refusal(client, trusting(root, [await root.revocations([middle]), ofMiddle]))).toContain('is revoked');
    const old = await middle.revocations([], inDays(-0.5), inDays(-3));
    expect(await refusal(client, trusting(root, [ofRoot, old]))).toContain('nothing tells whether');
  });

  test('a list that another signed tells nothing', async () => {
    const client = await root.issue('Client', uri);
    const forged = await (await testRoot('Root')).revocations([]);
    expect(await refusal(client, trusting(root, [forged]))).toContain('nothing tells whether');
  });
});

test('what is no list of certificates is refused', () => {
  for (const x5c of [
    undefined,
    [],
    'abc',
    [1],
    ['not base64!'],
    ['AAAA'],
    Array(7).fill('AAAA'),
    ['A'.repeat(20_000)],
  ]) {
    expect(() => readCertificates(x5c)).toThrow(/^x5c/);
  }
});
