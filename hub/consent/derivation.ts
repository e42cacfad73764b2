/**
 * By which program and time zone provisions are made. When one of them changes, homes with consents are closed, all at once,
 * until their provisions are made anew, one after the other.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resourceTypes, searchParameters, typeCode } from '@causeway/fhir';
import { locks, type Transaction } from '../database/index.ts';
import { type IndexKey, indexFormat } from '../record/index.ts';
import type { ProvisionRow } from './provision-rows.ts';

let program: string | undefined;

/**
 * What provisions are made by: the sources that make them, the codes' parameters, the key of the index that they are held
 * against, and the time zone.
 */
export function stampOf(zone: string, index: IndexKey): string {
  program ??= digestOfProgram();
  return `${program} ${indexFormat}.${index.id} ${zone}`;
}

function digestOfProgram(): string {
  const digest = createHash('sha256');
  for (const folder of [dirname(fileURLToPath(import.meta.resolve('@causeway/access'))), import.meta.dirname]) {
    const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.includes('test'));
    for (const file of files.sort()) digest.update(file).update(readFileSync(join(folder, file)));
  }
  for (const type of resourceTypes()) {
    const tokens = searchParameters(type).filter((one) => one.type === 'token');
    digest.update(`${type} ${tokens.map(({ code }) => code).join(' ')}`);
  }
  return digest.digest('base64url');
}

/**
 * Keeps others from changing links, or provisions, until the commit.
 * @returns the stamp by which provisions are to be made; empty where nobody has said
 */
export async function lockDerivation(transaction: Transaction): Promise<string> {
  transaction.send({ name: 'consent_links', text: `SELECT pg_advisory_xact_lock_shared(${locks.links})` });
  return lockStamp(transaction);
}

export async function lockStamp(transaction: Transaction): Promise<string> {
  const { rows } = await transaction.query({
    name: 'consent_derivation',
    text: 'SELECT stamp FROM consent_derivation FOR UPDATE',
  });
  return rows[0]!.stamp;
}

/** Closes all homes that have consents, and says by what their provisions are to be made. */
export async function closeAll(transaction: Transaction, stamp: string): Promise<void> {
  await transaction.query('UPDATE consent_derivation SET stamp = $1', [stamp]);
  await transaction.query('DELETE FROM consent_provision');
  const consents = `SELECT home FROM resource WHERE type = ${typeCode('Consent')} AND NOT deleted AND home >= 0`;
  const { rows } = await transaction.query(
    `${consents} UNION SELECT m.home FROM link l JOIN link m USING (person) WHERE l.home IN (${consents})`,
  );
  const closed = rows.flatMap(({ home }) => closedHome(home));
  await transaction.query(
    'INSERT INTO consent_provision SELECT * FROM jsonb_populate_recordset(NULL::consent_provision, $1)',
    [JSON.stringify(closed)],
  );
}

const nobodys = '00000000-0000-0000-0000-000000000000';

/** What holds for a home whose provisions are not made yet: as of a consent that cannot be understood. */
export function closedHome(home: number): ProvisionRow[] {
  return [null, ['role:proxy']].map((actors, node) => ({
    ...{ home, consent: nobodys, node, parent: null, path: [node], effect: 2, permits: false, named: actors !== null },
    ...{ covers: 0, times: '{(,)}', actors, purposes: null, labels: null, types: null, codes: null },
    ...{ first_day: null, last_day: null, instances: null, stale: true },
  }));
}
