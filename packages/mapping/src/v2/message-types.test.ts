/** Message types by their structure: what each makes of its segment groups, whole and valid. */
import { describe, expect, test } from 'vitest';
import { all, convert, one, type Resource } from './testing.ts';

const ref = (resource: Resource) => ({ reference: `${resource.resourceType}/${resource.id}` });
const PID = 'PID|1||778^^^HARBOR^MR||Sommer^Ida||19720311|F';
const PV1 = 'PV1|1|I|4E^12^1^HARBOR||||||||||||||||V55^^^HARBOR^VN';
const ORC = 'ORC|NW|P1^HARBOR|F1^LAB||||||20260305090000|||1001^Keller^Jon';
const OBR = 'OBR|1|P1^HARBOR|F1^LAB|24323-8^Metabolic panel^LN|||20260305080000|||||||||||||||20260305093000|||F';
const OBX = 'OBX|1|NM|2345-7^Glucose^LN||102|mg/dL|||||F';
const RXE = 'RXE||197361^Amlodipine 5 MG^RXNORM|1||TAB^Tablet^HL70292';

describe('orders', () => {
  test.each(['ORM^O01', 'OMG^O19', 'OML^O21', 'OML^O33', 'OMI^O23'])('%s asks for a service', (type) => {
    const conversion = convert(
      type,
      PID,
      PV1,
      ORC,
      'TQ1|1||BID||||20260305|20260310|S',
      OBR.replace('|||F', '|||'),
      'NTE|1||Fasting',
    );
    expect(one(conversion, 'ServiceRequest')).toMatchObject({
      status: 'active',
      intent: 'order',
      priority: 'stat',
      subject: ref(one(conversion, 'Patient')),
      encounter: ref(one(conversion, 'Encounter')),
      note: [{ text: 'Fasting' }],
    });
    expect(all(conversion, 'DiagnosticReport')).toEqual([]);
  });

  test('OMP^O09 and RDE^O11 ask for a medicine, and RDE’s encodes OMP’s', () => {
    const rxo = 'RXO|197361^Amlodipine^RXNORM|1||TAB^Tablet';
    const asked = one(convert('OMP^O09', PID, ORC, rxo, 'RXR|PO^Oral^HL70162'), 'MedicationRequest');
    expect(asked).toMatchObject({
      intent: 'original-order',
      dosageInstruction: [{ route: { coding: [{ code: 'PO' }] } }],
    });
    const encoded = all(convert('RDE^O11', PID, ORC, rxo, RXE), 'MedicationRequest');
    expect(encoded.map(({ id }) => id)).toEqual([asked.id]);
    expect(one(convert('RDE^O25', PID, ORC, RXE), 'MedicationRequest').intent).toBe('order');
  });

  test('RDS^O13 dispenses, RGV^O15 has a dose given, RAS^O17 tells that it was', () => {
    const dispensed = convert('RDS^O13', PID, ORC, RXE, 'RXD|1|197361^Amlodipine^RXNORM|20260305100000|30|TAB');
    expect(one(dispensed, 'MedicationDispense')).toMatchObject({
      status: 'completed',
      authorizingPrescription: [ref(one(dispensed, 'MedicationRequest'))],
    });
    const give = convert(
      'RGV^O15',
      PID,
      ORC,
      RXE,
      'RXG|1|1||197361^Amlodipine^RXNORM|1||TAB^Tablet|||||||||||||||HTN^Hypertension^L',
    );
    const [order, dose] = all(give, 'MedicationRequest');
    expect(dose).toMatchObject({
      intent: 'instance-order',
      basedOn: [ref(order!)],
      reasonCode: [{ coding: [{ code: 'HTN' }] }],
    });
    const rxa =
      'RXA|0|1|20260305110000|20260305110500|197361^Amlodipine^RXNORM|1|TAB^Tablet|||1002^Frey^Ann|||||LOT7|20270101||||CP';
    const given = convert(
      'RAS^O17',
      PID,
      PV1,
      ORC,
      RXE,
      rxa,
      'RXR|PO^Oral^HL70162',
      rxa.replace('|1|2026', '|2|2026').replace('CP', 'RE'),
    );
    const [first, second] = all(given, 'MedicationAdministration');
    expect(first).toMatchObject({
      status: 'completed',
      request: ref(one(given, 'MedicationRequest')),
      context: ref(one(given, 'Encounter')),
      effectivePeriod: { start: '2026-03-05T11:00:00Z', end: '2026-03-05T11:05:00Z' },
      dosage: { dose: { value: 1 }, route: { coding: [{ code: 'PO' }] } },
    });
    expect(second).toMatchObject({ status: 'not-done', request: first!.request });
    expect(all(given, 'Medication')[0]).toMatchObject({ batch: { lotNumber: 'LOT7', expirationDate: '2027-01-01' } });
    expect(all(given, 'Immunization')).toEqual([]);
  });

  test('VXU^V04 and a CVX code in RAS^O17 are immunizations', () => {
    const rxa = 'RXA|0|1|20260305110000||140^Influenza^CVX|0.5|mL^^UCUM||00^New^NIP001|||||||||||CP|A';
    expect(one(convert('VXU^V04', PID, 'ORC|RE||F9^HARBOR', rxa), 'Immunization').status).toBe('completed');
    expect(all(convert('RAS^O17', PID, 'ORC|RE||F9^HARBOR', rxa), 'MedicationAdministration')).toEqual([]);
  });
});

