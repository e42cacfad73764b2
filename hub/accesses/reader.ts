/** Who may be told what of the audit log. */
import type { Database } from '../database/index.ts';
import type { FhirRecord } from '../record/index.ts';
import { heldBy, holdsOf } from './holds.ts';
import { subjectsOf } from './subjects.ts';
import type { Reader } from './walk.ts';

/** One who sees the records of some homes only, such as a patient: what is held is not there for it. */
export async function confinedReader(
  parts: { database: Database; record: FhirRecord },
  homes: readonly number[],
  base: string,
): Promise<Reader> {
  const patients = await subjectsOf(parts, homes);
  const isHeld = heldBy(await holdsOf(parts.database, [...patients.keys()]), new Date());
  return { patients, base, ...(isHeld ? { isHeld } : {}) };
}
