/** `npm run demo:network [-- --people 30 --seed 1]`: two hubs, each its own region, and the way of one person between them. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Config, readConfig } from '../config.ts';
import type { RunningHub } from '../lifecycle.ts';
import { startHub } from '../main.ts';
import { terminalProgress } from '../terminal.ts';
import { demoAccounts } from './region.ts';
import { acquaint, type DemoHub, journey, witnessEachOther } from './two-hubs.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    once: { type: 'boolean' },
  },
});
const region = { people: Number(values.people), seed: Number(values.seed) };
const folder = mkdtempSync(join(tmpdir(), 'causeway-network-'));
// The account of a database that root starts has to reach its files; what is secret has its own rights.
if (process.getuid?.() === 0) chmodSync(folder, 0o755);
const { say } = terminalProgress();
const running: RunningHub[] = [];
let ending: Promise<void> | undefined;

const end = (code: number) => {
  ending ??= (async () => {
    say('Stopping both.');
    await Promise.all(running.map((hub) => hub.stop()));
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  })();
  return ending;
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));

try {
  const ports = await freePorts([8080, 2575, 8081, 2576]);
  const [town, neighbour] = [
    await start({ key: 'ellery-network', name: 'Ellery Bay' }, ports.slice(0, 2), ports[2]!, 'town'),
    await start({ key: 'brendan-network', name: 'Brendan Health Network' }, ports.slice(2), ports[0]!, 'neighbour'),
  ];
  await acquaint(town, neighbour);
  say('They know each other: participants, clients by private_key_jwt, peers.');
  await witnessEachOther(town, neighbour);
  say('Each is a witness of the other: it has cosigned its audit log.\n');
  let step = 0;
  await journey(town, neighbour, region, (text) => say(`  ${++step}. ${text}`));
  const { username, password } = demoAccounts.find(({ role }) => role === 'clinician')!;
  say(`\nBoth answer on: sign in as ${username} / ${password}. Ctrl-C stops both; nothing is left.`);
  if (values.once) await end(0);
} catch (error) {
  if (!ending) console.error(error instanceof Error ? error.message : error);
  await end(1);
}

/** Starts one of the two. @param ports of HTTP and MLLP @param peer the other one's port of HTTP */
async function start(
  { key, name }: Pick<DemoHub, 'key' | 'name'>,
  [port, mllpPort]: readonly number[],
  peer: number,
  network: Config['region'],
): Promise<DemoHub> {
  const dataDir = join(folder, network);
  const address = `http://127.0.0.1:${peer}`;
  const [auditWitnesses, witnessFor] = [join(folder, `${network}-witnesses`), join(folder, `${network}-witness-for`)];
  writeFileSync(auditWitnesses, 'quorum none\n');
  writeFileSync(witnessFor, '');
  const { config } = readConfig([], {
    CAUSEWAY_DATA_DIR: dataDir,
    CAUSEWAY_PORT: String(port),
    CAUSEWAY_MLLP_PORT: String(mllpPort),
    CAUSEWAY_PEOPLE: String(region.people),
    CAUSEWAY_SEED: String(region.seed),
    CAUSEWAY_REGION: network,
    CAUSEWAY_PEERS_AT: address,
    CAUSEWAY_NOTIFY_TO: address,
    CAUSEWAY_KEYS_FROM: address,
    CAUSEWAY_AUDIT_WITNESSES: auditWitnesses,
    CAUSEWAY_WITNESS_FOR: witnessFor,
    CAUSEWAY_WITNESS_SECONDS: '2',
  });
  const progress = terminalProgress(name);
  progress.fail = (reason) => {
    console.error(`${name}: ${reason}`);
    void end(1);
  };
  const hub = await startHub(config, progress);
  running.push(hub);
  progress.say(`${hub.url}, MLLP on ${hub.mllp.port}`);
  return { key, name, url: hub.url, dataDir, auditWitnesses, witnessFor };
}

/** These ports, or others where something listens on them already. */
async function freePorts(wanted: readonly number[]): Promise<number[]> {
  const held: { port: number; close(): Promise<void> }[] = [];
  for (const port of wanted) held.push(await hold(port).catch(() => hold(0)));
  await Promise.all(held.map(({ close }) => close()));
  return held.map(({ port }) => port);
}

function hold(port: number): Promise<{ port: number; close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const { port: taken } = server.address() as { port: number };
      resolve({ port: taken, close: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}
