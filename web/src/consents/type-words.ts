/** How people call types of resources. */
export const TYPE_WORDS: { [type: string]: string } = {
  AllergyIntolerance: 'allergies',
  Appointment: 'appointments',
  Condition: 'conditions',
  Coverage: 'insurances',
  DiagnosticReport: 'reports',
  DocumentReference: 'documents',
  Encounter: 'visits and stays',
  Immunization: 'immunizations',
  MedicationAdministration: 'medicines given',
  MedicationDispense: 'medicines dispensed',
  MedicationRequest: 'prescriptions',
  MedicationStatement: 'medicines taken',
  Observation: 'results and measurements',
  Procedure: 'procedures',
  RelatedPerson: 'contacts',
};
