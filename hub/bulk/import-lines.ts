/** Reads the lines of an import: each is a resource, or what is wrong with it. */
import { isUtf8 } from 'node:buffer';
import { canonicalText, isFhirError, isId, type ScannedResource, scanResource } from '@causeway/fhir';
import {
  checkResource,
  type FhirRecord,
  homePatient,
  type Issue,
  newId,
  RecordError,
  type Version,
  type WriteSet,
  withoutLabels,
} from '../record/index.ts';
import { type Access, refusedChange } from '../trust/index.ts';
import type { Part } from './files.ts';
import { linesOf } from './spool.ts';

/** A line that can be stored. */
export interface GoodLine {
  scanned: ScannedResource;
  id: string;
  /** Its number in the file. */
  line: number;
}

export interface ReadLines {
  good: GoodLine[];
  /** The problems of each bad line. */
  bad: Issue[][];
  keys: { type: string; id: string }[];
  patients: string[];
}

const issuesPerLine = 10;

/** Reads a part. @param type the type that all lines must have; undefined for any */
export function readLines(access: Access, part: Part, type: string | undefined, lineBytes: number): ReadLines {
  const read: ReadLines = { good: [], bad: [], keys: [], patients: [] };
  if (part.body.length === 0) {
    read.bad.push(problem(part.place + 1, 'too-long', `is longer than ${lineBytes} bytes`));
    return read;
  }
  const patients = new Set<string>();
  for (const [i, bytes] of linesOf(part.body).entries()) {
    const line = part.place + i + 1;
    const scanned = readLine(access, bytes, line, type, lineBytes);
    if (scanned === undefined) continue;
    if (Array.isArray(scanned)) {
      read.bad.push(scanned);
      continue;
    }
    const id = scanned.id ?? newId();
    const patient = homePatient(scanned, id);
    if (patient !== undefined) patients.add(patient);
    read.good.push({ scanned, id, line });
    read.keys.push({ type: scanned.resourceType, id });
  }
  read.patients = [...patients];
  return read;
}

/** A line's resource, its problems, or undefined where it is empty. */
function readLine(
  access: Access,
  bytes: Buffer,
  line: number,
  type: string | undefined,
  lineBytes: number,
): ScannedResource | Issue[] | undefined {
  if (bytes.length > lineBytes) return problem(line, 'too-long', `is longer than ${lineBytes} bytes`);
  if (!isUtf8(bytes)) return problem(line, 'structure', 'is not UTF-8');
  const text = bytes.toString();
  if (text.trim() === '') return undefined;
  const scanned = scanResource(text);
  if (isFhirError(scanned)) {
    return [
      {
        severity: 'error',
        code: scanned.code,
        diagnostics: `Line ${line}, column ${scanned.column}: ${scanned.error}`,
        ...(scanned.path ? { expression: scanned.path } : {}),
      },
    ];
  }
  if (type !== undefined && scanned.resourceType !== type) {
    return problem(line, 'invariant', `is a ${scanned.resourceType}, and the file is said to hold ${type}`);
  }
  const refusal = refusedChange(access, scanned.resourceType);
  if (refusal !== undefined) return [{ severity: 'error', code: 'forbidden', diagnostics: `Line ${line}: ${refusal}` }];
  if (scanned.id !== undefined && !isId(scanned.id)) {
    return problem(line, 'value', 'has an id that is not 1 to 64 letters, digits, - and dots');
  }
  try {
    checkResource(scanned);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return error.issues
      .slice(0, issuesPerLine)
      .map((issue) => ({ ...issue, diagnostics: `Line ${line}: ${issue.diagnostics}` }));
  }
  return scanned;
}

/** The problem of a line. */
export function problem(line: number, code: string, what: string): Issue[] {
  return [{ severity: 'error', code, diagnostics: `Line ${line} ${what}.` }];
}

/**
 * Stores lines as the next versions of their resources; those that say what is stored already change nothing. Returns
 * the problems of those that cannot be stored.
 */
export async function storeLines(record: FhirRecord, set: WriteSet, lines: readonly GoodLine[]): Promise<Issue[][]> {
  const refused: Issue[][] = [];
  const merged = await mergedPatients(record, set, lines);
  for (const { scanned, id, line } of lines) {
    if (merged.has(id) && scanned.resourceType === 'Patient') {
      refused.push(problem(line, 'business-rule', 'has the id of a Patient that is put together from several sources'));
      continue;
    }
    try {
      const before = set.get(scanned.resourceType, id);
      const stated = withoutLabels(scanned, before);
      if (!before || !says(before, stated)) set.put(stated, scanned.resourceType, id);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      refused.push(error.issues.map((issue) => ({ ...issue, diagnostics: `Line ${line}: ${issue.diagnostics}` })));
    }
  }
  return refused;
}

/** Ids of new Patients that are those of merged ones, under which nothing can be stored. */
async function mergedPatients(record: FhirRecord, set: WriteSet, lines: readonly GoodLine[]): Promise<Set<string>> {
  const fresh = lines.filter(({ scanned, id }) => scanned.resourceType === 'Patient' && !set.get('Patient', id));
  const merged = new Set<string>();
  await Promise.all(
    fresh.map(({ id }) =>
      record.refuseMerged('Patient', id).catch((error) => {
        if (!(error instanceof RecordError)) throw error;
        merged.add(id);
      }),
    ),
  );
  return merged;
}

/** Whether a version is what a line says, but for version and time. */
function says(before: Version, scanned: ScannedResource): boolean {
  if (before.deleted || before.text === undefined) return false;
  const meta = { id: before.id, versionId: String(before.version), lastUpdated: before.updated.toISOString() };
  return canonicalText(scanned, meta).text === before.text;
}
