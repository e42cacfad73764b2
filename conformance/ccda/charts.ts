/** Charts to write documents of: the people of the simulated region as each site knows them, and Synthea's patients. */
import { type Fact, mergeFact } from '@causeway/mapping';
import type { Bundle, Patient, Resource } from '@medplum/fhirtypes';
import { caseFiles } from '../case-files.ts';
import { regionConversions } from '../linkage/source-patients.ts';
import { referencesOf } from '../resource-checks.ts';

export interface ChartCase {
  id: string;
  resources: Resource[];
  /** Whether it is a record: then each clinical code has to be told. Examples show elements that C-CDA has no place for. */
  record: boolean;
}

/** One chart for each Patient of each site of a region, after its last message. */
export function regionCharts(people: number): ChartCase[] {
  const sites = new Map<string, Map<string, Resource>>();
  for (const { message, conversion } of regionConversions(people)) {
    if (typeof conversion === 'string') continue;
    const known = sites.get(message.site) ?? new Map<string, Resource>();
    sites.set(message.site, known);
    for (const fact of conversion.facts) {
      const key = `${fact.resource.resourceType}/${fact.resource.id}`;
      const before = known.get(key);
      if (before === undefined || fact.mode === 'replace') known.set(key, fact.resource);
      else if (fact.mode === 'merge') known.set(key, merged(before, fact));
    }
  }
  return [...sites].flatMap(([site, known]) => chartsOf([...known.values()], `region ${site}`));
}

function merged(before: Resource, fact: Fact): Resource {
  return mergeFact(before as object as Record<string, unknown>, fact) as object as Resource;
}

/** The patients of Synthea's bundles. */
export function syntheaCharts(cases: string): ChartCase[] {
  const charts: ChartCase[] = [];
  for (const { id, bytes } of caseFiles(cases, ['synthea'])) {
    if (!id.endsWith('.json')) continue;
    const bundle = JSON.parse(bytes.toString('utf8')) as Bundle;
    if (bundle.resourceType !== 'Bundle') continue;
    const resources = (bundle.entry ?? []).map(({ resource }) => resource).filter((one) => one !== undefined);
    if (resources.some(({ resourceType }) => resourceType === 'Patient'))
      charts.push({ id, resources: settled(bundle), record: true });
  }
  return charts;
}

/** Types that are about no person. */
const ABOUT_NOBODY =
  /Definition$|^(ValueSet|CodeSystem|SearchParameter|ImplementationGuide|CapabilityStatement|ConceptMap|NamingSystem|StructureMap|Questionnaire)$/;

/** Published examples, each as the record of a Patient: its own, or one made up. */
export function exampleCharts(cases: string): ChartCase[] {
  const charts: ChartCase[] = [];
  for (const { id, bytes } of caseFiles(cases, ['fhir', 'ig-packages'])) {
    const example = id.endsWith('.json') ? resourceIn(bytes) : undefined;
    if (example === undefined || ABOUT_NOBODY.test(example.resourceType)) continue;
    const resources = example.resourceType === 'Bundle' ? settled(example) : [example];
    const known = resources.some(({ resourceType }) => resourceType === 'Patient');
    charts.push({ id, resources: known ? resources : [SOMEBODY, ...resources], record: false });
  }
  return charts;
}

const SOMEBODY: Patient = {
  resourceType: 'Patient',
  id: 'somebody',
  name: [{ family: 'Body', given: ['Some'] }],
  gender: 'other',
  birthDate: '1980',
};

/** A resource with an id, of JSON that is one. */
function resourceIn(bytes: Buffer): Resource | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as Partial<Resource> | null;
    return value?.resourceType !== undefined && value.id !== undefined ? (value as Resource) : undefined;
  } catch {
    return undefined;
  }
}

/** Resources with their references by URN put right, as a server does that takes a transaction in. */
function settled(bundle: Bundle): Resource[] {
  const references = new Map<string, string>();
  for (const { fullUrl, resource } of bundle.entry ?? []) {
    if (fullUrl !== undefined && resource !== undefined) {
      references.set(`"${fullUrl}"`, `"${resource.resourceType}/${resource.id}"`);
    }
  }
  const text = JSON.stringify(bundle).replace(/"urn:uuid:[0-9a-f-]+"/g, (urn) => references.get(urn) ?? urn);
  const entries = (JSON.parse(text) as Bundle).entry ?? [];
  return entries.map(({ resource }) => resource).filter((one) => one !== undefined);
}

/** Charts of the Patients among resources: what refers to one of them, and who is nobody's. */
function chartsOf(resources: readonly Resource[], name: string): ChartCase[] {
  const patients = resources.filter((one): one is Patient => one.resourceType === 'Patient');
  const owned = new Map<string, Resource[]>(patients.map(({ id }) => [`Patient/${id}`, []]));
  const shared: Resource[] = [];
  for (const resource of resources) {
    if (resource.resourceType === 'Patient') continue;
    const owners = new Set(
      [...referencesOf(resource)].map(({ reference }) => reference).filter((one) => owned.has(one)),
    );
    if (owners.size === 0) shared.push(resource);
    for (const owner of owners) owned.get(owner)!.push(resource);
  }
  return patients.map((patient) => ({
    id: `${name} ${patient.id}`,
    resources: [patient, ...owned.get(`Patient/${patient.id}`)!, ...shared],
    record: true,
  }));
}
