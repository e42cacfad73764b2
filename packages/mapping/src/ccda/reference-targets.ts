/**
 * Which resources FHIR R4 lets a reference name, for the elements into which participants go.
 */
const PERSONS = ['Practitioner', 'Patient', 'RelatedPerson'];

const TARGETS: Readonly<Record<string, readonly string[]>> = {
  'AllergyIntolerance.recorder': PERSONS,
  'AllergyIntolerance.asserter': PERSONS,
  'CareTeam.participant.member': [...PERSONS, 'Organization'],
  'Condition.recorder': PERSONS,
  'Condition.asserter': PERSONS,
  'Coverage.subscriber': ['Patient', 'RelatedPerson'],
  'DeviceRequest.requester': ['Device', 'Practitioner', 'Organization'],
  'DeviceRequest.performer': [...PERSONS, 'Organization', 'Device'],
  'DeviceUseStatement.source': PERSONS,
  'DiagnosticReport.performer': ['Practitioner', 'Organization'],
  'DocumentReference.author': [...PERSONS, 'Organization', 'Device'],
  'Encounter.participant.individual': ['Practitioner', 'RelatedPerson'],
  'Goal.expressedBy': PERSONS,
  'Immunization.performer.actor': ['Practitioner', 'Organization'],
  'MedicationDispense.performer.actor': [...PERSONS, 'Organization', 'Device'],
  'MedicationRequest.performer': [...PERSONS, 'Organization', 'Device'],
  'MedicationRequest.requester': [...PERSONS, 'Organization', 'Device'],
  'MedicationStatement.informationSource': [...PERSONS, 'Organization'],
  'Observation.performer': [...PERSONS, 'Organization'],
  'Procedure.asserter': PERSONS,
  'Procedure.performer.actor': [...PERSONS, 'Organization', 'Device'],
  'Procedure.recorder': PERSONS,
  'CarePlan.author': [...PERSONS, 'Device', 'Organization'],
  'Communication.recipient': [...PERSONS, 'Device', 'Organization'],
  'Communication.sender': [...PERSONS, 'Device', 'Organization'],
  'Specimen.collection.collector': ['Practitioner'],
  'ServiceRequest.performer': [...PERSONS, 'Organization', 'Device'],
  'ServiceRequest.requester': [...PERSONS, 'Organization', 'Device'],
};

/** @param path the place, e.g. `performer[0].actor` */
export function mayReferTo(resource: string, path: string, target: string): boolean {
  const allowed = TARGETS[`${resource}.${path.replace(/\[\d+\]/g, '')}`];
  return allowed === undefined || allowed.includes(target);
}
