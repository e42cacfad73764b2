/** Signing in as the screens do it: cookies, second factors, passkeys, and what other sites and thieves try (A35). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { Browser } from '../authorization/testing.ts';
import { startHub } from '../main.ts';
import { type Answer, type Json, startTestHub } from '../testing.ts';
import { type AttackedHub, startAttackedHub } from '../testing-attacks.ts';
import { Accounts } from '../trust/index.ts';
import { TestAuthenticator } from './testing-passkey.ts';

const password = 'a-password-of-hers';
const party = { id: 'hub.example', origin: 'https://hub.example' };

let hub: AttackedHub;
let made = 0;

beforeAll(async () => {
  hub = await startAttackedHub({ publicUrl: party.origin, requireSecondFactor: 'officers' });
});
afterAll(() => hub.stop());

async function account(role: 'clinician' | 'administrator' | 'privacy-officer' = 'clinician'): Promise<string> {
  const username = `user${made++}`;
  const accounts = new Accounts(hub.test.database);
  await accounts.make({ username, name: username, role, organization: 'Clinic' }, password);
  return username;
}

async function signedIn(username: string): Promise<Browser> {
  const browser = new Browser(hub);
  await browser.signIn(username, password);
  return browser;
}

const login = (browser: Browser, username: string, given = password) =>
  browser.post('/auth/login', { username, password: given });
const status = async (browser: Browser) => (await browser.get('/auth/session')).status;
const cookieOf = (answer: Answer) => answer.headers.getSetCookie()[0] ?? '';
const tokenOf = (answer: Answer) => cookieOf(answer).split(';')[0]!;
const atCookie = (cookie: string, method = 'GET', path = '/auth/session', body?: object, more = {}) =>
  hub.send(method, path, body, { role: null, headers: { cookie, ...more } });

/** Sets up an authenticator app; returns its secret. */
async function withApp(browser: Browser): Promise<{ secret: string; recoveryCodes: string[] }> {
  const { secret } = (await browser.post('/auth/totp', {})).json;
  const confirmed = await browser.post('/auth/totp/confirm', { code: await generate({ secret }) });
  expect(confirmed.status, confirmed.text).toBe(200);
  return { secret, recoveryCodes: confirmed.json.recoveryCodes };
}

async function withPasskey(browser: Browser): Promise<TestAuthenticator> {
  const key = new TestAuthenticator(party);
  const options = (await browser.post('/auth/passkeys/options', {})).json;
  const added = await browser.post('/auth/passkeys', { passkey: key.create(options), name: 'Laptop' });
  expect(added.status, added.text).toBe(200);
  return key;
}

const nextCode = (secret: string) => generate({ secret, epoch: Math.floor(Date.now() / 1000) + 30 });

describe('the cookie of a session', () => {
  it('is the browser’s alone, for this host and its own pages', async () => {
    const answer = await login(new Browser(hub), await account());
    expect(cookieOf(answer)).toMatch(
      /^__Host-causeway_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$/,
    );
  });

  it('is never one that the browser brought (fixation), and the one before is good for nothing', async () => {
    const browser = await signedIn(await account());
    const planted = `__Host-causeway_session=${'A'.repeat(43)}`;
    const first = await atCookie(planted, 'POST', '/auth/login', { username: `user${made - 1}`, password });
    expect(tokenOf(first)).not.toBe(planted);
    expect((await atCookie(planted)).status).toBe(401);
    const again = await atCookie(tokenOf(first), 'POST', '/auth/login', { username: `user${made - 1}`, password });
    expect((await atCookie(tokenOf(first))).status).toBe(401);
    expect((await atCookie(tokenOf(again))).status).toBe(200);
    expect(await status(browser)).toBe(200);
    // A name that another host of the domain could set is none of ours.
    expect((await atCookie(tokenOf(again).replace('__Host-', ''))).status).toBe(401);
  });

  it('changes with each change of rights', async () => {
    const username = await account();
    const first = tokenOf(await login(new Browser(hub), username));
    const proved = await atCookie(first, 'POST', '/auth/step-up', { password });
    expect(proved.status).toBe(200);
    expect((await atCookie(first)).status).toBe(401);
    const changed = await atCookie(tokenOf(proved), 'POST', '/auth/password', { password: 'another long password' });
    expect(changed.status, changed.text).toBe(200);
    expect((await atCookie(tokenOf(proved))).status).toBe(401);
    expect((await atCookie(tokenOf(changed))).status).toBe(200);
  });
});

