/** What a text costs to write, keep and read back: deflated, zstd-compressed, or as it is. */
import { constants, deflateRawSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { isFhirError, scanBundle } from '@causeway/fhir';
import type { Database } from '../../hub/database/index.ts';
import { patientStory } from '../data/bundle.ts';
import { usageOf } from '../server/usage.ts';

export interface StorageFigures {
  bytes_per_text: number;
  table_mib: number;
  write_hub_cpu_ms: number;
  write_postgres_cpu_ms: number;
  read_hub_cpu_ms: number;
  read_postgres_cpu_ms: number;
}

const zstd = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const forms: Record<string, { pack(text: string): Buffer; unpack(bytes: Buffer): Buffer }> = {
  'deflate, level 1': { pack: (text) => deflateRawSync(text, { level: 1 }), unpack: (bytes) => inflateRawSync(bytes) },
  'zstd, level 1': { pack: (text) => zstdCompressSync(text, zstd), unpack: (bytes) => zstdDecompressSync(bytes) },
  none: { pack: (text) => Buffer.from(text), unpack: (bytes) => bytes },
};
const perTransaction = 160;
const perRead = 50;

/** CPU times are per text; reads take 50 texts a statement. */
export async function storageExperiment(
  database: Database,
  postmaster: number,
  people: number,
): Promise<Record<string, StorageFigures>> {
  const texts = textsOf(people);
  const figures: Record<string, StorageFigures> = {};
  for (const [name, { pack, unpack }] of Object.entries(forms)) {
    const table = `stored_${Object.keys(figures).length}`;
    await database.query(`CREATE TABLE ${table} (id bigint PRIMARY KEY, body bytea)`);
    await database.query(`ALTER TABLE ${table} ALTER body SET STORAGE EXTERNAL`);
    const before = usageOf(process.pid, postmaster);
    for (let from = 0; from < texts.length; from += perTransaction) {
      await write(database, table, from, texts.slice(from, from + perTransaction).map(pack));
    }
    const written = usageOf(process.pid, postmaster);
    for (let from = 0; from < texts.length; from += perRead) {
      const { rows } = await database.query({
        name: `read_${table}`,
        text: `SELECT body FROM ${table} WHERE id = ANY($1::bigint[])`,
        values: [`{${Array.from({ length: perRead }, (_, i) => (from + i * 211) % texts.length).join(',')}}`],
      });
      for (const { body } of rows) unpack(body).toString();
    }
    const read = usageOf(process.pid, postmaster);
    const size = await database.query(`SELECT pg_total_relation_size('${table}') AS bytes`);
    figures[name] = {
      bytes_per_text:
        texts.slice(0, 2000).reduce((sum, text) => sum + pack(text).length, 0) / Math.min(2000, texts.length),
      table_mib: Number(size.rows[0]!.bytes) / 2 ** 20,
      write_hub_cpu_ms: (written.hubCpuMs - before.hubCpuMs) / texts.length,
      write_postgres_cpu_ms: (written.postgresCpuMs - before.postgresCpuMs) / texts.length,
      read_hub_cpu_ms: (read.hubCpuMs - written.hubCpuMs) / texts.length,
      read_postgres_cpu_ms: (read.postgresCpuMs - written.postgresCpuMs) / texts.length,
    };
  }
  return figures;
}

async function write(database: Database, table: string, from: number, bodies: Buffer[]): Promise<void> {
  const starts: number[] = [];
  let offset = 1;
  for (const body of bodies) {
    starts.push(offset);
    offset += body.length;
  }
  await database.query({
    name: `write_${table}`,
    text: `INSERT INTO ${table} SELECT $1::bigint + i - 1, substring($2::bytea FROM start FOR length)
           FROM unnest($3::integer[], $4::integer[]) WITH ORDINALITY AS v (start, length, i)`,
    values: [from, Buffer.concat(bodies), `{${starts.join(',')}}`, `{${bodies.map(({ length }) => length).join(',')}}`],
  });
}

function textsOf(people: number): string[] {
  const texts: string[] = [];
  for (let serial = 0; serial < people; serial++) {
    const bundle = scanBundle(patientStory('storage', serial).text);
    if (isFhirError(bundle)) throw new Error(bundle.error);
    for (const { resource } of bundle.entries) texts.push(JSON.stringify(resource!.value));
  }
  return texts;
}
