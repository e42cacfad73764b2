/** What a summary has to be as a document (https://hl7.org/fhir/R4/documents.html), and that each of its resources is held to a profile. */
import { narrativeIssues, validate } from '@causeway/fhir';
import { type Checker, type Fault, Inspection, type Note } from './checker.ts';
import { type Fields, isObject } from './values.ts';

const ips = 'http://hl7.org/fhir/uv/ips/StructureDefinition/';

/** Types of which the guide has profiles that every resource of a summary has to meet. */
const PROFILED = [
  'AllergyIntolerance',
  'Condition',
  'DeviceUseStatement',
  'Immunization',
  'ImagingStudy',
  'Medication',
  'MedicationRequest',
  'MedicationStatement',
  'Organization',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Procedure',
  'Specimen',
];

export interface Checked {
  faults: string[];
  /** Resources by the profile that they meet; those that claim none by the reason. */
  met: string[];
  /** Coded values of these resources by what they are to the value sets that they are loosely bound to, each once. */
  notes: Note[];
}

export function checkDocument(checker: Checker, bundle: Fields): Checked {
  const entries = (bundle.entry ?? []) as { fullUrl: string; resource: Fields }[];
  const byAddress = new Map(entries.map(({ fullUrl, resource }) => [fullUrl, resource]));
  const inspection = new Inspection(checker, (reference) => byAddress.get(reference));
  const faults = [
    ...validate(bundle as never)
      .filter(({ severity }) => severity === 'error' || severity === 'fatal')
      .map(({ expression, diagnostics }) => `R4: ${expression}: ${diagnostics}`),
    ...inspection.finding(bundle, `${ips}Bundle-uv-ips`).faults.map(sentence),
    ...documentFaults(entries),
  ];
  const met: string[] = [];
  const notes: Note[] = [];
  for (const { resource } of entries) {
    const claimed = claimsOf(resource);
    const isFirst = firsts();
    for (const url of claimed) {
      const finding = inspection.finding(resource, url);
      faults.push(...finding.faults.map(sentence));
      for (const note of finding.notes) if (isFirst(note)) notes.push(note);
    }
    if (claimed.length > 0) met.push(...claimed.map((url) => url.slice(ips.length)));
    else {
      const reason = reasonForNone(resource);
      if (reason === undefined) faults.push(`a ${resource.resourceType} claims no profile`);
      else met.push(reason);
    }
  }
  return { faults, met, notes };
}

/** Tells whether a value of a resource comes for the first time: profiles, and slices, look at the same ones. */
function firsts(): (note: Note) => boolean {
  const seen = new Map<string, Set<unknown>>();
  return ({ path, valueSet, value }) => {
    const values = seen.get(`${path} ${valueSet}`) ?? new Set();
    seen.set(`${path} ${valueSet}`, values);
    return values.size < values.add(value).size;
  };
}

function sentence({ kind, path, says }: Fault): string {
  return `${kind}: ${path} ${says}`;
}

export function claimsOf(resource: Fields): string[] {
  const { profile } = (resource.meta ?? {}) as { profile?: string[] };
  return (profile ?? []).filter((url) => url.startsWith(ips));
}

/** Why a resource may be there without a profile of the guide: its slices are open for what its profiles do not know. */
function reasonForNone(resource: Fields): string | undefined {
  const { resourceType, status } = resource;
  if (PROFILED.includes(String(resourceType))) return undefined;
  if (resourceType === 'Device') return 'Device: author';
  if (resourceType !== 'Observation' && resourceType !== 'DiagnosticReport') return `${resourceType}: no profile`;
  if (status !== 'final') return `${resourceType}: not final, and the guide knows final ones only`;
  const categories = JSON.stringify(resource.category ?? []);
  const kind = ['vital-signs', 'social-history'].find((code) => categories.includes(`"${code}"`));
  if (kind !== undefined) return `Observation: ${kind}`;
  const codes = JSON.stringify(resource.code);
  return /72166-2|74013-4|82810-3|11636-8|1177[89]-/.test(codes)
    ? 'Observation: value or time of another kind'
    : undefined;
}

function documentFaults(entries: readonly { fullUrl: string; resource: Fields }[]): string[] {
  const faults: string[] = [];
  const addresses = new Set(entries.map(({ fullUrl }) => fullUrl));
  if (addresses.size < entries.length) faults.push('document: an address is there twice');
  const [first] = entries;
  const reached = new Set<string>([first?.fullUrl ?? '']);
  const byAddress = new Map(entries.map(({ fullUrl, resource }) => [fullUrl, resource]));
  for (const address of reached) {
    for (const reference of referencesOf(byAddress.get(address))) {
      if (addresses.has(reference)) reached.add(reference);
      else if (!/^(?:#|https?:|urn:)/.test(reference)) faults.push(`document: the reference ${reference} is relative`);
      else if (reference.startsWith('urn:uuid:')) faults.push('document: a reference leads to no entry');
    }
  }
  for (const { fullUrl, resource } of entries)
    if (!reached.has(fullUrl)) faults.push(`document: a ${resource.resourceType} is reached from nowhere`);
  const sections = ((first?.resource.section ?? []) as Fields[]).map(({ text, entry, title }) => ({
    div: String((text as Fields | undefined)?.div),
    entry: (entry ?? []) as Fields[],
    title,
  }));
  for (const { div, entry, title } of sections) {
    if (narrativeIssues(div).length > 0) faults.push(`document: the narrative of ${title} is not safe`);
    for (const { reference } of entry)
      if (!addresses.has(String(reference))) faults.push(`document: ${title} names what is not there`);
  }
  return faults;
}

function referencesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesOf);
  if (!isObject(value)) return [];
  const own = typeof value.reference === 'string' ? [value.reference] : [];
  return [...own, ...Object.values(value).flatMap(referencesOf)];
}
