import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { CertificateRevocation } from './certificate-revocation.ts';
import { distrustOf, revocationOf } from './certificate-trust.ts';
import { RevocationSources } from './revocation-sources.ts';
import type { RevocationRule } from './udap/revocation-rules.ts';
import { type TestHolder, testRoot } from './udap/testing.ts';
import { TestRevocation } from './udap/testing-revocation.ts';

let folder: string;
let root: TestHolder;
let service: TestRevocation;
let logged: { level: number; msg: string; address: string }[];
let sources: RevocationSources;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-sources-'));
  root = await testRoot('Root');
  service = await TestRevocation.start(root);
});
afterAll(() => {
  service.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  logged = [];
  service.state = 'answers';
  sources?.close();
  sources = opened();
});

function opened(everyMs?: number): RevocationSources {
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) });
  return new RevocationSources([service.url], log, everyMs);
}
const by = (rule: RevocationRule, lists: string[] = [], of = sources) =>
  new CertificateRevocation({ rule, lists, sources: of });
const named = ({ certificate }: TestHolder) => new X509Certificate(Buffer.from(certificate.rawData));

test('who gives no answer is shown and told of once, asked again, and told of when it answers', async () => {
  const good = await service.issue('Good', undefined, ['ocsp']);
  const watched = opened(20);
  service.state = 'fails';
  await expect(by('named', [], watched).check(good.certificate, root.certificate)).rejects.toThrow('cannot be learned');
  const address = `${service.url}/ocsp`;
  expect(watched.silent()).toEqual([{ address, since: expect.any(Date), reason: 'it is answered with 500' }]);
  const before = service.asked.length;
  await vi.waitFor(() => expect(service.asked.length).toBeGreaterThan(before + 2));
  expect(logged.map(({ level, address: of }) => [level, of])).toEqual([[50, address]]);
  service.state = 'answers';
  await vi.waitFor(() => expect(watched.silent()).toEqual([]));
  expect(logged.map(({ level, msg }) => [level, msg]).slice(1)).toEqual([
    [40, 'what tells of revoked certificates answers again'],
  ]);
  watched.close();
});

test('a file of lists that cannot be read is shown, until it can', async () => {
  const path = join(folder, 'list.crl');
  const good = await root.issue('Good', undefined);
  await expect(by('named', [path]).check(good.certificate, root.certificate)).rejects.toThrow('list cannot be had');
  await expect(by('reachable', [path]).check(good.certificate, root.certificate)).resolves.toBeUndefined();
  expect(sources.silent()).toMatchObject([{ address: path, reason: 'Error ENOENT' }]);
  writeFileSync(path, await root.revocations([]));
  await expect(by('required', [path]).check(good.certificate, root.certificate)).resolves.toBeUndefined();
  expect(sources.silent()).toEqual([]);
});

test('an address in a private network is not asked, and that is said', async () => {
  const good = await service.issue('Good', undefined, ['crl']);
  const closed = new RevocationSources([], pino({ level: 'silent' }));
  await expect(by('named', [], closed).check(good.certificate, root.certificate)).rejects.toThrow('cannot be learned');
  expect(closed.silent()).toMatchObject([{ reason: 'The address is not one of the public internet.' }]);
  closed.close();
});

test('what can be asked about a certificate is told without reading it', async () => {
  const der = ({ certificate }: TestHolder) => Buffer.from(certificate.rawData);
  const [ocsp, crl] = [await service.issue('One', undefined, ['ocsp']), await service.issue('Two', undefined, ['crl'])];
  const silent = await service.issue('Silent', undefined, []);
  const open = (rule: RevocationRule, lists: string[] = []) =>
    [ocsp, crl, silent].map((one) => by(rule, lists).isOpen(der(one)));
  expect(open('named')).toEqual([true, true, false]);
  expect(open('reachable')).toEqual([true, true, false]);
  expect(open('named', ['a.crl'])).toEqual([true, true, true]);
  expect(open('required')).toEqual([true, true, true]);
  expect(open('off')).toEqual([false, false, false]);
});

test('by a path to an authority: revoked, unknown now, or off', async () => {
  const [good, bad] = [
    await service.issue('Good', undefined, ['crl']),
    await service.issue('Bad', undefined, ['ocsp']),
  ];
  service.revoked.add(bad);
  const judged = (of: TestHolder, rule: RevocationRule) => distrustOf(named(of), [], [named(root)], by(rule));
  expect(await judged(good, 'required')).toBeUndefined();
  expect(await judged(bad, 'named')).toEqual({ why: 'the certificate of CN=Bad is revoked', isPassing: false });
  expect(await judged(bad, 'off')).toBeUndefined();
  expect(await judged(await root.issue('Silent', undefined), 'required')).toMatchObject({ isPassing: false });
  service.state = 'fails';
  const other = await service.issue('Other', undefined, ['ocsp']);
  expect(await judged(other, 'named')).toMatchObject({ isPassing: true });
  expect(await judged(other, 'reachable')).toBeUndefined();
});

test('a certificate that is trusted by itself: its authority is looked for beside it, and where it says', async () => {
  const [good, bad] = [
    await service.issue('Good', undefined, ['ocsp']),
    await service.issue('Bad', undefined, ['ocsp']),
  ];
  const alone = await service.issue('Alone', undefined, ['crl']);
  service.revoked.add(bad).add(alone);
  const judged = (of: TestHolder, rule: RevocationRule, ...beside: TestHolder[]) =>
    revocationOf([of, ...beside].map(named), by(rule));
  expect(await judged(good, 'required')).toBeUndefined();
  expect(await judged(bad, 'named')).toMatchObject({ why: expect.stringContaining('is revoked'), isPassing: false });
  // It names a list, and not where its authority's certificate is.
  expect(await judged(alone, 'named')).toMatchObject({ why: expect.stringContaining('authority of'), isPassing: true });
  expect(await judged(alone, 'reachable')).toBeUndefined();
  expect(await judged(alone, 'named', root)).toMatchObject({ isPassing: false });
  expect(await judged(await root.issue('Silent', undefined), 'named')).toBeUndefined();
  expect(await distrustOf(named(bad), [], [named(bad)], by('named'))).toMatchObject({ isPassing: false });
  // An authority of the same name with another key is not its own.
  const stranger = await testRoot('Root');
  expect(await judged(alone, 'named', stranger)).toMatchObject({ isPassing: true });
});