describe('results and documents', () => {
  test.each(['ORU^R01', 'ORU^R30', 'ORU^R31', 'ORU^R32', 'ORU^R40', 'OUL^R21'])('%s reports', (type) => {
    const conversion = convert(type, PID, PV1, 'ORC|RE|P1^HARBOR|F1^LAB', OBR, OBX);
    expect(one(conversion, 'DiagnosticReport')).toMatchObject({
      status: 'final',
      result: [ref(one(conversion, 'Observation'))],
      basedOn: [ref(one(conversion, 'ServiceRequest'))],
    });
  });

  test.each(['OUL^R22', 'OUL^R23', 'OUL^R24'])('%s reports of a specimen', (type) => {
    const spm = 'SPM|1|S1^HARBOR&S9^LAB||119297000^Blood^SCT';
    const segments = type === 'OUL^R24' ? [OBR, spm, OBX] : [spm, OBR, OBX];
    const conversion = convert(type, PID, ...segments);
    expect(one(conversion, 'Specimen').type.coding[0].code).toBe('119297000');
    expect(one(conversion, 'DiagnosticReport').result).toHaveLength(1);
  });

  test('in OUL^R22 the ORC after an OBR is of its order, and parts no result from its report', () => {
    const orc = 'ORC|RE|P1^HARBOR|F1^LAB||CM||||20260305070000|||1001^Keller^Jon';
    const conversion = convert('OUL^R22', PID, 'SPM|1|||119297000^Blood^SCT', OBR, orc, 'TQ1|1||BID', OBX);
    expect(one(conversion, 'ServiceRequest')).toMatchObject({
      status: 'completed',
      authoredOn: '2026-03-05T07:00:00Z',
      occurrenceTiming: { code: { coding: [{ code: 'BID' }] } },
    });
    expect(one(conversion, 'DiagnosticReport').result).toEqual([ref(one(conversion, 'Observation'))]);
  });

  test.each([
    ['T01', 'current', undefined],
    ['T02', 'current', undefined],
    ['T03', 'current', undefined],
    ['T04', 'current', undefined],
    ['T05', 'current', 'appends'],
    ['T06', 'current', 'appends'],
    ['T07', 'current', undefined],
    ['T08', 'current', undefined],
    ['T09', 'current', 'replaces'],
    ['T10', 'current', 'replaces'],
    ['T11', 'entered-in-error', undefined],
  ])('MDM^%s makes a document %s, that %s its parent', (event, status, relation) => {
    const parent = relation === undefined ? '' : 'D0^HARBOR';
    const txa = `TXA|1|DS^Discharge summary^HL70270|TX|20260305|||||||| D1^HARBOR|${parent}||||LA||AV`;
    const document = one(
      convert(`MDM^${event}`, PID, PV1, txa, 'OBX|1|TX|DS^Summary^L||All well||||||F'),
      'DocumentReference',
    );
    expect(document.status).toBe(status);
    expect(document.relatesTo?.[0].code).toBe(relation);
    expect(document.content).toHaveLength(1);
  });
});

