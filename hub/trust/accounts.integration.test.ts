/** Accounts over one database, as several hubs have them: each with memory of its own. */
import { generate } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey } from '../secrets/index.ts';
import { Accounts, Users } from './index.ts';

const password = 'a-password-of-hers';
const master = fixedMasterKey(Buffer.alloc(32, 7));
let test: TestDatabase;
let hubs: Accounts[];

beforeAll(async () => {
  test = await testDatabase();
  hubs = Array.from({ length: 4 }, () => new Accounts(test.database, { master }));
});
afterAll(() => test.drop());

let made = 0;
async function account(): Promise<string> {
  const username = `user${made++}`;
  await hubs[0]!.make({ username, name: username, role: 'clinician', organization: 'Clinic' }, password);
  return username;
}

const refusals = (answers: object[], refused: string) =>
  answers.filter((answer) => 'refused' in answer && answer.refused === refused).length;

describe('attempts over several hubs', () => {
  it('lets no burst try more passwords than the lock allows', async () => {
    const username = await account();
    const burst = await Promise.all(
      Array.from({ length: 40 }, (_, i) => hubs[i % hubs.length]!.signIn(username, `wrong ${i}`)),
    );
    expect(refusals(burst, 'wrong')).toBe(5);
    expect(refusals(burst, 'locked')).toBe(35);
    expect(await hubs[1]!.signIn(username, password)).toEqual({ refused: 'locked' });
  });

  it('locks a name that no account has alike', async () => {
    const burst = await Promise.all(
      Array.from({ length: 12 }, (_, i) => hubs[i % 4]!.signIn('nobody-at-all', 'wrong')),
    );
    expect([refusals(burst, 'wrong'), refusals(burst, 'locked')]).toEqual([5, 7]);
  });

  it('locks for longer with each further five, and forgets with a right one', async () => {
    const username = await account();
    const minutes: number[] = [];
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 5; i++) await hubs[i % 4]!.signIn(username, 'wrong');
      const { rows } = await test.database.query(
        `UPDATE sign_in_attempt SET locked_until = NULL WHERE locked_until > now() AND name = sha256($1::text::bytea)
         RETURNING round(extract(epoch FROM old.locked_until - now()) / 60)::int AS minutes`,
        [username],
      );
      minutes.push(rows[0]!.minutes);
    }
    expect(minutes).toEqual([5, 10, 20, 40, 60, 60]);
    expect('token' in (await hubs[0]!.signIn(username, password))).toBe(true);
    for (let i = 0; i < 4; i++) expect(await hubs[0]!.signIn(username, 'wrong')).toEqual({ refused: 'wrong' });
    expect('token' in (await hubs[0]!.signIn(username, password))).toBe(true);
  });

  it('lets many sign in to one account at a time', async () => {
    const username = await account();
    const all = await Promise.all(Array.from({ length: 12 }, () => hubs[0]!.signIn(username, password)));
    expect(all.every((one) => 'token' in one)).toBe(true);
  });
});