describe('another site', () => {
  const elsewhere: object[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
  ];

  it('signs nobody in (login CSRF), and out', async () => {
    const username = await account();
    const cookie = tokenOf(await login(new Browser(hub), username));
    for (const headers of elsewhere) {
      const refused = await hub.send(
        'POST',
        '/auth/login',
        { username, password },
        { role: null, headers: headers as Json },
      );
      expect([refused.status, cookieOf(refused)]).toEqual([403, '']);
      expect((await atCookie(cookie, 'POST', '/auth/logout', undefined, headers)).status).toBe(403);
    }
    // A form cannot send what is taken.
    const form = { 'content-type': 'text/plain', origin: 'null' };
    expect(
      (await hub.send('POST', '/auth/login', `{"username":"${username}"}`, { role: null, headers: form })).status,
    ).toBe(403);
    expect((await atCookie(cookie)).status).toBe(200);
    expect((await atCookie(cookie, 'POST', '/auth/logout', undefined, { origin: party.origin })).status).toBe(204);
  });

  it('changes nothing of how somebody signs in', async () => {
    const cookie = tokenOf(await login(new Browser(hub), await account()));
    const changes = [
      'step-up',
      'password',
      'totp',
      'totp/confirm',
      'passkeys',
      'passkeys/options',
      'recovery-codes',
      'second-factor',
    ];
    for (const headers of elsewhere) {
      for (const change of changes) {
        expect((await atCookie(cookie, 'POST', `/auth/${change}`, { password }, headers)).status, change).toBe(403);
      }
      for (const path of ['/auth/totp', '/auth/sessions', '/auth/passkeys/x']) {
        expect((await atCookie(cookie, 'DELETE', path, undefined, headers)).status, path).toBe(403);
      }
      expect((await atCookie(cookie, 'POST', '/api/users', {}, headers)).status).toBe(403);
    }
  });
});

it('the pages are framed by nobody', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-pages-'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Causeway</title>');
  const progress = { say: () => {}, count: () => {}, fail: () => {} };
  const other = await startHub(hub.config, progress, async () => folder);
  try {
    for (const path of ['/', '/sign-in', '/security', '/users', '/oauth/interaction/x']) {
      const page = await fetch(other.url + path, { headers: { accept: 'text/html' } });
      expect(page.status, path).toBe(200);
      expect(page.headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'");
    }
  } finally {
    await other.stop();
    rmSync(folder, { recursive: true });
  }
});

