/**
 * The parameters of an export (Bulk Data Access IG 2.0, "Bulk Data Kick-off Request"). What is not understood is an
 * error, or under `Prefer: handling=lenient` a warning that goes into the export's error file.
 */
import { isInPatientCompartment, isResourceType } from '@causeway/fhir';
import { type Issue, RecordError } from '../record/index.ts';

export type ExportLevel = 'system' | 'patient' | 'group';

export interface ExportRequest {
  level: ExportLevel;
  /** Only these types; undefined for all. */
  types: string[] | undefined;
  /** Only what changed after this instant. */
  since: string | undefined;
  /** Of these types only what one of the searches finds. */
  filters: { type: string; query: string }[];
  /** Elements at the root of resources, alone or with their type; undefined for all. */
  elements: string[] | undefined;
  /** Ids of the patients that are wanted. */
  patients: string[] | undefined;
  warnings: Issue[];
}

/** Types that belong to no patient and explain what does: these go with exports of patients. */
export const supportingTypes: readonly string[] = [
  'Device',
  'HealthcareService',
  'Location',
  'Medication',
  'Organization',
  'Practitioner',
  'PractitionerRole',
];

const formats = ['application/fhir+ndjson', 'application/ndjson', 'ndjson'];
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const mostPatients = 10_000;
const mostFilters = 50;

/**
 * @param parameters decoded name and value pairs; those of a list may come several times
 * @throws RecordError 400 for what is not understood
 */
export function readExportRequest(
  level: ExportLevel,
  parameters: Iterable<[string, string]>,
  lenient: boolean,
): ExportRequest {
  const request: ExportRequest = {
    level,
    types: undefined,
    since: undefined,
    filters: [],
    elements: undefined,
    patients: undefined,
    warnings: [],
  };
  for (const [name, value] of parameters) {
    try {
      readParameter(request, name, value);
    } catch (error) {
      if (!(error instanceof RecordError) || !lenient || strictEver.has(name)) throw error;
      request.warnings.push(...error.issues.map((issue) => ({ ...issue, severity: 'warning' as const })));
    }
  }
  if (request.types?.length === 0) {
    throw wrong('_type', 'names no type that this export can hold');
  }
  const { types } = request;
  const beside = types && request.filters.find(({ type }) => !types.includes(type));
  if (beside) throw wrong('_typeFilter', `filters ${beside.type}, which _type does not ask for`);
  return request;
}

/** Wrong values of these change what is exported so much that no leniency covers them. */
const strictEver = new Set(['_outputFormat', '_since', 'patient']);

function readParameter(request: ExportRequest, name: string, value: string): void {
  switch (name) {
    case '_outputFormat':
      if (!formats.includes(value.replace(' ', '+'))) throw wrong(name, `may be ${formats.join(', ')}`);
      return;
    case '_since':
      if (!instant.test(value) || Number.isNaN(Date.parse(value))) {
        throw wrong(name, 'must be an instant, such as 2026-01-31T09:30:00Z');
      }
      request.since = new Date(value).toISOString();
      return;
    case '_type': {
      const types = request.types ?? [];
      request.types = types;
      const failed: RecordError[] = [];
      for (const type of value.split(',').map((one) => one.trim())) {
        const problem = typeProblem(request.level, type);
        if (problem) failed.push(problem);
        else if (!types.includes(type)) types.push(type);
      }
      if (failed.length > 0)
        throw RecordError.of(
          400,
          failed.flatMap(({ issues }) => issues),
        );
      return;
    }
    case '_typeFilter':
      for (const filter of value.split(/,(?=[A-Z][A-Za-z]*\?)/)) {
        if (request.filters.length >= mostFilters) throw wrong(name, `takes ${mostFilters} searches in all`);
        request.filters.push(readFilter(request.level, filter));
      }
      return;
    case 'patient':
      if (request.level === 'system') throw wrong(name, 'is for exports of patients or of a group');
      request.patients ??= [];
      for (const reference of value.split(',')) {
        const id = /^(?:.*\/)?Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(reference.trim())?.[1];
        if (id === undefined) throw wrong(name, 'must be a reference to a Patient, such as Patient/123');
        if (request.patients.length >= mostPatients) throw wrong(name, `may come ${mostPatients} times`);
        request.patients.push(id);
      }
      return;
    case '_elements':
      for (const element of value.split(',').map((one) => one.trim())) {
        const parts = /^(?:([A-Z][A-Za-z]*)\.)?[a-z][A-Za-z0-9]*$/.exec(element);
        if (!parts || (parts[1] !== undefined && !isResourceType(parts[1]))) {
          throw wrong(name, 'takes elements at the root of resources, such as Patient.name or status');
        }
        request.elements = [...(request.elements ?? []), element];
      }
      return;
    case 'includeAssociatedData':
      throw notSupported(name);
    case '_format':
    case '_pretty':
      return;
    default:
      throw wrong(name, 'is not a parameter of $export');
  }
}

