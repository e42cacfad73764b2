import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  drawBytes,
  existingTokenKey,
  fixedMasterKey,
  masterKey,
  newDataKey,
  signToken,
  tokenKey,
  unwrapDataKey,
  verifyToken,
  wrapDataKey,
} from './index.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-keys-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the master key', () => {
  test('is made once, readable by its owner alone', () => {
    const key = masterKey(directory, false);
    expect(key.wrapping).toHaveLength(32);
    expect(masterKey(directory, true).keys).toEqual(key.keys);
    expect(statSync(join(directory, 'keys', 'master.key')).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'keys')).mode & 0o777).toBe(0o700);
  });

  test('is not made anew over data it could not open', () => {
    expect(() => masterKey(directory, true)).toThrow(/restore .*master.key from a back-up/);
    masterKey(directory, false);
    writeFileSync(join(directory, 'keys', 'master.key'), 'short');
    expect(() => masterKey(directory, false)).toThrow(/holds no key of 32 bytes/);
  });

  test('wraps data keys for one owner', () => {
    const master = masterKey(directory, false);
    const dataKey = newDataKey();
    const wrapped = wrapDataKey(master, dataKey, 'patient/1');
    expect(wrapped).toHaveLength(60);
    expect(unwrapDataKey(master, wrapped, 'patient/1')).toEqual(dataKey);
    expect(() => unwrapDataKey(master, wrapped, 'patient/2')).toThrow(/does not open/);
    expect(() => unwrapDataKey(fixedMasterKey(newDataKey()), wrapped, 'patient/1')).toThrow(/does not open/);
    expect(() => unwrapDataKey(master, wrapped.subarray(0, 20), 'patient/1')).toThrow(/does not open/);
  });
});

describe('local tokens', () => {
  test('say who they are for', async () => {
    const token = await signToken(tokenKey(directory), { subject: 'script', role: 'clinician', expiresInSeconds: 60 });
    expect(await verifyToken(existingTokenKey(directory), token)).toEqual({ subject: 'script', role: 'clinician' });
  });

  test('are refused when expired, foreign, unsigned or altered', async () => {
    const key = tokenKey(directory);
    const expired = await signToken(key, { subject: 's', role: 'r', expiresInSeconds: -1 });
    expect(await verifyToken(key, expired)).toEqual({ refused: 'The token has expired.' });
    const foreign = await signToken(newDataKey(), { subject: 's', role: 'r', expiresInSeconds: 60 });
    expect(await verifyToken(key, foreign)).toEqual({ refused: 'The token is not one of this hub.' });
    const [, payload] = foreign.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    expect(await verifyToken(key, none)).toEqual({ refused: 'The token is not one of this hub.' });
    expect(await verifyToken(key, 'nonsense')).toEqual({ refused: 'The token is not one of this hub.' });
  });

  test('need a hub that has been started', () => {
    expect(() => existingTokenKey(directory)).toThrow(/No hub has been started/);
  });
});

describe('random bytes', () => {
  test('are given once each, over the end of a block too', () => {
    const drawn = Array.from({ length: 2_000 }, (_, i) => drawBytes(i % 2 === 0 ? 12 : 32).toString('hex'));
    expect(new Set(drawn).size).toBe(2_000);
    expect(drawn.filter((hex) => /^0+$/.test(hex))).toEqual([]);
  });
});