describe('a second factor', () => {
  it('is asked for after the password; until then the session is good for nothing', async () => {
    const username = await account();
    const { secret } = await withApp(await signedIn(username));
    const browser = new Browser(hub);
    const begun = await login(browser, username);
    expect(begun.json).toEqual({ next: 'factor', hasTotp: true, hasPasskey: false });
    expect(await status(browser)).toBe(401);
    for (const path of ['/fhir/Patient', '/api/notices', '/auth/security', '/api/apps']) {
      expect((await browser.get(path)).status, path).toBe(401);
    }
    for (const path of ['/auth/totp', '/auth/password', '/auth/recovery-codes', '/auth/step-up']) {
      expect((await browser.post(path, { password: 'another long password' })).status, path).toBe(401);
    }
    expect((await browser.post('/auth/second-factor', { code: '123 456' })).status).toBe(401);
    const code = await nextCode(secret);
    const done = await browser.post('/auth/second-factor', { code });
    expect(done.json, done.text).toMatchObject({ user: { username } });
    expect(tokenOf(done)).not.toBe(tokenOf(begun));
    expect((await atCookie(tokenOf(begun))).status).toBe(401);
    expect(await status(browser)).toBe(200);
    // The same code is good once.
    const other = new Browser(hub);
    await login(other, username);
    expect((await other.post('/auth/second-factor', { code })).status).toBe(401);
  });

  it('that was lost gives way to a recovery code, once', async () => {
    const username = await account();
    const { recoveryCodes } = await withApp(await signedIn(username));
    expect(recoveryCodes).toHaveLength(10);
    for (const expected of [200, 401]) {
      const browser = new Browser(hub);
      await login(browser, username);
      expect((await browser.post('/auth/second-factor', { code: recoveryCodes[0]! })).status).toBe(expected);
    }
  });

  it('is set up before anything else where the role needs one, and not left out later', async () => {
    const username = await account('privacy-officer');
    const browser = new Browser(hub);
    expect((await login(browser, username)).json).toEqual({ next: 'enrol' });
    expect(await status(browser)).toBe(401);
    expect((await browser.get('/api/emergencies')).status).toBe(401);
    await withApp(browser);
    expect(await status(browser)).toBe(200);
    expect((await browser.delete('/auth/totp')).status).toBe(409);
    await withPasskey(browser);
    expect((await browser.delete('/auth/totp')).status).toBe(200);
    expect((await browser.get('/auth/security')).json).toMatchObject({
      hasTotp: false,
      needsFactor: true,
      passkeys: [{ name: 'Laptop' }],
    });
  });

  it('is changed only by who proved a moment ago who it is', async () => {
    const username = await account();
    const browser = await signedIn(username);
    await hub.test.database.query(`UPDATE session SET proved = now() - interval '16 minutes' WHERE username = $1`, [
      username,
    ]);
    expect((await browser.get('/auth/security')).json.isFresh).toBe(false);
    for (const path of ['/auth/totp', '/auth/passkeys/options', '/auth/recovery-codes']) {
      expect((await browser.post(path, {})).status, path).toBe(403);
    }
    expect((await browser.post('/auth/password', { password: 'another long password' })).status).toBe(403);
    expect((await browser.post('/auth/step-up', { password: 'wrong' })).status).toBe(403);
    expect((await browser.post('/auth/step-up', { password })).status).toBe(200);
    expect((await browser.post('/auth/totp', {})).status).toBe(200);
  });
});

describe('a passkey', () => {
  it('signs in alone, without a name, though the account is locked', async () => {
    const username = await account('administrator');
    const browser = new Browser(hub);
    await login(browser, username);
    const key = await withPasskey(browser);
    for (let i = 0; i < 6; i++) await login(new Browser(hub), username, 'wrong');
    expect((await login(new Browser(hub), username)).status).toBe(429);
    const fresh = new Browser(hub);
    const options = (await fresh.post('/auth/login/passkey/options', {})).json;
    expect(options).toMatchObject({ rpId: party.id, userVerification: 'required', allowCredentials: [] });
    const answer = key.get(options);
    const signed = await fresh.post('/auth/login/passkey', { passkey: answer });
    expect(signed.json, signed.text).toMatchObject({ user: { username } });
    expect(await status(fresh)).toBe(200);
    // The same answer again, here or elsewhere, signs nobody in.
    expect((await new Browser(hub).post('/auth/login/passkey', { passkey: answer })).status).toBe(401);
  });

  it('is refused from another origin, unverified, by an old counter, or for another challenge', async () => {
    const username = await account();
    const key = await withPasskey(await signedIn(username));
    const browser = new Browser(hub);
    const options = async () => (await browser.post('/auth/login/passkey/options', {})).json;
    const tries = async (wrong: object) =>
      (await browser.post('/auth/login/passkey', { passkey: key.get(await options(), wrong) })).status;
    expect(await tries({ origin: 'https://hub.example.evil.example' })).toBe(401);
    expect(await tries({ isUnverified: true })).toBe(401);
    expect(await tries({})).toBe(200);
    expect(await tries({ counter: 1 })).toBe(401);
    const made = { challenge: Buffer.alloc(32).toString('base64url') };
    expect((await browser.post('/auth/login/passkey', { passkey: key.get(made) })).status).toBe(401);
    for (const passkey of [undefined, null, 'x', {}, { id: 1 }, { id: 'x', response: {} }]) {
      expect((await browser.post('/auth/login/passkey', { passkey })).status).toBe(401);
    }
    // A challenge for proving it again signs nobody in.
    const own = await signedIn(await account());
    const stepUp = (await own.post('/auth/passkey/options', {})).json;
    expect((await browser.post('/auth/login/passkey', { passkey: key.get(stepUp) })).status).toBe(401);
  });

  it('is the second factor of its own account only, and can be removed', async () => {
    const [one, two] = [await account(), await account()];
    const [keyOne, keyTwo] = [await withPasskey(await signedIn(one)), await withPasskey(await signedIn(two))];
    const browser = new Browser(hub);
    expect((await login(browser, one)).json).toMatchObject({ next: 'factor', hasPasskey: true, hasTotp: false });
    const options = async () => (await browser.post('/auth/passkey/options', {})).json;
    expect((await options()).allowCredentials).toMatchObject([{ id: keyOne.id }]);
    const by = async (key: TestAuthenticator) =>
      (await browser.post('/auth/second-factor', { passkey: key.get(await options()) })).status;
    expect(await by(keyTwo)).toBe(401);
    expect(await by(keyOne)).toBe(200);
    expect((await browser.delete(`/auth/passkeys/${keyTwo.id}`)).status).toBe(404);
    expect((await browser.delete(`/auth/passkeys/${keyOne.id}`)).status).toBe(200);
    expect((await login(new Browser(hub), one)).json.user.username).toBe(one);
  });

  it('proves it again for an emergency access', async () => {
    const browser = await signedIn(await account());
    const key = await withPasskey(browser);
    await hub.send('PUT', '/fhir/Patient/pat', { resourceType: 'Patient', id: 'pat' });
    const begin = async (proof: object) =>
      browser.post('/api/emergency', { patient: 'pat', reasonCode: 'other', reason: 'found unconscious', ...proof });
    const options = (await browser.post('/auth/passkey/options', {})).json;
    const begun = await begin({ passkey: key.get(options) });
    expect(begun.json, begun.text).toMatchObject({ stepUp: 'passkey' });
    expect((await begin({ passkey: key.get(options) })).status).toBe(403);
    expect((await begin({ code: '123456' })).status).toBe(403);
  });
});