function typeProblem(level: ExportLevel, type: string): RecordError | undefined {
  if (!isResourceType(type)) return wrong('_type', 'names what is no FHIR R4 resource type');
  const belongs = type !== 'Binary' && (isInPatientCompartment(type) || supportingTypes.includes(type));
  if (level === 'system' || belongs) return undefined;
  return wrong('_type', `names ${type}, which belongs to no patient; a system-level export holds it`);
}

function readFilter(level: ExportLevel, filter: string): ExportRequest['filters'][number] {
  const [type, query] = [filter.split('?')[0]!, filter.slice(filter.indexOf('?') + 1)];
  if (!filter.includes('?') || !isResourceType(type)) {
    throw wrong('_typeFilter', 'must be a search such as Observation?code=1234-5');
  }
  const problem = typeProblem(level, type);
  if (problem) throw problem;
  const control = [...new URLSearchParams(query).keys()].find((name) => controls.test(name));
  if (control) throw wrong('_typeFilter', `cannot take ${control}: it says what is found, not how it is shown`);
  return { type, query };
}

const controls = /^_(count|cursor|elements|format|include|pretty|revinclude|sort|summary|total)(:|$)/;

function wrong(name: string, what: string): RecordError {
  const shown = name.slice(0, 100);
  return new RecordError(400, 'invalid', `The parameter ${shown} ${what}.`, shown);
}

function notSupported(name: string): RecordError {
  return new RecordError(400, 'not-supported', `The parameter ${name} is not supported by this server.`, name);
}

/**
 * The parameters of a Parameters resource as name and value pairs. @throws RecordError 400
 */
export function readParameters(text: string): [string, string][] {
  let body: { resourceType?: unknown; parameter?: unknown } | null;
  try {
    body = JSON.parse(text);
  } catch {
    throw new RecordError(400, 'structure', 'The body is not JSON; send a Parameters resource.');
  }
  if (typeof body !== 'object' || body?.resourceType !== 'Parameters') {
    throw new RecordError(400, 'structure', 'The body must be a Parameters resource.', 'resourceType');
  }
  if (body.parameter !== undefined && !Array.isArray(body.parameter)) {
    throw new RecordError(400, 'structure', 'Parameters.parameter must be a list.', 'Parameters.parameter');
  }
  return (body.parameter ?? []).map((parameter: unknown, i: number): [string, string] => {
    const { name, ...rest } = (parameter ?? {}) as Record<string, unknown>;
    const value = Object.entries(rest).find(([key]) => key.startsWith('value'))?.[1];
    const plain = (value as { reference?: unknown } | null | undefined)?.reference ?? value;
    if (typeof name !== 'string' || !['string', 'boolean', 'number'].includes(typeof plain)) {
      throw new RecordError(400, 'structure', 'A parameter needs a name and a value.', `Parameters.parameter[${i}]`);
    }
    return [name, String(plain)];
  });
}
