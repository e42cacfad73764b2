/** Names of the HL7 v2 fields that are met most, for the reader of an original. By segment, from field 1. */
const NAMES: Record<string, string> = {
  MSH: 'Field separator|Encoding characters|Sending application|Sending facility|Receiving application|Receiving facility|Date/time of message|Security|Message type|Message control id|Processing id|Version id|Sequence number|Continuation pointer|Accept acknowledgment type|Application acknowledgment type|Country code|Character set|Principal language',
  EVN: 'Event type code|Recorded date/time|Date/time planned event|Event reason code|Operator id|Event occurred|Event facility',
  PID: 'Set id|Patient id (external)|Patient identifier list|Alternate patient id|Patient name|Mother’s maiden name|Date/time of birth|Administrative sex|Patient alias|Race|Patient address|County code|Phone number, home|Phone number, business|Primary language|Marital status|Religion|Patient account number|SSN number|Driver’s licence number|Mother’s identifier|Ethnic group|Birth place|Multiple birth indicator|Birth order|Citizenship|Veterans military status|Nationality|Patient death date/time|Patient death indicator|Identity unknown indicator|Identity reliability code',
  PD1: 'Living dependency|Living arrangement|Patient primary facility|Patient primary care provider',
  NK1: 'Set id|Name|Relationship|Address|Phone number|Business phone number|Contact role',
  PV1: 'Set id|Patient class|Assigned patient location|Admission type|Preadmit number|Prior patient location|Attending doctor|Referring doctor|Consulting doctor|Hospital service|Temporary location|Preadmit test indicator|Re-admission indicator|Admit source|Ambulatory status|VIP indicator|Admitting doctor|Patient type|Visit number|Financial class|Charge price indicator|Courtesy code|Credit rating|Contract code|Contract effective date|Contract amount|Contract period|Interest code|Transfer to bad debt code|Transfer to bad debt date|Bad debt agency code|Bad debt transfer amount|Bad debt recovery amount|Delete account indicator|Delete account date|Discharge disposition|Discharged to location|Diet type|Servicing facility|Bed status|Account status|Pending location|Prior temporary location|Admit date/time|Discharge date/time',
  PV2: 'Prior pending location|Accommodation code|Admit reason|Transfer reason|Patient valuables|Patient valuables location|Visit user code|Expected admit date/time|Expected discharge date/time',
  MRG: 'Prior patient identifier list|Prior alternate patient id|Prior patient account number|Prior patient id|Prior visit number|Prior alternate visit id|Prior patient name',
  ORC: 'Order control|Placer order number|Filler order number|Placer group number|Order status|Response flag|Quantity/timing|Parent|Date/time of transaction|Entered by|Verified by|Ordering provider',
  OBR: 'Set id|Placer order number|Filler order number|Universal service identifier|Priority|Requested date/time|Observation date/time|Observation end date/time|Collection volume|Collector identifier|Specimen action code|Danger code|Relevant clinical information|Specimen received date/time|Specimen source|Ordering provider|Order callback phone number|Placer field 1|Placer field 2|Filler field 1|Filler field 2|Results reported/status changed|Charge to practice|Diagnostic service section id|Result status|Parent result|Quantity/timing|Result copies to|Parent|Transportation mode|Reason for study|Principal result interpreter',
  OBX: 'Set id|Value type|Observation identifier|Observation sub-id|Observation value|Units|Reference range|Interpretation codes|Probability|Nature of abnormal test|Observation result status|Effective date of reference range|User-defined access checks|Date/time of the observation|Producer’s id|Responsible observer|Observation method|Equipment instance identifier|Date/time of the analysis',
  NTE: 'Set id|Source of comment|Comment|Comment type',
  AL1: 'Set id|Allergen type code|Allergen code|Allergy severity code|Allergy reaction|Identification date',
  DG1: 'Set id|Diagnosis coding method|Diagnosis code|Diagnosis description|Diagnosis date/time|Diagnosis type',
  PR1: 'Set id|Procedure coding method|Procedure code|Procedure description|Procedure date/time|Procedure functional type',
  IN1: 'Set id|Health plan id|Insurance company id|Insurance company name|Insurance company address|Insurance contact person|Insurance phone number|Group number|Group name',
  GT1: 'Set id|Guarantor number|Guarantor name|Guarantor spouse name|Guarantor address|Guarantor phone number, home',
  TXA: 'Set id|Document type|Document content presentation|Activity date/time|Primary activity provider|Origination date/time|Transcription date/time|Edit date/time|Originator|Assigned document authenticator|Transcriptionist|Unique document number|Parent document number|Placer order number|Filler order number|Unique document file name|Document completion status|Document confidentiality status|Document availability status',
  SCH: 'Placer appointment id|Filler appointment id|Occurrence number|Placer group number|Schedule id|Event reason|Appointment reason|Appointment type|Appointment duration|Appointment duration units|Appointment timing quantity',
  AIS: 'Set id|Segment action code|Universal service identifier|Start date/time|Start date/time offset|Start offset units|Duration|Duration units',
  AIL: 'Set id|Segment action code|Location resource id|Location type|Location group|Start date/time',
  AIP: 'Set id|Segment action code|Personnel resource id|Resource type|Resource group|Start date/time',
  RXA: 'Give sub-id counter|Administration sub-id counter|Date/time start of administration|Date/time end of administration|Administered code|Administered amount|Administered units|Administered dosage form|Administration notes|Administering provider',
  SPM: 'Set id|Specimen id|Specimen parent ids|Specimen type',
  MSA: 'Acknowledgment code|Message control id|Text message',
  ERR: 'Error code and location|Error location|HL7 error code|Severity|Application error code|Application error parameter|Diagnostic information|User message',
};

const SPLIT = new Map(Object.entries(NAMES).map(([segment, names]) => [segment, names.split('|')]));

/** `PID-5 Patient name`; the bare number where the name is not known. */
export function fieldName(segment: string, number: number): string {
  const name = SPLIT.get(segment)?.[number - 1];
  return name ? `${segment}-${number} ${name}` : `${segment}-${number}`;
}
