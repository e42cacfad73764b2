/**
 * A whole hub for integration tests: the real wiring over a fresh database, with its real sockets on free ports, and
 * what senders and callers need to talk to it.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { type TestDatabase, testDatabase } from './database/testing.ts';
import { startHub } from './main.ts';
import { signToken, tokenKey } from './secrets/index.ts';
import { type MllpClient, openMllp } from './testing-mllp.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes.
export type Json = any;

/** An HTTP answer; `json` is undefined where the body is not JSON. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: Json;
}

export interface CallOptions {
  /** Role of the token; default administrator. `null`: no token. */
  role?: string | null;
  headers?: Record<string, string>;
}

export interface TestHub {
  url: string;
  mllpPort: number;
  mllpTlsPort: number;
  config: Config;
  test: TestDatabase;
  get(path: string, options?: CallOptions): Promise<Answer>;
  send(method: string, path: string, body?: string | Buffer | object, options?: CallOptions): Promise<Answer>;
  token(role: string, subject?: string): Promise<string>;
  mllp(): Promise<MllpClient>;
  /** Sends messages over a connection of their own and returns the answers. */
  deliver(...messages: (string | Uint8Array)[]): Promise<string[]>;
  /** Resolves when no message waits for its first try. */
  settled(): Promise<void>;
  /** Sends messages that must be accepted, and resolves when they are worked off. */
  take(...messages: (string | Uint8Array)[]): Promise<void>;
  /** The resources on the first page of a search: `Observation?code=…`. */
  resources(search: string): Promise<Json[]>;
  /** Ends the hub and leaves its database and folder to another one. */
  rest(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a hub of its own; `stop` also deletes its database and folder. */
export async function startTestHub(settings: Partial<Config> = {}): Promise<TestHub> {
  const test = await testDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'causeway-hub-'));
  const definitions = join(tmpdir(), `causeway-test-definitions-${process.getuid?.() ?? 0}`);
  mkdirSync(definitions, { recursive: true });
  symlinkSync(definitions, join(dataDir, 'cache'));
  const { host, port, user, database } = test.connection;
  const config: Config = {
    dataDir,
    host: '127.0.0.1',
    port: 0,
    mllpPort: 0,
    databaseUrl: `postgres://${user}@${encodeURIComponent(host)}:${port}/${database}`,
    demo: false,
    people: 1,
    seed: 1,
    messageBytes: 1024 * 1024,
    bundleBytes: 1024 * 1024,
    databaseConnections: 8,
    statementTimeoutMs: 30_000,
    mllpConnections: 50,
    mllpIdleMinutes: 0,
    mllpPlain: true,
    mllpTlsPort: undefined,
    mllpTlsCertificate: undefined,
    mllpTlsKey: undefined,
    mllpTlsClientCa: undefined,
    mllpTlsClientRequired: true,
    allowExpunge: false,
    importFrom: [],
    importBytes: 100 * 1024 * 1024,
    bulkHours: 24,
    publicUrl: undefined,
    keysFrom: [],
    logLevel: 'silent',
    ...settings,
  };
  const progress = { say: () => {}, count: () => {}, fail: () => {} };
  const hub = await startHub(config, progress, async () => undefined).catch(async (error) => {
    await test.drop();
    throw error;
  });
  const token = (role: string, subject = `test-${role}`) =>
    signToken(tokenKey(dataDir), { subject, role, expiresInSeconds: 600 });
  const tokens = new Map<string, string>();
  const send = async (method: string, path: string, body?: string | Buffer | object, options: CallOptions = {}) => {
    const headers: Record<string, string> = { ...options.headers };
    const role = options.role === undefined ? 'administrator' : options.role;
    if (role !== null) {
      if (!tokens.has(role)) tokens.set(role, await token(role));
      headers.authorization ??= `Bearer ${tokens.get(role)}`;
    }
    const isText = typeof body === 'string' || Buffer.isBuffer(body);
    if (body !== undefined && !isText) headers['content-type'] ??= 'application/json';
    const payload = body === undefined ? undefined : isText ? (body as BodyInit) : JSON.stringify(body);
    return answerOf(await fetch(hub.url + path, { method, headers, body: payload, redirect: 'manual' }));
  };
  const deliver = async (...messages: (string | Uint8Array)[]) => {
    const client = await openMllp(hub.mllp.port ?? 0);
    for (const message of messages) client.send(message);
    const answers: string[] = [];
    for (let i = 0; i < messages.length; i++) answers.push(await client.answer());
    client.end();
    return answers;
  };
  const settled = async () => {
    for (;;) {
      const { rows } = await test.database.query(`SELECT 1 FROM message WHERE state = 'received' LIMIT 1`);
      if (rows.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return {
    url: hub.url,
    mllpPort: hub.mllp.port ?? 0,
    mllpTlsPort: hub.mllp.tlsPort ?? 0,
    config,
    test,
    get: (path, options) => send('GET', path, undefined, options),
    send,
    deliver,
    settled,
    take: async (...messages) => {
      const wrong = (await deliver(...messages)).find((answer) => !answer.includes('MSA|AA|'));
      if (wrong !== undefined) throw new Error(`A message was not accepted: ${wrong}`);
      await settled();
    },
    resources: async (search) => {
      const { status, text, json } = await send('GET', `/fhir/${search}`);
      if (status !== 200) throw new Error(`The search was answered with ${status}: ${text}`);
      return (json.entry ?? []).map((entry: Json) => entry.resource);
    },
    token,
    mllp: () => openMllp(hub.mllp.port ?? 0),
    rest: () => hub.stop(),
    stop: async () => {
      await hub.stop();
      await test.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}