describe('users and roles', () => {
  let admin: Browser;
  beforeAll(async () => {
    const username = await account('administrator');
    admin = new Browser(hub);
    await login(admin, username);
    await withApp(admin);
  });
  const patch = (path: string, body: object) => hub.send('PATCH', path, body);

  it('are an administrator’s: made with a password that is good for choosing one', async () => {
    const user = { username: 'nora', name: 'Nora', role: 'clinician', organization: 'Clinic' };
    const answer = await admin.post('/api/users', user);
    expect(answer.status, answer.text).toBe(201);
    expect((await admin.post('/api/users', user)).status).toBe(409);
    expect((await admin.post('/api/users', { ...user, username: 'x', role: 'system' })).status).toBe(400);
    expect((await admin.post('/api/users', { ...user, username: '../x' })).status).toBe(400);
    const browser = new Browser(hub);
    const given: string = answer.json.password;
    expect((await login(browser, 'nora', given)).json).toEqual({ next: 'password' });
    expect((await browser.get('/fhir/Patient')).status).toBe(401);
    for (const wrong of [given, 'short', 'nora-and-more-letters']) {
      expect((await browser.post('/auth/password', { password: wrong })).status, wrong).toBe(400);
    }
    const chosen = await browser.post('/auth/password', { password: 'one that she chose' });
    expect(chosen.json, chosen.text).toMatchObject({ user: { username: 'nora' } });
    expect(await status(browser)).toBe(200);
    expect((await login(new Browser(hub), 'nora', given)).status).toBe(401);
    expect((await browser.get('/api/users')).status).toBe(403);
    const listed = (await admin.get('/api/users?q=nora')).json.users;
    expect(listed).toMatchObject([{ username: 'nora', role: 'clinician', hasPassword: true, mustChange: false }]);
    expect(JSON.stringify(listed)).not.toMatch(/argon2/);
  });

  it('are closed, reset and unlocked, at once', async () => {
    const username = await account();
    const browser = await signedIn(username);
    await withApp(browser);
    expect((await patch(`/api/users/${username}`, { isDisabled: true })).status).toBe(200);
    expect(await status(browser)).toBe(401);
    expect((await login(browser, username)).status).toBe(401);
    await patch(`/api/users/${username}`, { isDisabled: false });
    for (let i = 0; i < 5; i++) await login(browser, username, 'wrong');
    expect((await login(browser, username)).status).toBe(429);
    expect((await admin.get(`/api/users?q=${username}`)).json.users[0].lockedUntil).toBeDefined();
    expect((await admin.post(`/api/users/${username}/unlock`, {})).status).toBe(204);
    expect((await login(browser, username)).json.next).toBe('factor');
    const { password: given } = (await admin.post(`/api/users/${username}/reset`, {})).json;
    expect((await login(new Browser(hub), username, given)).json).toEqual({ next: 'password' });
    expect((await login(new Browser(hub), username)).status).toBe(401);
    expect((await admin.post('/api/users/nobody/reset', {})).status).toBe(404);
  });

  it('are not one’s own to raise or close, and need that it was proved a moment ago who it is', async () => {
    const { username } = (await admin.get('/auth/session')).json.user;
    expect((await admin.post(`/api/users/${username}/reset`, {})).status).toBe(409);
    await hub.test.database.query(`UPDATE session SET proved = now() - interval '1 hour' WHERE username = $1`, [
      username,
    ]);
    expect((await admin.get('/api/users')).status).toBe(200);
    expect(
      (await admin.post('/api/users', { username: 'late', name: 'L', role: 'clinician', organization: 'C' })).status,
    ).toBe(403);
    expect((await admin.post('/auth/step-up', { password })).status).toBe(200);
    expect((await admin.post(`/api/users/nobody/unlock`, {})).status).toBe(204);
  });
});

