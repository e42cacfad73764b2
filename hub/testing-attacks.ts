/**
 * What every attack has to leave (docs/attacks.md): exactly one event in the record of accesses, and nothing of records,
 * tokens or passwords in the hub's log.
 */
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { eventCount } from './audit/testing.ts';
import { type Answer, type CallOptions, startTestHub, type TestHub } from './testing.ts';
import type { HubSettings } from './testing-calls.ts';

/** A hub that is attacked: what it says is captured, and held against what must not be in it when it stops. */
export interface AttackedHub extends TestHub {
  /** What else its log must not hold. Tokens, passwords and cookies that are sent or given are noted by themselves. */
  secret(...texts: string[]): void;
}

/**
 * Starts a hub of which each request that is refused has to leave exactly one event, in the database so that it is counted at
 * once. Requests that overlap are not counted, since it cannot be told which left what.
 */
export async function startAttackedHub(settings: HubSettings = {}): Promise<AttackedHub> {
  const log = await capturedLog();
  const hub = await startTestHub({ accessJournal: 'database', ...settings, logLevel: 'trace' }).catch((error) => {
    log.stop();
    throw error;
  });
  const secrets = new Set<string>();
  const secret = (...texts: string[]) => {
    for (const text of texts) secrets.add(text);
  };
  const seen = (texts: string[]) => secret(...texts.filter(({ length }) => length >= shortest));
  let underWay = 0;
  let overlaps = 0;
  const send: TestHub['send'] = async (method, path, body, options = {}) => {
    seen(secretsOf(body, options));
    const isFirst = underWay++ === 0;
    if (!isFirst) overlaps++;
    const overlapped = overlaps;
    // Tests take the record away, too.
    const before = await eventCount(hub.test.database).catch(() => undefined);
    const answer = await hub.send(method, path, body, options).finally(() => underWay--);
    seen(given(answer));
    // Of a Bundle the entries that other routes answer leave events, too.
    const isAlone = isFirst && underWay === 0 && overlaps === overlapped && path !== '/fhir';
    if (isAlone && before !== undefined && isRefused(path, answer)) {
      await leavesOne(hub, `${method} ${path.split('?')[0]} ${answer.status}`, before);
    }
    return answer;
  };
  return {
    ...hub,
    send,
    get: (path, options) => send('GET', path, undefined, options),
    token: async (...asked) => {
      const token = await hub.token(...asked);
      secret(token);
      return token;
    },
    secret,
    stop: async () => {
      await hub.stop();
      log.stop();
      expect([...secrets].filter((text) => log.text().includes(text))).toEqual([]);
    },
  };
}

/** Does something, and holds it to exactly one event. Nothing else may be asked of the hub meanwhile, which records in the database. */
export async function leavingOneEvent<T>(hub: TestHub, what: string, act: () => Promise<T>): Promise<T> {
  expect(hub.config.accessJournal, 'what is in a journal is counted later').toBe('database');
  const before = await eventCount(hub.test.database);
  const done = await act();
  await leavesOne(hub, what, before);
  return done;
}

async function leavesOne(hub: TestHub, what: string, before: number): Promise<void> {
  const left = async () => (await eventCount(hub.test.database)) - before;
  // A sign-in that fails is answered before it is recorded.
  await vi.waitFor(async () => expect([what, await left()]).not.toEqual([what, 0]), { timeout: 10_000 });
  expect([what, await left()]).toEqual([what, 1]);
}

/** Asking who is signed in is refused nobody. */
function isRefused(path: string, { status }: Answer): boolean {
  return status >= 400 && path !== '/auth/session';
}

/** All that the hubs of this process log from now on, until `stop`. */
async function capturedLog(): Promise<{ text(): string; stop(): void }> {
  let log = '';
  const take = (data: unknown) => {
    log += String(data);
    return Buffer.byteLength(String(data));
  };
  // The very module that the logger writes by.
  const fs = process.getBuiltinModule('node:fs');
  const { write, writeSync } = fs;
  const spies = [
    vi.spyOn(fs, 'write').mockImplementation(((fd: number, data: string, ...more: unknown[]) => {
      if (fd !== 2) return Reflect.apply(write, fs, [fd, data, ...more]);
      const done = more.at(-1) as (fault: null, bytes: number, data: string) => void;
      setImmediate(() => done(null, take(data), data));
    }) as never),
    vi
      .spyOn(fs, 'writeSync')
      .mockImplementation(((fd: number, data: string, ...more: unknown[]) =>
        fd === 2 ? take(data) : Reflect.apply(writeSync, fs, [fd, data, ...more])) as never),
  ];
  // Seen to work, or else nothing would ever be found in it.
  pino({}, pino.destination(2)).info('what is logged is captured');
  await vi.waitFor(() => expect(log).toContain('what is logged is captured'));
  return {
    text: () => log,
    stop: () => {
      for (const spy of spies) spy.mockRestore();
    },
  };
}

/** Shorter texts of those that are sent and given are in a log by chance. */
const shortest = 12;
const names =
  'access_token refresh_token id_token token secret client_secret client_assertion assertion password code code_verifier'.split(
    ' ',
  );

function secretsOf(body: string | Buffer | object | undefined, { headers = {} }: CallOptions): string[] {
  const fields = typeof body === 'string' ? Object.fromEntries(new URLSearchParams(body)) : (body ?? {});
  const shown = Object.entries(headers).flatMap(([name, value]) => {
    if (/^(authorization|dpop)$/i.test(name)) return [value.split(' ').at(-1)!];
    return /^cookie$/i.test(name) ? value.split(/;\s*/).map((pair) => pair.slice(pair.indexOf('=') + 1)) : [];
  });
  return [...named(fields), ...shown];
}

function given({ json, headers }: Answer): string[] {
  const location = headers.get('location') ?? '';
  const query = location.includes('?') ? Object.fromEntries(new URLSearchParams(location.split('?')[1])) : {};
  const cookies = headers.getSetCookie().map((cookie) => cookie.split(/[=;]/)[1] ?? '');
  return [...named(json ?? {}), ...named(query), ...cookies];
}

function named(fields: object): string[] {
  const all = fields as { [name: string]: unknown };
  return names.map((name) => all[name]).filter((value) => typeof value === 'string');
}
