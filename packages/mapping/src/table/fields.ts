/** What a row of a table may be about, and the fields that its columns may fill. */

/** What a row tells, beside whom it is about. */
export const tableKinds = [
  'patient',
  'encounter',
  'observation',
  'allergy',
  'medication',
  'immunization',
  'appointment',
] as const;
export type TableKind = (typeof tableKinds)[number];

/** A field that a column may fill. */
export interface TableField {
  label: string;
  /** Whether it holds a day or time, so that the order of day and month matters. */
  isDate?: true;
  /** Whether it holds a code, of a code system or an authority that the map names. */
  isCoded?: true;
  /** Names of columns that mean it, in small letters, without blanks and punctuation. */
  words: readonly string[];
}

type Fields = { readonly [name: string]: TableField };

const patient: Fields = {
  'patient.id': {
    label: 'Record number',
    isCoded: true,
    words: ['mrn', 'patientid', 'patid', 'pid', 'recordnumber', 'medicalrecordnumber', 'chartnumber', 'patientnumber'],
  },
  'patient.family': { label: 'Family name', words: ['lastname', 'familyname', 'surname', 'family', 'patientlastname'] },
  'patient.given': { label: 'Given name', words: ['firstname', 'givenname', 'given', 'forename', 'patientfirstname'] },
  'patient.middle': { label: 'Middle name', words: ['middlename', 'middle', 'middleinitial'] },
  'patient.name': { label: 'Whole name (Family, Given)', words: ['patientname', 'fullname', 'name'] },
  'patient.birthDate': {
    label: 'Date of birth',
    isDate: true,
    words: ['dob', 'birthdate', 'dateofbirth', 'born', 'patientdob'],
  },
  'patient.gender': { label: 'Sex', words: ['sex', 'gender', 'patientsex'] },
  'patient.ssn': { label: 'Social security number', words: ['ssn', 'socialsecuritynumber'] },
  'patient.phone': { label: 'Telephone', words: ['phone', 'telephone', 'homephone', 'phonenumber', 'mobile', 'cell'] },
  'patient.email': { label: 'E-mail', words: ['email', 'emailaddress'] },
  'patient.line': { label: 'Street', words: ['address', 'street', 'address1', 'addressline1', 'streetaddress'] },
  'patient.line2': { label: 'Street, second line', words: ['address2', 'addressline2'] },
  'patient.city': { label: 'City', words: ['city', 'town'] },
  'patient.state': { label: 'State', words: ['state', 'province'] },
  'patient.postalCode': { label: 'Postal code', words: ['zip', 'zipcode', 'postalcode', 'postcode'] },
  'patient.country': { label: 'Country', words: ['country'] },
  'patient.deceased': { label: 'Date of death', isDate: true, words: ['dod', 'dateofdeath', 'deathdate', 'deceased'] },
};

const row: Fields = {
  'row.id': { label: 'Own number of the row', words: ['id', 'rowid', 'recordid', 'uniqueid', 'key'] },
  'row.modified': {
    label: 'Last changed',
    isDate: true,
    words: ['modified', 'lastmodified', 'updated', 'updatedat', 'modifiedat', 'lastupdated', 'changed'],
  },
};

