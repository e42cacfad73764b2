/** Charts to write documents of: the people of the simulated region as each site knows them, and Synthea's patients. */
import { type Fact, mergeFact } from '@causeway/mapping';
import type { Bundle, Patient, Resource } from '@medplum/fhirtypes';
import { caseFiles } from '../case-files.ts';
import { regionConversions } from '../linkage/source-patients.ts';
import { referencesOf } from '../resource-checks.ts';

export interface ChartCase {
  id: string;
  resources: Resource[];
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
      charts.push({ id, resources: settled(bundle) });
  }
  return charts;
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
  return (JSON.parse(text) as Bundle).entry!.map(({ resource }) => resource!);
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
  }));
}
