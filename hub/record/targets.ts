/** Which resource a conditional interaction is about, and why one may not be changed (FHIR R4 §3.1.0.4.3). */
import { isFhirError, isResourceType, type ScannedResource, scanResource, validate } from '@causeway/fhir';
import { RecordError } from './errors.ts';
import { newId } from './new-id.ts';

/**
 * The id that a conditional update writes to: what was found, else what the resource states, else a new one.
 * @throws RecordError 400 where the resource states another id than was found
 */
export function targetOf(found: string | undefined, stated: string | undefined, at?: string): string {
  if (found !== undefined && stated !== undefined && found !== stated) {
    const text = 'The condition finds a resource of another id than the one that is sent.';
    throw new RecordError(400, 'invariant', text, at ?? 'id');
  }
  return found ?? stated ?? newId();
}

/** @throws RecordError 409 where the stated id is that of a resource which the condition does not find */
export function refuseOther(there: { deleted: boolean } | undefined, at?: string): void {
  if (!there || there.deleted) return;
  const text = 'The condition does not find the resource whose id is sent, and that one exists.';
  throw new RecordError(409, 'conflict', text, at ?? 'id');
}

export function severalFound(at?: string): RecordError {
  const text = 'The condition finds more than one resource; it must say which one is meant.';
  return new RecordError(412, 'multiple-matches', text, at);
}

export function mergedPatient(at?: string): RecordError {
  const text =
    'This Patient is put together from what several sources say; change one of the Patients that its link elements name.';
  return new RecordError(409, 'business-rule', text, at);
}

/** Reads a resource's text. @throws RecordError 400 */
export function readResource(text: string): ScannedResource {
  const scanned = scanResource(text);
  if (!isFhirError(scanned)) return scanned;
  const { line, column, error, path } = scanned;
  throw new RecordError(400, 'structure', `Line ${line}, column ${column}: ${error}`, path || undefined);
}

/** Checks a resource against the R4 definitions. @throws RecordError 422 with all that is wrong */
export function checkResource(scanned: ScannedResource, at?: string): void {
  const wrong = validate(scanned.value).filter(({ severity }) => severity === 'error' || severity === 'fatal');
  if (wrong.length === 0)
    furtherChecks.get(scanned.resourceType)?.(scanned.value as unknown as Record<string, unknown>);
  if (wrong.length === 0) return;
  throw RecordError.of(
    422,
    wrong.map(({ code, diagnostics, expression }) => ({
      severity: 'error',
      code,
      diagnostics,
      expression: [at, expression].filter(Boolean).join(': '),
    })),
  );
}

const furtherChecks = new Map<string, (resource: Record<string, unknown>) => void>();

/**
 * Has every resource of a type that a client sends checked by more than its definition.
 * @param check throws a RecordError for what the hub would not keep to
 */
export function checkFurther(type: string, check: (resource: Record<string, unknown>) => void): void {
  furtherChecks.set(type, check);
}

/** @throws RecordError 404 for what is no resource type */
export function checkType(type: string): void {
  if (!isResourceType(type)) {
    throw new RecordError(
      404,
      'not-supported',
      'The address names no FHIR R4 resource type, such as Patient or Observation.',
    );
  }
}

export function nothing(type: string): RecordError {
  return new RecordError(404, 'not-found', `There is no ${type} of this id.`);
}

/** A version that is there. @throws RecordError 404, 410 with the ETag of the deletion */
export function existing<T extends { deleted: boolean; version: number; updated: Date }>(
  found: T | undefined,
  type: string,
): T {
  if (!found) throw nothing(type);
  if (!found.deleted) return found;
  throw new RecordError(410, 'deleted', `This ${type} was deleted; its history is kept.`)
    .with('etag', `W/"${found.version}"`)
    .with('last-modified', found.updated.toUTCString());
}
