/**
 * By which map a message was converted: a number made of the converters' own sources and of what the hub was told of the
 * sender's dialect. A message converted by another map than today's may be converted anew (see `reprocess.ts`).
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hash64 } from '../record/index.ts';

/** What conversions are made of. */
const converters = ['@causeway/hl7v2', '@causeway/ccda', '@causeway/mapping'];

let sources: string | undefined;
const versions = new WeakMap<object, bigint>();

/**
 * The number of the map by which messages of a sender are converted now.
 * @param settings the sender's, as a conversion is told them; not changed afterwards
 */
export function mapVersion(settings: object): bigint {
  sources ??= digestOfSources();
  let version = versions.get(settings);
  if (version === undefined) {
    // Whom others name as who cares has no part in a conversion.
    const { providers: _, lateMail: __, ...told } = settings as { providers?: unknown; lateMail?: unknown };
    version = hash64(`${sources} ${JSON.stringify(sorted(told))}`);
    versions.set(settings, version);
  }
  return version;
}

function digestOfSources(): string {
  const digest = createHash('sha256');
  for (const name of converters) {
    const folder = dirname(fileURLToPath(import.meta.resolve(name)));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !/\.(test|arbitrary)\.ts$/.test(file))
      .sort();
    for (const file of files) digest.update(`${name}/${file}\0`).update(readFileSync(join(folder, file)));
  }
  return digest.digest('hex');
}

/** The same settings in the same order, however they were stored. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}