describe('schedules', () => {
  const SCH = 'SCH|A1^HARBOR|A2^CLINIC|||||CHECKUP^Check-up^L||||^^^20260401090000^20260401093000';
  const group = ['RGS|1', 'AIL|1||ROOM3^^^CLINIC', 'AIP|1||1001^Keller^Jon'];

  test.each([
    ['S12', 'booked'],
    ['S13', 'booked'],
    ['S14', 'booked'],
    ['S15', 'cancelled'],
    ['S16', 'cancelled'],
    ['S17', 'entered-in-error'],
    ['S18', 'booked'],
    ['S19', 'booked'],
    ['S20', 'booked'],
    ['S21', 'booked'],
    ['S22', 'booked'],
    ['S26', 'noshow'],
  ])('SIU^%s makes an appointment %s', (event, status) => {
    const conversion = convert(`SIU^${event}`, SCH, PID, ...group);
    const appointment = one(conversion, 'Appointment');
    expect(appointment).toMatchObject({ status, start: '2026-04-01T09:00:00Z', end: '2026-04-01T09:30:00Z' });
    expect(appointment.participant[0].actor).toEqual(ref(one(conversion, 'Patient')));
    expect(appointment.participant).toHaveLength(3);
  });

  test('TQ1 after SCH says when the appointment is', () => {
    const sch = 'SCH|A1^HARBOR|A2^CLINIC';
    const tq1 = 'TQ1|1||||||20260401090000|20260401093000';
    expect(one(convert('SIU^S12', sch, tq1, PID), 'Appointment')).toMatchObject({
      status: 'booked',
      start: '2026-04-01T09:00:00Z',
      end: '2026-04-01T09:30:00Z',
    });
    expect(one(convert('SIU^S12', sch, 'TQ1|1|||||1^h|20260401090000', PID), 'Appointment')).toMatchObject({
      minutesDuration: 60,
      end: '2026-04-01T10:00:00Z',
    });
  });

  test.each([
    ['S23', 'busy-unavailable'],
    ['S24', 'free'],
  ])('SIU^%s makes a slot %s, of nobody’s appointment', (event, status) => {
    const conversion = convert(`SIU^${event}`, SCH, ...group);
    expect(one(conversion, 'Slot')).toMatchObject({
      status,
      start: '2026-04-01T09:00:00Z',
      end: '2026-04-01T09:30:00Z',
    });
    expect(one(conversion, 'Schedule').actor).toHaveLength(2);
    expect(all(conversion, 'Patient')).toEqual([]);
    expect(all(conversion, 'Appointment')).toEqual([]);
    const later = convert(`SIU^${event}`, 'SCH|A1^HARBOR', 'RGS|1', 'AIG|1||MRI^Scanner||||| 20260402080000|||30|MIN');
    expect(one(later, 'Slot')).toMatchObject({ start: '2026-04-02T08:00:00Z', end: '2026-04-02T08:30:00Z' });
  });
});

describe('accounts', () => {
  const account = `${PID}||||||||||ACC1^^^HARBOR^AN`;

  test.each(['DFT^P03', 'DFT^P11'])('%s charges', (type) => {
    const conversion = convert(type, account, PV1, 'FT1|1|T1||20260305|20260305|CG|99213^Visit^C4|||1|100&USD');
    expect(one(conversion, 'ChargeItem')).toMatchObject({
      status: 'billable',
      account: [ref(one(conversion, 'Account'))],
    });
  });

  test.each([
    ['P01', 'active'],
    ['P02', 'inactive'],
    ['P05', 'active'],
    ['P06', 'inactive'],
    ['P12', 'active'],
  ])('BAR^%s leaves the account %s', (event, status) => {
    const conversion = convert(
      `BAR^${event}`,
      `EVN|${event}|20260305101000`,
      account,
      PV1,
      'DG1|1||I10^Hypertension^I10C||20260305|A',
    );
    expect(one(conversion, 'Account').status).toBe(status);
    expect(one(conversion, 'Condition').code.coding[0].code).toBe('I10');
  });
});

