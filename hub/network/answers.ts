/** What another hub answers, as messages for the inbox: each page as it came, marked as such (docs/network.md). */
import { isFhirError, scanBundle } from '@causeway/fhir';
import { factId } from '@causeway/mapping/facts';
import { PeerFault } from './peer-client.ts';

/** The mark by which a conversion knows that a hub said it; see `packages/mapping/src/fhir/of-hub.ts`. */
const mark = '"meta":{"tag":[{"system":"urn:causeway:network","code":"answer"}]},';

/**
 * What is asked for of a person. What binds the other hub's own readers (Consent), who read there (AuditEvent), and what
 * somebody asks it for (Subscription) is its own.
 */
export const fetchedTypes = [
  'Patient',
  'AllergyIntolerance',
  'Appointment',
  'Binary',
  'CarePlan',
  'CareTeam',
  'Composition',
  'Condition',
  'Device',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'EpisodeOfCare',
  'FamilyMemberHistory',
  'Flag',
  'Goal',
  'Immunization',
  'Location',
  'Media',
  'Medication',
  'MedicationAdministration',
  'MedicationDispense',
  'MedicationRequest',
  'MedicationStatement',
  'NutritionOrder',
  'Observation',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Procedure',
  'QuestionnaireResponse',
  'RelatedPerson',
  'ServiceRequest',
  'Specimen',
] as const;

/** The types whose changes are told of: each rings, and what rang is fetched. */
export const toldTypes = [
  'AllergyIntolerance',
  'Condition',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Immunization',
  'MedicationRequest',
  'Observation',
  'Procedure',
] as const;

export interface Page {
  /** The Bundle for the inbox. */
  bytes: Buffer;
  /** The ids of Patients in it, as the other hub has them. */
  patients: string[];
  /** What of it will be known here, as `Type/id`. */
  stated: string[];
  /** When the last change in it was made, by the other hub's clock. */
  last: Date | undefined;
  /** What it says is missing. */
  missing: string[];
  /** Where it goes on. */
  next: string | undefined;
}

/** @throws PeerFault where the answer is no Bundle of a search */
export function readPage(body: Buffer, peer: string): Page {
  const text = body.toString();
  const scanned = scanBundle(text);
  if (isFhirError(scanned) || scanned.type !== 'searchset' || scanned.bundle.meta || !text.startsWith('{'))
    throw new PeerFault('The other hub answered with what is no Bundle of a search.');
  const page: Page = { bytes: marked(text), patients: [], stated: [], last: undefined, missing: [], next: undefined };
  for (const { resource, entry } of scanned.entries) {
    if (!resource) continue;
    const { id, resourceType, value } = resource;
    if (entry.search?.mode === 'outcome') {
      const { issue = [] } = value as { issue?: { diagnostics?: string }[] };
      page.missing.push(
        ...issue.map(({ diagnostics }) => String(diagnostics ?? 'Something is missing.').slice(0, 500)),
      );
      continue;
    }
    if (id === undefined) continue;
    if (resourceType === 'Patient') page.patients.push(id);
    page.stated.push(`${resourceType}/${factId(peer, resourceType, id)}`);
    const changed = new Date(String(value.meta?.lastUpdated));
    if (!Number.isNaN(+changed) && (page.last === undefined || changed > page.last)) page.last = changed;
  }
  page.next = scanned.bundle.link?.find(({ relation }) => relation === 'next')?.url;
  return page;
}

/** The Bundle of one Patient that the other hub is certain about. */
export function pageOf(entry: object, peer: string): Page {
  return readPage(Buffer.from(JSON.stringify({ resourceType: 'Bundle', type: 'searchset', entry: [entry] })), peer);
}

function marked(text: string): Buffer {
  return Buffer.from(`{${mark}${text.slice(1)}`);
}
