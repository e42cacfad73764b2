/** `causeway audit …`: verifies the log of accesses, exports it, and looks after its keys. */
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Policy, readPolicy, readVerifier, type Verifier } from '@causeway/tlog';
import { AuditLog, CheckpointFile, exported, type Verification, verifyDatabase, verifyExport } from './audit/index.ts';
import { withDatabase } from './backup/index.ts';
import type { Config } from './config.ts';
import { type Database, openDatabase } from './database/index.ts';
import { masterKey } from './secrets/index.ts';

type Say = (line: string) => void;

export interface VerifyChoices {
  /** An export; else the database. */
  file?: string;
  /** From where it was verified last. */
  incremental?: boolean;
  /** Also what is sealed, and by whom events are found. */
  deep?: boolean;
  /** The keys that are trusted, as verifier keys; those that the log names where there are none. */
  keys: string[];
  /** Files with checkpoints that somebody kept. */
  checkpoints: string[];
  /** A file that says which logs and witnesses are trusted, and which witnesses are enough (C2SP tlog-policy). */
  policy?: string;
}

/** Returns the exit code: 1 where something is wrong. */
export async function auditVerify(config: Config, choices: VerifyChoices, say: Say): Promise<number> {
  let policy: Policy | undefined;
  let keys: Verifier[];
  try {
    policy = choices.policy === undefined ? undefined : readPolicy(readFileSync(choices.policy, 'utf8'));
    keys = [...choices.keys, ...(policy?.logs ?? []).map(({ verifier }) => verifier)].map(readVerifier);
  } catch (error) {
    say((error as Error).message);
    return 1;
  }
  const trusted = { keys, policy };
  const begun = performance.now();
  if (choices.file !== undefined) {
    return orSaid(say, async () => {
      const found = await verifyExport(choices.file!, keys.length > 0 ? keys : undefined, policy);
      return told({ from: 0, ...found }, policy, begun, say);
    });
  }
  return withAudit(config, say, (database) => verifiedDatabase(config, database, choices, trusted, say, begun));
}

async function verifiedDatabase(
  config: Config,
  database: Database,
  { incremental, deep, checkpoints }: VerifyChoices,
  { keys, policy }: { keys: readonly Verifier[]; policy: Policy | undefined },
  say: Say,
  begun: number,
): Promise<number> {
  const own = await new CheckpointFile(config.dataDir).read();
  const kept = checkpoints.map((path) => readFileSync(path, 'utf8'));
  const from = incremental ? lastVerified(config.dataDir) : undefined;
  const verification = await verifyDatabase(database, {
    published: [...(own === undefined ? [] : [own]), ...kept],
    ...(keys.length > 0 ? { keys } : {}),
    ...(policy ? { policy } : {}),
    ...(from ? { from } : {}),
  });
  const code = told(verification, policy, begun, say);
  if (code !== 0) return code;
  noteVerified(config.dataDir, verification);
  if (!deep) return 0;
  const { finding, ...counts } = await new AuditLog(database, masterKey(config.dataDir, true)).verifyDeep();
  say(finding?.text ?? `${counts.opened} events open, and ${counts.sealed} are sealed for ever.`);
  return finding ? 1 : 0;
}

/** Writes the log into a file. */
export async function auditExport(config: Config, file: string, say: Say): Promise<number> {
  return withAudit(config, say, async (database) => {
    return orSaid(say, async () => {
      await pipeline(Readable.from(exported(database)), createWriteStream(file));
      say(`Wrote ${file}.`);
      return 0;
    });
  });
}

/** What cannot be done is said in a sentence. */
async function orSaid(say: Say, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    say((error as Error).message);
    return 1;
  }
}

function withAudit(config: Config, say: Say, run: (database: Database) => Promise<number>): Promise<number> {
  return withDatabase(config, say, async (connection) => {
    const database = await openDatabase({ connection, maxConnections: 3, statementTimeoutMs: 600_000 });
    try {
      return await run(database.as('all'));
    } finally {
      await database.close();
    }
  });
}

function told(verification: Verification, policy: Policy | undefined, begun: number, say: Say): number {
  const { origin, from, size, root, finding } = verification;
  const seconds = (performance.now() - begun) / 1_000;
  if (finding) {
    say(`WRONG (${finding.kind}): ${finding.text}`);
    return 1;
  }
  const rate = Math.round((size - from) / seconds);
  say(`${origin}: entries ${from} to ${size} are as they were signed (${seconds.toFixed(1)} s, ${rate} a second).`);
  say(`Root ${root.toString('base64')}`);
  say(cosignedText(verification, policy));
  return 0;
}

/** What is known of cosignatures. */
function cosignedText({ size, checkpoints = 0, cosigned }: Verification, policy: Policy | undefined): string {
  if (cosigned) {
    const by = cosigned.by.map(({ name, at }) => `${name} (${at.toISOString().slice(0, 19).replace('T', ' ')} UTC)`);
    const after = size === cosigned.size ? '' : `; the ${size - cosigned.size} after it are not yet`;
    return `Witnesses: the first ${cosigned.size} entries are cosigned by ${by.join(', ')}${after}.`;
  }
  if (policy) return 'Witnesses: none of the policy has cosigned the log; the policy asks for none.';
  return checkpoints === 0
    ? 'Witnesses: none has cosigned the log.'
    : 'Witnesses: the log has cosignatures; they were not checked, since no --policy says whose keys are trusted.';
}

/** The tree that was verified last on this machine. */
function lastVerified(dataDir: string): { size: number; root: Buffer } | undefined {
  const path = verifiedFile(dataDir);
  if (!existsSync(path)) return undefined;
  const [size, root] = readFileSync(path, 'utf8').split('\n') as [string, string];
  return { size: Number(size), root: Buffer.from(root, 'base64') };
}

function noteVerified(dataDir: string, { size, root }: Verification): void {
  const path = verifiedFile(dataDir);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${size}\n${root.toString('base64')}\n`);
}

function verifiedFile(dataDir: string): string {
  return join(dataDir, 'audit', 'verified');
}
