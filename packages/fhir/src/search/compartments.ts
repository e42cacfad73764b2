/**
 * The compartments of R4 (https://hl7.org/fhir/R4/compartmentdefinition.html): by which search parameters a resource of
 * a type belongs to that of a Patient, Encounter, RelatedPerson, Practitioner or Device.
 */
import { definitions } from '../definitions/definitions.ts';

/** Types that have compartments. */
export const compartmentTypes: readonly string[] = ['Patient', 'Encounter', 'RelatedPerson', 'Practitioner', 'Device'];

/**
 * The search parameters, of references, by which resources of a type belong to a compartment; `_id` where the resource
 * that the compartment is of belongs to it. Empty where resources of that type never do.
 */
export function compartmentParameters(compartment: string, type: string): readonly string[] {
  return membersOf(compartment).get(type) ?? [];
}

/** The types whose resources may belong to a compartment. */
export function compartmentMembers(compartment: string): readonly string[] {
  return [...membersOf(compartment).keys()];
}

function membersOf(compartment: string): ReadonlyMap<string, readonly string[]> {
  if (compartment !== 'Patient') return others.get(compartment) ?? new Map();
  const defs = definitions();
  let members = defs.derived.get('compartment members') as ReadonlyMap<string, readonly string[]> | undefined;
  if (members === undefined) {
    const byType = Object.entries(defs.artifact.patientCompartment).map(([type, codes]) => [
      type,
      type === 'Patient' ? ['_id', ...codes] : codes,
    ]);
    members = new Map(byType as [string, string[]][]);
    defs.derived.set('compartment members', members);
  }
  return members;
}

/** The definitions other than Patient's, which the npm package of the definitions does not hold. */
const others: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> = new Map([
  [
    'Encounter',
    table(`
      CarePlan encounter; CareTeam encounter; ChargeItem context; Claim encounter; ClinicalImpression encounter;
      Communication encounter; CommunicationRequest encounter; Composition encounter; Condition encounter;
      DeviceRequest encounter; DiagnosticReport encounter; DocumentManifest related-ref; DocumentReference encounter;
      Encounter _id; ExplanationOfBenefit encounter; Media encounter; MedicationAdministration context;
      MedicationRequest encounter; NutritionOrder encounter; Observation encounter; Procedure encounter;
      QuestionnaireResponse encounter; RequestGroup encounter; ServiceRequest encounter; VisionPrescription encounter`),
  ],
  [
    'RelatedPerson',
    table(`
      AdverseEvent recorder; AllergyIntolerance asserter; Appointment actor; AppointmentResponse actor; Basic author;
      CarePlan performer; CareTeam participant; ChargeItem enterer performer-actor; Claim payee;
      Communication sender recipient; CommunicationRequest sender recipient requester; Composition author;
      Condition asserter; Coverage policy-holder subscriber payor; DocumentManifest author recipient;
      DocumentReference author; Encounter participant; ExplanationOfBenefit payee; Invoice recipient;
      MedicationAdministration performer; MedicationStatement source; Observation performer; Patient link; Person link;
      Procedure performer; Provenance agent; QuestionnaireResponse author source; RelatedPerson _id;
      RequestGroup participant; Schedule actor; ServiceRequest performer; SupplyRequest requester`),
  ],
  [
    'Practitioner',
    table(`
      Account subject; AdverseEvent recorder; AllergyIntolerance recorder asserter; Appointment actor;
      AppointmentResponse actor; AuditEvent agent; Basic author; CarePlan performer; CareTeam participant;
      ChargeItem enterer performer-actor; Claim enterer provider payee care-team; ClaimResponse requestor;
      ClinicalImpression assessor; Communication sender recipient; CommunicationRequest sender recipient requester;
      Composition subject author attester; Condition asserter; CoverageEligibilityRequest enterer provider;
      CoverageEligibilityResponse requestor; DetectedIssue author; DeviceRequest requester performer;
      DiagnosticReport performer; DocumentManifest subject author recipient;
      DocumentReference subject author authenticator; Encounter practitioner participant; EpisodeOfCare care-manager;
      ExplanationOfBenefit enterer provider payee care-team; Flag author; Group member; Immunization performer;
      Invoice participant; Linkage author; List source; Media subject operator; MedicationAdministration performer;
      MedicationDispense performer receiver; MedicationRequest requester; MedicationStatement source;
      MessageHeader receiver author responsible enterer; NutritionOrder provider; Observation performer;
      Patient general-practitioner; PaymentNotice provider; PaymentReconciliation requestor; Person practitioner;
      Practitioner _id; PractitionerRole practitioner; Procedure performer; Provenance agent;
      QuestionnaireResponse author source; RequestGroup participant author; ResearchStudy principalinvestigator;
      RiskAssessment performer; Schedule actor; ServiceRequest performer requester; Specimen collector;
      SupplyDelivery supplier receiver; SupplyRequest requester; VisionPrescription prescriber`),
  ],
  [
    'Device',
    table(`
      Account subject; Appointment actor; AppointmentResponse actor; AuditEvent agent;
      ChargeItem enterer performer-actor; Claim procedure-udi item-udi detail-udi subdetail-udi;
      Communication sender recipient; CommunicationRequest sender recipient; Composition author; DetectedIssue author;
      DeviceRequest device subject requester performer; DeviceUseStatement device; DiagnosticReport subject;
      DocumentManifest subject author; DocumentReference subject author;
      ExplanationOfBenefit procedure-udi item-udi detail-udi subdetail-udi; Flag author; Group member;
      Invoice participant; List subject source; Media subject; MedicationAdministration device; MessageHeader target;
      Observation subject device; Provenance agent; QuestionnaireResponse author; RequestGroup author;
      RiskAssessment performer; Schedule actor; ServiceRequest performer requester; Specimen subject;
      SupplyRequest requester`),
  ],
]);

function table(text: string): ReadonlyMap<string, readonly string[]> {
  return new Map(
    text.split(';').map((row) => {
      const [type, ...codes] = row.trim().split(/\s+/) as [string, ...string[]];
      return [type, codes];
    }),
  );
}