describe('master files', () => {
  test('MFN^M02: staff is whom registrations name by the same identifier', () => {
    const conversion = convert(
      'MFN^M02',
      'MFI|PRA^Practitioner master^HL70175||UPD|||NE',
      'MFE|MAD|||1001^HARBOR|CE',
      'STF|1001|1001^^^HARBOR^EI|Keller^Jon^^^Dr|PH^Physician^HL70182|M|19600101|A|CARD^Cardiology^L||^WPN^PH^^^33^5550101|Seeweg 4^^Brienz^BE^3855|20200101|||jon@harbor.example||||Head physician',
      'PRA|1001||MD^Physician^HL70186||Cardiology^Board^^20000101|NPI12345^NPI',
      'LAN|1|fr^French^ISO639',
      'EDU|1|MD^Doctor of Medicine^HL70360||||University of Bern',
    );
    const staff = one(conversion, 'Practitioner');
    expect(staff).toMatchObject({
      active: true,
      gender: 'male',
      communication: [{ coding: [{ code: 'fr' }] }],
      qualification: [{ code: { coding: [{ code: 'MD' }] } }],
    });
    expect(one(conversion, 'PractitionerRole')).toMatchObject({
      practitioner: ref(staff),
      active: true,
      specialty: [{ text: 'Cardiology' }],
    });
    const named = convert('ADT^A01', PID, PV1.replace('HARBOR||||', 'HARBOR||||1001^Keller^Jon^^^^^^HARBOR'));
    expect(one(named, 'Practitioner').id).toBe(staff.id);
    const gone = convert('MFN^M02', 'MFI|PRA||UPD', 'MFE|MDC|||1001', 'STF|1001|1001^^^HARBOR^EI|Keller^Jon');
    expect(one(gone, 'Practitioner')).toMatchObject({ id: staff.id, active: false });
    expect(all(conversion, 'Patient')).toEqual([]);
  });

  test('MFN^M05: locations are those that PV1-3 names', () => {
    const conversion = convert(
      'MFN^M05',
      'MFI|LOC||UPD',
      'MFE|MAD|||4E^12^1^HARBOR',
      'LOC|4E^12^1^HARBOR|Window bed|B^Bed^HL70260|Harbor Hospital|Quay 1^^Brienz|^WPN^PH^^^33^5550199',
      'LDP|4E^12^1^HARBOR|SUR^Surgery^HL70264||||A',
    );
    const bed = all(conversion, 'Location').at(-1)!;
    expect(bed).toMatchObject({ status: 'active', description: 'Window bed', address: { city: 'Brienz' } });
    expect(bed.type).toHaveLength(2);
    expect(all(convert('ADT^A01', PID, PV1), 'Location').at(-1)!.id).toBe(bed.id);
    const closed = convert('MFN^M05', 'MFI|LOC||UPD', 'MFE|MDL|||4E^12^1^HARBOR', 'LOC|4E^12^1^HARBOR');
    expect(all(closed, 'Location').map(({ status }) => status)).toEqual([undefined, undefined, 'inactive']);
  });

  test('MFN^M08: a numeric test with units and ranges', () => {
    const conversion = convert(
      'MFN^M08',
      'MFI|OMA||UPD',
      'MFE|MAD|||2345-7',
      'OM1|1|2345-7^Glucose^LN|NM|Y|||||Glucose fasting',
      'OM2|1|mg/dL^^UCUM|1|||70&99^F^18&65~60&109|40&400',
      'OM4|1||Tube||||||||5^mL|Fasting',
    );
    expect(one(conversion, 'ObservationDefinition')).toMatchObject({
      code: { coding: [{ system: 'http://loinc.org', code: '2345-7' }] },
      permittedDataType: ['Quantity'],
      preferredReportName: 'Glucose fasting',
      quantitativeDetails: { decimalPrecision: 1 },
      qualifiedInterval: [
        {
          category: 'reference',
          range: { low: { value: 70 }, high: { value: 99 } },
          gender: 'female',
          age: { low: { value: 18 } },
        },
        { category: 'reference', range: { low: { value: 60 } } },
        { category: 'critical', range: { high: { value: 400 } } },
      ],
    });
    expect(one(conversion, 'SpecimenDefinition').typeTested[0]).toMatchObject({
      requirement: 'Fasting',
      container: { description: 'Tube' },
    });
  });
});

