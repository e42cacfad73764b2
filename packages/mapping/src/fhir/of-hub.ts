/**
 * What another hub answered (docs/network.md). Its Bundles are marked by the hub that asked: resources are known by their ids
 * there, keep where they come from, and what that hub was itself told by another one is not taken.
 */
import type { ScannedBundle, ScannedEntry } from '@causeway/fhir';
import type { Coding, Resource } from '@medplum/fhirtypes';

/** The tag of a Bundle that another hub answered. */
export const hubAnswer: Coding = { system: 'urn:causeway:network', code: 'answer' };
/** The tag that says at which address of which hub a resource was read. */
export const originSystem = 'urn:causeway:origin';
/** The tags that name, to the hub that asked, the organisations by which the other hub was told. */
export const originOrganization = 'urn:causeway:origin-organization';
const sourceSystem = 'urn:causeway:source';
const classifier = 'http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-classifier';

/** Whether a Bundle is what another hub answered. */
export function isOfHub({ bundle }: ScannedBundle): boolean {
  return tagsOf(bundle.meta).some(({ system, code }) => system === hubAnswer.system && code === hubAnswer.code);
}

/** Why an entry of another hub's answer states nothing here; undefined where it does. */
export function refusedOfHub({ entry, resource }: ScannedEntry): string | undefined {
  if (entry.search?.mode === 'outcome') return 'The entry tells of the answer, not of a patient.';
  if (resource?.id === undefined) return 'The resource has no id by which the other hub knows it.';
  const isPassedOn = tagsOf(resource.value.meta).some(({ system }) => system === originSystem);
  return isPassedOn ? 'The other hub was told this by a hub; each hub is asked for its own.' : undefined;
}

/**
 * Notes in a resource where it was read, and which organisations stated it there. Labels that the other hub put on count as
 * its own words; which of its records it takes for one person says nothing here.
 */
export function asOfHub(resource: Resource, fullUrl: string | undefined): void {
  const { meta } = resource;
  const tags = tagsOf(meta).map((tag) => (tag.system === sourceSystem ? { ...tag, system: originOrganization } : tag));
  const address = fullUrl ?? `${resource.resourceType}/${resource.id}`;
  const code = meta?.versionId === undefined ? address : `${address}/_history/${meta.versionId}`;
  resource.meta = { ...meta, tag: [...tags, { system: originSystem, code }] };
  if (Array.isArray(meta?.security)) resource.meta.security = meta.security.map(asStated);
  if (resource.resourceType === 'Patient') delete resource.link;
}

function tagsOf(meta: { tag?: Coding[] } | undefined): Coding[] {
  return Array.isArray(meta?.tag) ? meta.tag : [];
}

function asStated({ extension, ...coding }: Coding): Coding {
  const others = Array.isArray(extension) ? extension.filter(({ url }) => url !== classifier) : [];
  return others.length > 0 ? { ...coding, extension: others } : coding;
}
