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
import { callsOf, type HubCalls, type HubSettings, hubConfig, type Json } from './testing-calls.ts';
import { type MllpClient, openMllp } from './testing-mllp.ts';

export type { Answer, CallOptions, Json } from './testing-calls.ts';

export interface TestHub extends HubCalls {
  mllpPort: number;
  mllpTlsPort: number;
  directPort: number;
  config: Config;
  test: TestDatabase;
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
export async function startTestHub(settings: HubSettings = {}): Promise<TestHub> {
  const test = await testDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'causeway-hub-'));
  const definitions = join(tmpdir(), `causeway-test-definitions-${process.getuid?.() ?? 0}`);
  mkdirSync(definitions, { recursive: true });
  symlinkSync(definitions, join(dataDir, 'cache'));
  const config = hubConfig(dataDir, test.connection, settings);
  const progress = { say: () => {}, count: () => {}, fail: () => {} };
  const hub = await startHub(config, progress, async () => undefined).catch(async (error) => {
    await test.drop();
    throw error;
  });
  const calls = callsOf(hub.url, dataDir);
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
    ...calls,
    mllpPort: hub.mllp.port ?? 0,
    mllpTlsPort: hub.mllp.tlsPort ?? 0,
    directPort: hub.directPort ?? 0,
    config,
    test,
    deliver,
    settled,
    take: async (...messages) => {
      const wrong = (await deliver(...messages)).find((answer) => !answer.includes('MSA|AA|'));
      if (wrong !== undefined) throw new Error(`A message was not accepted: ${wrong}`);
      await settled();
    },
    resources: async (search) => {
      const { status, text, json } = await calls.get(`/fhir/${search}`);
      if (status !== 200) throw new Error(`The search was answered with ${status}: ${text}`);
      return (json.entry ?? []).map((entry: Json) => entry.resource);
    },
    mllp: () => openMllp(hub.mllp.port ?? 0),
    rest: () => hub.stop(),
    stop: async () => {
      await hub.stop();
      await test.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
