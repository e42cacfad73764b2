/** A whole hub on a folder of its own, with accounts, a person with a record, and direct access to its database. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser } from '../../hub/authorization/testing.ts';
import { type Database, openDatabase, startEmbeddedDatabase } from '../../hub/database/index.ts';
import { startHub } from '../../hub/main.ts';
import { signToken, tokenKey } from '../../hub/secrets/index.ts';
import { Accounts } from '../../hub/trust/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes.
type Json = any;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: Json;
}

export interface AskedHub {
  url: string;
  database: Database;
  send(
    method: string,
    path: string,
    body?: string | Buffer | object,
    options?: { role?: string | null; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** A browser in which this user is signed in. */
  signedIn(username: 'clinician' | 'steward'): Promise<Browser>;
  stop(): Promise<void>;
}

const password = 'conformance-password';

export async function startAskedHub(keysFrom: string[]): Promise<AskedHub> {
  const dataDir = mkdtempSync(join(tmpdir(), 'causeway-conformance-'));
  const embedded = await startEmbeddedDatabase({ dataDir, notice: () => {}, died: () => {} });
  const { host, port, user, database: name } = embedded.connection;
  const hub = await startHub(
    {
      dataDir,
      host: '127.0.0.1',
      port: 0,
      mllpPort: 0,
      databaseUrl: `postgres://${user}@${encodeURIComponent(host)}:${port}/${name}`,
      demo: false,
      people: 1,
      seed: 1,
      messageBytes: 1024 * 1024,
      bundleBytes: 1024 * 1024,
      databaseConnections: 8,
      statementTimeoutMs: 30_000,
      mllpConnections: 5,
      mllpIdleMinutes: 0,
      mllpPlain: true,
      mllpTlsPort: undefined,
      mllpTlsCertificate: undefined,
      mllpTlsKey: undefined,
      mllpTlsClientCa: undefined,
      mllpTlsClientRequired: true,
      allowExpunge: false,
      importFrom: [],
      importBytes: 1024 * 1024,
      bulkHours: 1,
      publicUrl: undefined,
      keysFrom,
      logLevel: 'silent',
    },
    { say: () => {}, count: () => {}, fail: () => {} },
    async () => undefined,
  );
  const database = await openDatabase({ connection: embedded.connection, maxConnections: 2 });
  const accounts = new Accounts(database);
  for (const role of ['clinician', 'steward'] as const) {
    await accounts.make({ username: role, name: `A ${role}`, role, organization: 'Clinic' }, password);
  }
  const local = await signToken(tokenKey(dataDir), {
    subject: 'conformance',
    role: 'administrator',
    expiresInSeconds: 3600,
  });
  const send: AskedHub['send'] = async (method, path, body, options = {}) => {
    const headers: Record<string, string> = { ...options.headers };
    if (options.role !== null) headers.authorization ??= `Bearer ${local}`;
    const isText = typeof body === 'string' || Buffer.isBuffer(body);
    if (body !== undefined && !isText) headers['content-type'] ??= 'application/json';
    const payload = body === undefined ? undefined : isText ? (body as BodyInit) : JSON.stringify(body);
    const answer = await fetch(hub.url + path, { method, headers, body: payload, redirect: 'manual' });
    const text = await answer.text();
    let json: Json;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: answer.status, headers: answer.headers, text, json };
  };
  const asked: AskedHub = {
    url: hub.url,
    database,
    send,
    signedIn: async (username) => {
      const browser = new Browser(asked);
      await browser.signIn(username, password);
      return browser;
    },
    stop: async () => {
      await hub.stop();
      await database.close();
      await embedded.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return asked;
}
