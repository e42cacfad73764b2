/**
 * `$validate` (https://hl7.org/fhir/R4/resource-operation-validate.html), as far as R4's own definitions go: structure,
 * cardinality, values and required codes. What is not checked is said.
 */
import { isFhirError, type ScannedResource, scanResource, validate } from '@causeway/fhir';
import type { Issue } from './errors.ts';

export const validationModes = ['create', 'update', 'delete'] as const;
export type ValidationMode = (typeof validationModes)[number];

export interface ValidationRequest {
  /** The type of the address. */
  type: string;
  /** The id of the address. */
  id: string | undefined;
  mode: ValidationMode | undefined;
  /** A profile it is to be checked against. */
  profile: string | undefined;
  /** Whether the caller may change resources, and whether the one of the address exists. */
  /** Why the caller may not change resources of the type. */
  refused: string | undefined;
  exists: boolean;
}

/** What is wrong with a resource's text, and whether the interaction named would be carried out. Never empty. */
export function validationIssues(text: string | undefined, request: ValidationRequest): Issue[] {
  const issues = interactionIssues(request);
  if (text !== undefined && request.mode !== 'delete') issues.push(...resourceIssues(text, request));
  if (issues.every(({ severity }) => severity !== 'error')) issues.unshift(allWell(request.mode));
  return issues;
}

function interactionIssues({ mode, refused, exists, profile, type }: ValidationRequest): Issue[] {
  const issues: Issue[] = [];
  if (mode !== undefined && refused !== undefined) issues.push(error('forbidden', refused));
  if (mode === 'delete' && !exists) {
    issues.push(warning('not-found', `There is no ${type} of this id: deleting it would change nothing.`));
  }
  if (mode === 'update' && !exists) {
    issues.push(information(`There is no ${type} of this id yet: the update would create it.`));
  }
  if (profile !== undefined) {
    const diagnostics =
      'This server does not check profiles: the resource was held against the definitions of R4 only.';
    issues.push(error('not-supported', diagnostics, 'profile'));
  }
  return issues;
}

function resourceIssues(text: string, { type, id, mode }: ValidationRequest): Issue[] {
  const scanned = scanResource(text);
  if (isFhirError(scanned)) {
    const at = `Line ${scanned.line}, column ${scanned.column}: ${scanned.error}`;
    return [error(scanned.code, at, scanned.path || undefined)];
  }
  const issues: Issue[] = validate(scanned.value).map(({ severity, ...issue }) => ({
    ...issue,
    severity: severity === 'fatal' ? 'error' : severity,
  }));
  if (scanned.resourceType !== type) {
    const diagnostics = `The address names ${type}, the resource is a ${scanned.resourceType}.`;
    issues.push(error('invariant', diagnostics, 'resourceType'));
  }
  if (mode === 'update' && scanned.id !== id) {
    issues.push(error('invariant', 'The id of the resource must be that of the address.', `${type}.id`));
  }
  if (mode === 'create' && scanned.id !== undefined) {
    issues.push(information('A created resource gets an id of the server’s making, not this one.', `${type}.id`));
  }
  if (claimsProfiles(scanned)) {
    issues.push(information('The resource claims profiles, which this server does not check.', `${type}.meta.profile`));
  }
  return issues;
}

function claimsProfiles({ value }: ScannedResource): boolean {
  const profiles = (value.meta as { profile?: unknown } | undefined)?.profile;
  return Array.isArray(profiles) && profiles.length > 0;
}

function allWell(mode: ValidationMode | undefined): Issue {
  if (mode === 'delete') return information('The resource may be deleted.');
  const checked = 'Structure, cardinality, values and required codes are as R4 wants them';
  return information(`${checked}; invariants, other terminology and profiles were not checked.`);
}

function error(code: string, diagnostics: string, expression?: string): Issue {
  return { severity: 'error', code, diagnostics, ...(expression ? { expression } : {}) };
}

function warning(code: string, diagnostics: string): Issue {
  return { severity: 'warning', code, diagnostics };
}

function information(diagnostics: string, expression?: string): Issue {
  return { severity: 'information', code: 'informational', diagnostics, ...(expression ? { expression } : {}) };
}