describe('codes of an authenticator app', () => {
  async function withApp(): Promise<{ username: string; secret: string; first: string }> {
    const username = await account();
    const { secret } = await hubs[0]!.totp.begin(username);
    const first = await generate({ secret });
    const confirmed = (await hubs[1]!.totp.confirm(username, first))!;
    expect(await hubs[2]!.totp.confirm(username, first)).toBeUndefined();
    await hubs[1]!.totp.keep(username, confirmed);
    return { username, secret, first };
  }
  /** A code of the next step, which is taken as one of a clock that is ahead. */
  const next = (secret: string) => generate({ secret, epoch: Math.floor(Date.now() / 1000) + 30 });

  it('are good once, on whatever hub', async () => {
    const { username, secret, first } = await withApp();
    expect(await hubs[2]!.totp.verify(username, first)).toBe(false);
    const code = await next(secret);
    const answers = await Promise.all(hubs.map((hub) => hub.totp.verify(username, code)));
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  it('are kept sealed', async () => {
    const { username, secret } = await withApp();
    const { rows } = await test.database.query('SELECT totp FROM account WHERE username = $1', [username]);
    expect(rows[0]!.totp.toString('latin1')).not.toContain(secret);
    const stranger = new Accounts(test.database, { master: fixedMasterKey(Buffer.alloc(32, 8)) });
    await expect(stranger.totp.verify(username, await next(secret))).rejects.toThrow();
  });

  it('are tried no oftener than passwords by who knows the password', async () => {
    const { username } = await withApp();
    const tried: object[] = [];
    for (let i = 0; i < 6; i++) {
      const begun = await hubs[i % 4]!.signIn(username, password);
      if (!('token' in begun)) {
        tried.push(begun);
        continue;
      }
      expect(begun.pending).toBe('factor');
      expect(await hubs[0]!.session(begun.token)).toBeUndefined();
      const session = (await hubs[0]!.sessions.find(begun.token))!;
      tried.push(await hubs[0]!.goOn(begun.token, session, { code: '000000' }));
    }
    expect(refusals(tried, 'wrong')).toBeLessThanOrEqual(3);
    expect(refusals(tried, 'locked')).toBeGreaterThanOrEqual(3);
  });

  it('give way to recovery codes, each once', async () => {
    const { username } = await withApp();
    const codes = await hubs[0]!.totp.makeRecoveryCodes(username, test.database);
    expect(new Set(codes).size).toBe(10);
    const answers = await Promise.all(hubs.map((hub) => hub.totp.recover(username, codes[0]!.toUpperCase())));
    expect(answers.filter(Boolean)).toHaveLength(1);
    await hubs[0]!.totp.makeRecoveryCodes(username, test.database);
    expect(await hubs[0]!.totp.recover(username, codes[1]!)).toBe(false);
  });
});

describe('sessions', () => {
  async function signedIn(username: string): Promise<string> {
    const answer = await hubs[0]!.signIn(username, password, 'A browser');
    if (!('token' in answer)) throw new Error('not signed in');
    return answer.token;
  }

  it('end when they are left alone, though pages ask by themselves', async () => {
    const token = await signedIn(await account());
    const left = (minutes: number) =>
      test.database.query(`UPDATE session SET last_used = now() - $1 * interval '1 minute' WHERE username = $2`, [
        minutes,
        `user${made - 1}`,
      ]);
    await left(59);
    expect(await hubs[1]!.session(token, true)).toBeDefined();
    await left(59);
    expect(await hubs[1]!.session(token)).toBeDefined();
    const { rows } = await test.database.query(
      `SELECT last_used > now() - interval '1 minute' AS used FROM session WHERE username = $1`,
      [`user${made - 1}`],
    );
    expect(rows[0]!.used).toBe(true);
    await left(61);
    expect(await hubs[1]!.session(token)).toBeUndefined();
    expect(await hubs[1]!.sessions.find(token)).toBeUndefined();
  });

  it('are listed and ended by their user, and with a change of rights', async () => {
    const username = await account();
    const [one, two, three] = [await signedIn(username), await signedIn(username), await signedIn(username)];
    const listed = await hubs[1]!.sessions.of(username);
    expect(listed).toHaveLength(3);
    expect(listed[0]).toMatchObject({ agent: 'A browser', proofs: ['password'] });
    const { number } = (await hubs[0]!.sessions.find(two))!;
    expect(await hubs[1]!.sessions.endOf('another', { number })).toBe(0);
    expect(await hubs[1]!.sessions.endOf(username, { number })).toBe(1);
    expect(await hubs[0]!.session(two)).toBeUndefined();
    const users = new Users(test.database, hubs[0]!);
    await users.change(username, { name: 'Another name' }, test.database);
    expect((await hubs[0]!.session(one))?.name).toBe('Another name');
    await users.change(username, { role: 'steward' }, test.database);
    for (const token of [one, three]) expect(await hubs[0]!.session(token)).toBeUndefined();
    const again = await signedIn(username);
    await users.change(username, { isDisabled: true }, test.database);
    expect(await hubs[0]!.session(again)).toBeUndefined();
    expect(await hubs[0]!.signIn(username, password)).toEqual({ refused: 'wrong' });
  });
});
