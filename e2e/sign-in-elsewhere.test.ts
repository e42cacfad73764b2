/**
 * Users whom an identity provider of a trust community signs in (UDAP Tiered OAuth), in a real browser: the provider is the hub
 * itself, which is one of its own community.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, expect, it } from 'vitest';
import { testRoot, writeCommunity } from '../hub/authorization/testing.ts';
import { TestAuthority } from '../hub/testing-certificates.ts';
import { freePort, type SecureHub } from './hub.ts';
import { Scene } from './scene.ts';

const usual = getCACertificates('default');
const authority = new TestAuthority();
const folder = mkdtempSync(join(tmpdir(), 'causeway-elsewhere-'));
const browser = { ignoreHTTPSErrors: true };
let issuer: string;

const scene = new Scene(5, async (): Promise<SecureHub> => {
  setDefaultCACertificates([...usual, readFileSync(authority.certificate, 'utf8')]);
  const port = await freePort();
  const url = `https://localhost:${port}`;
  issuer = `${url}/oauth`;
  const { certificate, key } = authority.issue('hub');
  const root = await testRoot('Towns', 'RS256');
  const written = async (name: string, address: string) => {
    const server = await root.issue(name, address, { alg: 'ES256' });
    return writeCommunity(folder, { uri: 'https://towns.example', name, root, server, revocation: 'off' });
  };
  const community = await written('hub', `${url}/fhir`);
  const { certificate: idp, key: idpKey } = (await written('provider', issuer)) as { certificate: string; key: string };
  const described = {
    ...community,
    name: 'The towns',
    tiered: { contacts: ['mailto:it@hub.example'], logo: 'https://hub.example/logo.png' },
    provider: { certificate: idp, key: idpKey },
  };
  writeFileSync(join(folder, 'udap.json'), JSON.stringify({ communities: [described] }));
  const options = ['--tls-certificate', certificate, '--tls-key', key, '--public-url', url, '--keys-from', url];
  return { port, authority: authority.certificate, options: [...options, '--udap', join(folder, 'udap.json')] };
});
afterAll(() => {
  setDefaultCACertificates(usual);
  authority.remove();
  rmSync(folder, { recursive: true, force: true });
});

it('an account is connected by its user, who is told what is said of them; administrators see where', async () => {
  const page = await scene.signedIn('admin', browser);
  await page.goto(`${scene.url}/trust-communities`);
  await page.getByRole('heading', { name: 'The towns' }).waitFor();
  await page.getByText('No identity provider was asked yet.').waitFor();
  await page.getByText('This hub signs them in for others').waitFor();

  await page.goto(`${scene.url}/security`);
  await page.getByRole('button', { name: 'Connect one' }).click();
  await page.getByLabel('Address of the identity provider').fill('https://nobody.example/oauth');
  await page.getByRole('button', { name: 'Sign in there' }).click();
  await page.getByText('This identity provider cannot be used to sign in here.').waitFor();
  await page.getByLabel('Address of the identity provider').fill(issuer);
  await page.getByRole('button', { name: 'Sign in there' }).click();

  await page.getByRole('heading', { name: 'Sign in at Causeway?' }).waitFor();
  await page.getByText('Your user name: admin').waitFor();
  await page.getByRole('button', { name: 'Sign in at Causeway' }).click();
  await page.getByRole('button', { name: `Disconnect ${issuer}` }).waitFor();

  await page.goto(`${scene.url}/trust-communities`);
  await page.getByText('vouches for 1 account here').waitFor();
  await page.getByRole('button', { name: `Register anew with ${issuer}` }).click();
  await page.getByText('No identity provider was asked yet.').waitFor();

  await page.goto(`${scene.url}/security`);
  await page.getByRole('button', { name: `Disconnect ${issuer}` }).click();
  await page.getByRole('button', { name: `Disconnect ${issuer}` }).waitFor({ state: 'detached' });
  expect(await page.getByRole('button', { name: 'Connect one' }).isVisible()).toBe(true);
});