describe('signing in', () => {
  it('is set up, and that is recorded, or neither', async () => {
    const username = await account();
    const browser = await signedIn(username);
    const { secret } = (await browser.post('/auth/totp', {})).json;
    await hub.test.database.query('ALTER TABLE access_log RENAME TO access_log_gone');
    const { status: refused } = await browser.post('/auth/totp/confirm', { code: await generate({ secret }) });
    const changed = await browser.post('/auth/password', { password: 'another long password' });
    await hub.test.database.query('ALTER TABLE access_log_gone RENAME TO access_log');
    expect([refused >= 500, changed.status >= 500]).toEqual([true, true]);
    expect((await browser.get('/auth/security')).json).toMatchObject({ hasTotp: false, recoveryCodes: 0 });
    expect((await login(new Browser(hub), username)).json.user.username).toBe(username);
  });

  it('is recorded, refused or not, and nothing that opens anything is', async () => {
    const username = await account();
    await login(new Browser(hub), username);
    await login(new Browser(hub), username, 'a wrong password');
    await expect
      .poll(async () => {
        const signIns = (await accessesOf(hub)).filter(({ who, action }) => who === username && action === 'sign-in');
        return signIns.map(({ status }) => status);
      })
      .toEqual([200, 401]);
    expect(JSON.stringify(await accessesOf(hub))).not.toMatch(/password-of-hers|a wrong password/);
  });

  it('through a trusted proxy is counted by the address from which it came', async () => {
    const behind = await startTestHub({ trustedProxies: ['127.0.0.0/8'] });
    const from = async (address: string) => {
      const headers = { 'x-forwarded-for': `198.51.100.9, ${address}` };
      const given = { username: 'guess', password: 'x' };
      return (await behind.send('POST', '/auth/login', given, { role: null, headers })).status;
    };
    try {
      await behind.test.database.query(`INSERT INTO rate_limit (key, points, expire) VALUES ($1, 100, $2)`, [
        'sign-in:203.0.113.1',
        Date.now() + 600_000,
      ]);
      expect([await from('203.0.113.1'), await from('203.0.113.1'), await from('203.0.113.2')]).toEqual([
        401, 429, 401,
      ]);
    } finally {
      await behind.stop();
    }
  });

  it('that fails too often from one address has to wait, whatever the names; the others’ sessions go on', async () => {
    const lone = await startTestHub();
    try {
      const tries = await Promise.all(
        Array.from({ length: 130 }, (_, i) =>
          lone.send(
            'POST',
            '/auth/login',
            { username: `guess${i}`, password: 'x' },
            // Nobody's word is taken for it but a proxy's that is trusted.
            { role: null, headers: { 'x-forwarded-for': `203.0.113.${i}` } },
          ),
        ),
      );
      // Those that come after a hundred have failed have to wait already.
      const of = (status: number) => tries.filter((one) => one.status === status).length;
      expect(of(401)).toBeGreaterThanOrEqual(100);
      expect(of(401) + of(429)).toBe(tries.length);
      const refused = await lone.send('POST', '/auth/login', { username: 'x', password }, { role: null });
      expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
    } finally {
      await lone.stop();
    }
  }, 30_000);
});