const own: { readonly [kind in TableKind]: Fields } = {
  patient: {},
  encounter: {
    'encounter.class': {
      label: 'Class (inpatient, outpatient, …)',
      words: ['class', 'patientclass', 'visitclass', 'encounterclass'],
    },
    'encounter.type': { label: 'Type', isCoded: true, words: ['type', 'visittype', 'encountertype'] },
    'encounter.start': {
      label: 'Begin',
      isDate: true,
      words: ['start', 'begin', 'admitdate', 'admissiondate', 'visitdate', 'encounterdate', 'admitted'],
    },
    'encounter.end': { label: 'End', isDate: true, words: ['end', 'dischargedate', 'discharged', 'enddate'] },
    'encounter.status': { label: 'Status', words: ['status', 'visitstatus'] },
    'encounter.reason': { label: 'Reason', words: ['reason', 'chiefcomplaint', 'reasonforvisit'] },
    'encounter.location': { label: 'Place', words: ['location', 'ward', 'department', 'unit', 'clinic'] },
    'encounter.practitioner': {
      label: 'Who treats',
      words: ['provider', 'attending', 'physician', 'doctor', 'practitioner'],
    },
  },
  observation: {
    'observation.code': {
      label: 'Code',
      isCoded: true,
      words: ['code', 'testcode', 'loinc', 'loinccode', 'observationcode', 'analyte'],
    },
    'observation.display': {
      label: 'Name of the test',
      words: ['test', 'testname', 'description', 'observation', 'component', 'name'],
    },
    'observation.value': { label: 'Value', words: ['value', 'result', 'resultvalue', 'observationvalue'] },
    'observation.unit': { label: 'Unit', words: ['unit', 'units', 'uom'] },
    'observation.range': { label: 'Reference range', words: ['range', 'referencerange', 'normalrange', 'refrange'] },
    'observation.flag': { label: 'Flag', words: ['flag', 'abnormal', 'abnormalflag', 'interpretation'] },
    'observation.date': {
      label: 'When observed',
      isDate: true,
      words: ['date', 'resultdate', 'observationdate', 'collected', 'collectiondate', 'testdate', 'datetime'],
    },
    'observation.status': { label: 'Status', words: ['status', 'resultstatus'] },
    'observation.note': { label: 'Comment', words: ['note', 'notes', 'comment', 'comments'] },
    'observation.category': {
      label: 'Category (laboratory, vital-signs, …)',
      words: ['category', 'observationcategory'],
    },
  },
  allergy: {
    'allergy.code': { label: 'Code of the substance', isCoded: true, words: ['code', 'allergencode', 'substancecode'] },
    'allergy.display': { label: 'Substance', words: ['allergy', 'allergen', 'substance', 'description', 'name'] },
    'allergy.reaction': { label: 'Reaction', words: ['reaction', 'manifestation'] },
    'allergy.severity': { label: 'Severity of the reaction', words: ['severity'] },
    'allergy.criticality': { label: 'Criticality', words: ['criticality'] },
    'allergy.onset': { label: 'Since', isDate: true, words: ['onset', 'onsetdate', 'date', 'start', 'startdate'] },
    'allergy.status': { label: 'Status', words: ['status'] },
  },
  medication: {
    'medication.code': { label: 'Code', isCoded: true, words: ['code', 'drugcode', 'rxnorm', 'ndc', 'medicationcode'] },
    'medication.display': {
      label: 'Medicine',
      words: ['medication', 'drug', 'medicine', 'drugname', 'medicationname', 'description', 'name'],
    },
    'medication.dosage': { label: 'Dosage', words: ['dosage', 'dose', 'sig', 'directions', 'instructions'] },
    'medication.start': { label: 'Begin', isDate: true, words: ['start', 'startdate', 'begin', 'date', 'prescribed'] },
    'medication.end': { label: 'End', isDate: true, words: ['end', 'enddate', 'stop', 'stopdate', 'stopped'] },
    'medication.status': { label: 'Status', words: ['status'] },
    'medication.note': { label: 'Comment', words: ['note', 'notes', 'comment'] },
  },
  immunization: {
    'immunization.code': {
      label: 'Code of the vaccine',
      isCoded: true,
      words: ['code', 'cvx', 'vaccinecode', 'cvxcode'],
    },
    'immunization.display': {
      label: 'Vaccine',
      words: ['vaccine', 'vaccinename', 'immunization', 'description', 'name'],
    },
    'immunization.date': {
      label: 'When given',
      isDate: true,
      words: ['date', 'administered', 'given', 'vaccinationdate', 'administrationdate', 'dateadministered'],
    },
    'immunization.lot': { label: 'Lot', words: ['lot', 'lotnumber'] },
    'immunization.status': { label: 'Status', words: ['status'] },
    'immunization.site': { label: 'Site', words: ['site'] },
    'immunization.route': { label: 'Route', words: ['route'] },
    'immunization.manufacturer': { label: 'Manufacturer', words: ['manufacturer', 'mvx'] },
  },
  appointment: {
    'appointment.start': {
      label: 'Begin',
      isDate: true,
      words: ['start', 'starttime', 'appointmentdate', 'appointment', 'date', 'datetime', 'scheduled'],
    },
    'appointment.end': { label: 'End', isDate: true, words: ['end', 'endtime'] },
    'appointment.status': { label: 'Status', words: ['status', 'appointmentstatus'] },
    'appointment.type': { label: 'Type', isCoded: true, words: ['type', 'appointmenttype', 'visittype'] },
    'appointment.reason': { label: 'Reason', words: ['reason', 'description'] },
    'appointment.practitioner': {
      label: 'With whom',
      words: ['provider', 'doctor', 'physician', 'practitioner', 'with'],
    },
    'appointment.location': { label: 'Place', words: ['location', 'clinic', 'room', 'department'] },
  },
};

/** The fields that the columns of a table of a kind may fill, by name. */
export function fieldsOf(kind: TableKind): Fields {
  return { ...patient, ...own[kind], ...row };
}
