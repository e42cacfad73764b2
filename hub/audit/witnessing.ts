/** Makes of a hub's settings its witnesses, and itself one of others. */
import { type Policy, readPolicy, readVerifier } from '@causeway/tlog';
import { type Config, ConfigError } from '../config.ts';
import type { Database, Transaction } from '../database/index.ts';
import { guardedRequest } from '../guarded-request.ts';
import type { MasterKey } from '../secrets/index.ts';
import { WatchedFile } from './watched-file.ts';
import { readWitnessedLogs, Witness, type WitnessedLogs } from './witness.ts';
import { Witnesses, type WitnessRequest } from './witnesses.ts';

export interface WitnessingParts {
  database: Database;
  master: MasterKey;
  config: Config;
  /** The host in the name of this hub as a witness. */
  host: string;
  /** Told what people have to hear, in the transaction that notes it. */
  alarm(transaction: Transaction, text: string): void;
  fault(error: unknown): void;
}

const answerMs = 10_000;
const answerBytes = 128 * 1024;

/** @throws ConfigError where a file cannot be read */
export async function witnessing(parts: WitnessingParts): Promise<{ witness: Witness; witnesses: Witnesses }> {
  const { config, fault } = parts;
  const policy = new WatchedFile<Policy | undefined>(config.auditWitnesses, readWitnessPolicy, undefined, fault);
  const logs = new WatchedFile<WitnessedLogs>(config.witnessFor, readWitnessedLogs, new Map(), fault);
  await loaded(policy, '--audit-witnesses');
  await loaded(logs, '--witness-for');
  const paces = { everyMs: config.witnessSeconds * 1_000, alarmMs: config.witnessAlarmMinutes * 60_000 };
  return {
    witness: new Witness({ ...parts, dataDir: config.dataDir, logs }),
    witnesses: new Witnesses({ ...parts, policy, ask }, paces),
  };
}

/** @throws NoteError where the policy, or a key in it, cannot be read */
function readWitnessPolicy(text: string): Policy {
  const policy = readPolicy(text);
  for (const { verifier } of [...policy.logs, ...policy.witnesses]) readVerifier(verifier);
  return policy;
}

async function loaded<T>(file: WatchedFile<T>, option: string): Promise<void> {
  await file.load().catch((error) => {
    throw new ConfigError(`The file of ${option} cannot be read. ${(error as Error).message}`);
  });
}

/** An operator names the addresses of witnesses, so that private networks and plain http are fine. */
async function ask(url: string, { method, body }: WitnessRequest) {
  const headers = { accept: 'text/plain', ...(body ? { 'content-type': 'text/plain; charset=utf-8' } : {}) };
  const asked = { method, headers, milliseconds: answerMs, bytes: answerBytes, ...(body ? { body } : {}) };
  const answer = await guardedRequest(url, [new URL(url).origin], asked);
  return {
    status: answer.status,
    type: String(answer.headers['content-type'] ?? ''),
    body: answer.body.toString(),
  };
}
