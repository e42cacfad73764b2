/** Resources of a FHIR server as messages: a Bundle for each patient, with each resource as the server sent it. */
import { createHash } from 'node:crypto';
import type { Received } from '../inbox/index.ts';

type Reference = { reference?: unknown } | null | undefined;

/** A resource of any type, as a server sent it, with what is looked into. */
interface AnyResource {
  resourceType: string;
  id?: string | undefined;
  meta?: { lastUpdated?: unknown } | undefined;
  subject?: Reference;
  patient?: Reference;
  beneficiary?: Reference;
  individual?: Reference;
  participant?: unknown;
}

/** A resource, its text as it came; without one it was deleted at the server, and `resource` has its type and id. */
export interface ServerResource {
  /** Whose it was, where that is known. */
  patient?: string | undefined;
  text?: string;
  resource: AnyResource;
  /** When it was deleted, where the server says so. */
  deleted?: Date | undefined;
  /** It was taken for deleted, and is there as it was before: that counts from now. */
  isBack?: boolean;
}

const resourcesPerBundle = 200;
const charactersPerBundle = 1024 * 1024;
/** The clock of a server is known by whole seconds: what was gone then may have been changed in the same one. */
const restOfSecondMs = 999;

/**
 * @param base of the server, so that its absolute references are known as its own
 * @param at what says no time of its own is taken for said then, or within the second when it is gone
 */
export function bundlesOf(
  source: string,
  base: string | undefined,
  resources: readonly ServerResource[],
  at: Date,
): Received[] {
  const saidAt = ({ text, deleted }: ServerResource) =>
    text === undefined ? (deleted ?? new Date(at.getTime() + restOfSecondMs)) : at;
  const byPatient = Map.groupBy(resources, (one) => one.patient ?? patientOf(one.resource, base) ?? '');
  return [...byPatient].flatMap(([patient, own]) =>
    [...Map.groupBy(own, (one) => saidAt(one).getTime())].flatMap(([time, together]) =>
      inParts(together).map((part) => bundleOf(source, base, patient, part, new Date(time))),
    ),
  );
}

function inParts(resources: readonly ServerResource[]): ServerResource[][] {
  const parts: ServerResource[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const one of resources) {
    const length = one.text?.length ?? 100;
    if (characters + length > charactersPerBundle || parts.at(-1)!.length === resourcesPerBundle) {
      parts.push([]);
      characters = 0;
    }
    parts.at(-1)!.push(one);
    characters += length;
  }
  return parts;
}

/** PUT makes the server's id what a resource is known by, so that each Bundle refers to what others brought. */
function bundleOf(
  source: string,
  base: string | undefined,
  patient: string,
  resources: readonly ServerResource[],
  at: Date,
): Received {
  const isTimed = resources.every(({ text, resource }) => text !== undefined && resource.meta?.lastUpdated);
  const entries = resources.map(({ text, resource, isBack }) => {
    const url = `${resource.resourceType}/${resource.id}`;
    if (text === undefined) return JSON.stringify({ request: { method: 'DELETE', url } });
    // One without an id is known by what it says: by a common one all of them would be one.
    const request = JSON.stringify(
      resource.id === undefined ? { method: 'POST', url: resource.resourceType } : { method: 'PUT', url },
    );
    const response = isBack ? `,"response":${JSON.stringify({ status: '200', lastModified: at.toISOString() })}` : '';
    return `{"resource":${relative(text, base)},"request":${request}${response}}`;
  });
  const type = resources.some(({ isBack }) => isBack) ? 'history' : 'transaction';
  const timestamp = isTimed ? '' : `"timestamp":${JSON.stringify(at.toISOString())},`;
  const bytes = Buffer.from(`{"resourceType":"Bundle","type":"${type}",${timestamp}"entry":[${entries.join(',')}]}`);
  return {
    bytes,
    dialect: 'fhir',
    source,
    type: 'Bundle',
    controlId: createHash('sha256').update(bytes).digest('hex').slice(0, 32),
    lane: `${source} ${patient}`,
  };
}

function relative(text: string, base: string | undefined): string {
  return base === undefined ? text : text.replaceAll(`"reference":"${base}/`, '"reference":"');
}

/** The id of the Patient that a resource is about. */
export function patientOf(resource: AnyResource, base: string | undefined): string | undefined {
  if (resource.resourceType === 'Patient') return resource.id;
  const { subject, patient, beneficiary, individual, participant } = resource;
  const actors = Array.isArray(participant)
    ? (participant as ({ actor?: Reference } | null)[]).map((one) => one?.actor)
    : [];
  for (const reference of [subject, patient, beneficiary, individual, ...actors]) {
    const text = String(reference?.reference ?? '');
    const own = base !== undefined && text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text;
    if (own.startsWith('Patient/')) return own.slice('Patient/'.length).split('/')[0];
  }
  return undefined;
}