describe('referrals and care', () => {
  test.each([
    ['I12', 'active'],
    ['I13', 'active'],
    ['I14', 'revoked'],
    ['I15', 'active'],
  ])('REF^%s: the referral, which comes before PID, is the patient’s and %s', (event, status) => {
    const rf1 = `RF1|${event === 'I14' ? 'R' : 'A'}|R|MED^Medical^HL70281|||R1^HARBOR|20260305`;
    const conversion = convert(
      `REF^${event}`,
      rf1,
      'PRD|RP^Referring^HL70286|Keller^Jon',
      PID,
      'DG1|1||I10^Hypertension^I10C',
    );
    expect(one(conversion, 'ServiceRequest')).toMatchObject({ status, subject: ref(one(conversion, 'Patient')) });
    expect(conversion.issues).toEqual([]);
  });

  test.each([
    ['PC1', 'AD', 'active'],
    ['PC2', 'UP', 'active'],
    ['PC3', 'DE', 'entered-in-error'],
  ])('PPR^%s (%s): problem, goal and pathway', (event, action, goalStatus) => {
    const conversion = convert(
      `PPR^${event}`,
      PID,
      PV1,
      `PRB|${action}|20260305|44054006^Diabetes^SCT|PB1^HARBOR`,
      'VAR|V1|20260305100000||1001^Keller^Jon||Started late',
      `PTH|${action}|DM^Diabetes pathway^L|PW1^HARBOR|20260305`,
      `GOL|${action}|20260305|HBA1C^HbA1c below 7^L|G1^HARBOR|||20260305|20260905||||||||||||`,
    );
    const problem = one(conversion, 'Condition');
    const goal = one(conversion, 'Goal');
    expect(problem.note).toMatchObject([{ text: 'Started late', time: '2026-03-05T10:00:00Z' }]);
    expect(goal).toMatchObject({
      lifecycleStatus: goalStatus,
      addresses: [ref(problem)],
      target: [{ dueDate: '2026-09-05' }],
    });
    expect(one(conversion, 'CarePlan')).toMatchObject({
      status: goalStatus,
      intent: 'plan',
      goal: [ref(goal)],
      addresses: [ref(problem)],
    });
  });
});

describe('questions', () => {
  test.each([
    ['QBP^Q22', 'QPD|Q22^Find candidates^HL7|Q1|@PID.5.1^Sommer'],
    ['QBP^Q23', 'QPD|Q23^Get corresponding ids^HL7|Q1|778^^^HARBOR^MR'],
    ['QBP^Q11', 'QPD|Z34^Request immunization history^CDCPHINVS|Q1|778^^^HARBOR^MR'],
  ])('%s states nothing: its atoms are kept, and say why', (type, qpd) => {
    const conversion = convert(type, qpd, 'RCP|I|5^RD');
    expect(conversion.facts.map(({ resource }) => resource.resourceType)).not.toContain('Patient');
    const asked = conversion.ledger.filter(({ source }) => /^(QPD|RCP)/.test(source));
    expect(asked.length).toBeGreaterThan(3);
    for (const entry of asked)
      expect(entry).toMatchObject({ disposition: 'kept', reason: 'a question states no fact' });
  });

  test('RSP^K11: the history it answers with is of the patient it names', () => {
    const rxa = 'RXA|0|1|20250305110000||140^Influenza^CVX|0.5|mL^^UCUM||||||||||||CP|A';
    const conversion = convert('RSP^K11', 'MSA|AA|Q1', 'QAK|Q1|OK', 'QPD|Z34|Q1', PID, 'ORC|RE||F9^HARBOR', rxa);
    expect(one(conversion, 'Immunization').patient).toEqual(ref(one(conversion, 'Patient')));
  });
});
