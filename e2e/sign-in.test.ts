/** Accounts from the first password to passkeys and codes, in a real browser with an authenticator of its own. */
import { createHmac } from 'node:crypto';
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { enter, Scene } from './scene.ts';

const chosen = 'a password of her own';

const scene = new Scene(5);
/** Passkeys need a host with a name. */
let address: string;

beforeAll(() => {
  address = scene.url.replace('127.0.0.1', 'localhost');
});

/** An authenticator in the browser, which verifies its user by itself. */
async function withAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/** RFC 6238 of a secret in base 32. */
function codeOf(secret: string, at: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const place = mac.at(-1)! & 0xf;
  return String((mac.readUInt32BE(place) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const signedIn = (page: Page) => page.getByRole('navigation', { name: 'Main' }).waitFor();

it('an account is made, gets a password of its own, a passkey and an app, and signs in by each', async () => {
  const admin = await scene.newPage();
  await admin.goto(`${address}/sign-in`);
  await enter(admin, 'admin');
  await signedIn(admin);
  await admin.getByRole('link', { name: 'Users' }).click();
  await admin.getByRole('button', { name: 'Make an account' }).click();
  await admin.getByLabel(/^Name/).fill('Nora New');
  await admin.getByLabel('User name').fill('nora');
  await admin.getByLabel('Organisation').fill('Harbor Hospital');
  await admin.getByRole('button', { name: 'Make the account' }).click();
  await admin.getByText('Give nora this password now').waitFor();
  const given = (await admin.locator('code').first().textContent())!;

  const page = await scene.newPage();
  await withAuthenticator(page);
  await page.goto(`${address}/sign-in`);
  await enter(page, 'nora', given);
  await page.getByLabel('New password').fill(chosen);
  await page.getByRole('button', { name: 'Take this password' }).click();
  await signedIn(page);

  await page.getByRole('link', { name: 'Nora New' }).click();
  await page.getByRole('heading', { name: 'Sign-in and security' }).waitFor();
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByLabel('What you call it').fill('Work laptop');
  await page.getByRole('button', { name: 'Make the passkey' }).click();
  await page.getByRole('list', { name: 'Recovery codes' }).waitFor();
  expect(await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').count()).toBe(10);
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByText('Work laptop').waitFor();

  await page.getByRole('button', { name: 'Set up an app' }).click();
  const secret = ((await page.locator('code').first().textContent()) ?? '').replaceAll(' ', '');
  const now = Date.now();
  await page.getByLabel('Code that the app shows').fill(codeOf(secret, now));
  await page.getByRole('button', { name: 'Set up', exact: true }).click();
  await page.getByRole('button', { name: 'Remove the app' }).waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await signedIn(page);
  await page.getByRole('button', { name: 'Sign out' }).click();

  await page.goto(`${address}/sign-in`);
  await enter(page, 'nora', chosen);
  await page.getByLabel('Code').fill(codeOf(secret, now + 30_000));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await signedIn(page);

  await admin.getByRole('button', { name: 'Done' }).click();
  await admin.getByRole('button', { name: 'Close: Nora New' }).click();
  await admin.getByRole('button', { name: 'Open again: Nora New' }).waitFor();
  await page.getByRole('link', { name: 'Nora New' }).click();
  await page.getByText('Your session has ended').waitFor();
});
