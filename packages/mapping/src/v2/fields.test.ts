/** Fields whose place in R4 is not plain: where each goes, and what of it is told. */
import { describe, expect, test } from 'vitest';
import { all, convert, one } from './testing.ts';

const PID = 'PID|1||778^^^HARBOR^MR||Sommer^Ida||19720311|F';
const PV1 = 'PV1|1|I|4E^12^1^HARBOR||||||||||||||||V55^^^HARBOR^VN';
const pid = (fields: Record<number, string>) => {
  const parts = PID.split('|');
  for (const [field, value] of Object.entries(fields)) parts[Number(field)] = value;
  return Array.from(parts, (part) => part ?? '').join('|');
};
const segment = (name: string, fields: Record<number, string>) => {
  const parts: string[] = [name];
  for (const [field, value] of Object.entries(fields)) parts[Number(field)] = value;
  return Array.from(parts, (part) => part ?? '').join('|');
};

describe('parties', () => {
  test('an organization without an id is known by its name to the authority that XON.6 names', () => {
    const rol = segment('ROL', { 1: '1', 2: 'AD', 3: 'PP', 4: '1001^Keller', 14: 'Good Health^L^^^^CMS^XX^^A' });
    const organizations = all(convert('ADT^A08', PID, rol), 'Organization');
    expect(organizations.find(({ name }) => name === 'Good Health')?.identifier).toMatchObject([
      { type: { coding: [{ code: 'XX' }] }, value: 'Good Health', assigner: { display: 'CMS' } },
    ]);
  });

  test('a next of kin acts for the organization of NK1-13', () => {
    const nk1 = segment('NK1', { 1: '1', 2: 'Sommer^Leo', 3: 'BRO^Brother^HL70063', 13: 'Seeside Home' });
    const conversion = convert('ADT^A08', PID, nk1);
    const [contact] = one(conversion, 'Patient').contact;
    expect(contact.relationship[0].coding[0].code).toBe('BRO');
    const home = all(conversion, 'Organization').find(({ name }) => name === 'Seeside Home')!;
    expect(contact.organization.reference).toBe(`Organization/${home.id}`);
  });

  test('XCN where NDL is asked for is a person', () => {
    const obr = segment('OBR', { 1: '1', 3: 'F1^LAB', 4: '24323-8^Panel^LN', 25: 'F', 32: '1001^Keller^Jon' });
    expect(one(convert('ORU^R01', PID, obr), 'Practitioner').name).toMatchObject([
      { family: 'Keller', given: ['Jon'] },
    ]);
  });

  test('a relative who reports an allergy asserts it', () => {
    const iam = segment('IAM', {
      1: '1',
      3: '70618^Penicillin^RXNORM',
      6: 'A',
      14: 'Sommer^Leo',
      15: 'BRO^Brother^HL70063',
    });
    const conversion = convert('ADT^A60', PID, iam);
    const relative = one(conversion, 'RelatedPerson');
    expect(relative.relationship[0].coding[0].code).toBe('BRO');
    expect(one(conversion, 'AllergyIntolerance').asserter.reference).toBe(`RelatedPerson/${relative.id}`);
  });

  test('the way of contact that CTD-6 prefers is the first', () => {
    const rf1 = segment('RF1', { 1: 'A', 6: 'R1^HARBOR' });
    const ctd = segment('CTD', { 1: 'C^Emergency contact', 2: 'Frey^Ann', 5: '^WPN^PH^^^33^5550101', 6: 'O' });
    expect(one(convert('REF^I12', rf1, PID, ctd), 'PractitionerRole').telecom).toMatchObject([
      { use: 'work', rank: 1 },
    ]);
  });

  test('a legal address says so', () => {
    const [address] = one(convert('ADT^A08', pid({ 11: 'Seeweg 4^^Brienz^^3855^CH^L' })), 'Patient').address;
    expect(address.extension[0]).toMatchObject({
      url: expect.stringContaining('address-official'),
      valueCodeableConcept: { coding: [{ code: 'L' }] },
    });
  });
});

describe('statements about persons', () => {
  test('publicity and its date; a date alone is told with an unknown value', () => {
    const pd1 = segment('PD1', { 11: '02^Reminder^HL70215', 18: '20260101', 17: '20250202' });
    const told = all(convert('ADT^A08', PID, pd1), 'Observation');
    expect(told.find(({ code }) => code.text === 'Publicity')).toMatchObject({
      valueCodeableConcept: { coding: [{ code: '02' }] },
      effectiveDateTime: '2026-01-01',
    });
    expect(told.find(({ code }) => code.text === 'Immunization registry status')).toMatchObject({
      effectiveDateTime: '2025-02-02',
      dataAbsentReason: { coding: [{ code: 'unknown' }] },
    });
  });

  test('each repetition is a statement of its own', () => {
    const told = all(
      convert('ADT^A08', PID, segment('PD1', { 15: 'DNR^Do not resuscitate~N^No directive' })),
      'Observation',
    );
    expect(told.map((one) => one.valueCodeableConcept.coding[0].code)).toEqual(['DNR', 'N']);
  });

  test('a guarantor’s death, spouse and type', () => {
    const gt1 = segment('GT1', {
      1: '1',
      2: 'G1',
      3: 'Sommer^Max',
      4: 'Sommer^Eva',
      10: 'P',
      24: '20250101',
      25: 'Y',
      30: 'M',
    });
    const conversion = convert('ADT^A08', PID, gt1);
    const told = all(conversion, 'Observation');
    expect(told.find(({ code }) => code.text === "Guarantor's death")).toMatchObject({
      valueBoolean: true,
      effectiveDateTime: '2025-01-01',
    });
    expect(told.find(({ code }) => code.text === "Guarantor's marital status")?.component).toMatchObject([
      { code: { text: 'Spouse' }, valueString: 'Sommer Eva' },
    ]);
    expect(one(conversion, 'RelatedPerson').relationship).toMatchObject([
      { coding: [{ code: 'GUAR' }, { code: 'P', system: expect.stringContaining('0068') }] },
    ]);
  });
});

describe('orders', () => {
  const order = (tq1: string, control = 'ORC|NW|P1^HARBOR') => {
    const obr = segment('OBR', { 1: '1', 2: 'P1^HARBOR', 4: '24323-8^Panel^LN' });
    return one(convert('OML^O21', PID, control, tq1, obr), 'ServiceRequest');
  };

  test('a duration after a start is an end', () => {
    expect(order('TQ1|1||BID|||10^d|20260305').occurrenceTiming.repeat.boundsPeriod).toEqual({
      start: '2026-03-05',
      end: '2026-03-15',
    });
    expect(order('TQ1|1||BID|||90^min|202603052300+0100').occurrenceTiming.repeat.boundsPeriod.end).toBe(
      '2026-03-06T00:30:00+01:00',
    );
  });

  test('what of a pattern FHIR has no element for stands in the schedule’s text', () => {
    const { code, repeat } = order('TQ1|1||BID^^^^^^^PC^30^min|0800|15^min').occurrenceTiming;
    expect(repeat.timeOfDay).toEqual(['08:00:00']);
    expect(code).toMatchObject({ coding: [{ code: 'BID' }], text: 'BID, PC 30 min, relative time 15 min' });
  });

  test('a second timing of a service is a remark', () => {
    const obr = segment('OBR', { 1: '1', 2: 'P1^HARBOR', 4: '24323-8^Panel^LN' });
    const request = one(
      convert('OML^O21', PID, 'ORC|NW|P1^HARBOR', 'TQ1|1||BID', 'TQ1|2||QHS||||20260401', obr),
      'ServiceRequest',
    );
    expect(request.occurrenceTiming.code.coding).toMatchObject([{ code: 'BID' }]);
    expect(request.note).toEqual([{ text: 'Further timing: QHS, 20260401' }]);
  });

  test('ORC-4 is the placer’s group, and the filler’s where it gives both', () => {
    const request = (group: string) => {
      const obr = segment('OBR', { 1: '1', 2: 'P1^HARBOR', 4: '24323-8^Panel^LN' });
      return one(convert('OML^O21', PID, segment('ORC', { 1: 'NW', 2: 'P1^HARBOR', 4: group }), obr), 'ServiceRequest');
    };
    expect(request('G1^HARBOR').requisition).toMatchObject({ value: 'G1', assigner: { display: 'HARBOR' } });
    const both = request('G1&HARBOR^G2&LAB');
    expect(both.requisition).toMatchObject({ value: 'G1', assigner: { display: 'HARBOR' } });
    expect(both.identifier).toContainEqual(
      expect.objectContaining({ value: 'G2', type: { coding: [expect.objectContaining({ code: 'FGN' })] } }),
    );
  });

  test('OBR-28 asks for copies to whom it names; ORC-13 is where it was entered', () => {
    const obr = segment('OBR', { 1: '1', 3: 'F1^LAB', 4: '24323-8^Panel^LN', 25: 'F', 28: '1001^Keller~1002^Frey' });
    const conversion = convert('ORU^R01', PID, segment('ORC', { 1: 'RE', 13: 'LAB^2' }), obr);
    expect(one(conversion, 'CommunicationRequest')).toMatchObject({
      basedOn: [{ reference: `ServiceRequest/${one(conversion, 'ServiceRequest').id}` }],
      recipient: [{ display: expect.stringContaining('Keller') }, { display: expect.stringContaining('Frey') }],
    });
    const [lab, room] = all(conversion, 'Location');
    expect(lab).toMatchObject({ name: 'LAB', physicalType: { coding: [{ code: 'wa' }] } });
    expect(room).toMatchObject({ name: 'LAB 2', partOf: { reference: `Location/${lab!.id}` } });
  });

  test('of two accession numbers the specimen’s is the one of SPM-30', () => {
    const spm = segment('SPM', { 1: '1', 4: '119297000^Blood^SCT', 30: 'A30^^^LAB' });
    const specimen = one(convert('OUL^R22', PID, spm, segment('SAC', { 2: 'A2^LAB', 3: 'C1' })), 'Specimen');
    expect(specimen.accessionIdentifier.value).toBe('A30');
    expect(specimen.identifier).toMatchObject([{ value: 'A2', type: { coding: [{ code: 'ACSN' }] } }]);
  });

  test('NTE-2 says which side remarks where nobody is named', () => {
    const obr = segment('OBR', { 1: '1', 3: 'F1^LAB', 4: '24323-8^Panel^LN', 25: 'F' });
    const told = convert('ORU^R01', PID, obr, 'OBX|1|NM|1-8^X^LN||1||||||F', 'NTE|1|L|Haemolysed');
    expect(one(told, 'Observation').note).toEqual([{ text: 'Haemolysed', authorString: 'Filler' }]);
  });

  test('OBR-25 says how far an order is that ORC does not tell of', () => {
    const status = (result: string) =>
      one(convert('ORM^O01', PID, segment('OBR', { 1: '1', 2: 'P1', 4: 'X^Y^L', 25: result })), 'ServiceRequest')
        .status;
    expect([status('S'), status('F'), status('X')]).toEqual(['active', 'completed', 'revoked']);
  });
});

describe('consents, authorizations, restrictions, items', () => {
  test('CON is a consent, given by whom it names', () => {
    const con = segment('CON', {
      1: '1',
      2: '001',
      3: 'HIPAA 2',
      11: 'R',
      13: '202603051000',
      24: 'Sommer^Leo',
      25: '4',
    });
    const conversion = convert('MDM^T01', PID, PV1, segment('TXA', { 1: '1', 2: 'CN', 12: 'D1^HARBOR' }), con);
    const giver = one(conversion, 'RelatedPerson');
    expect(one(conversion, 'Consent')).toMatchObject({
      status: 'rejected',
      dateTime: '2026-03-05T10:00:00Z',
      policyRule: { text: 'HIPAA 2' },
      performer: [{ reference: `RelatedPerson/${giver.id}` }],
    });
  });

  test('AUT is the payer’s answer, and the referral’s insurance', () => {
    const rf1 = segment('RF1', { 1: 'A', 6: 'R1^HARBOR' });
    const aut = segment('AUT', {
      2: 'HC03',
      3: 'Helvetia',
      4: '20260301',
      5: '20260401',
      6: 'AU77',
      9: '6',
      10: '20260228',
    });
    const conversion = convert('REF^I12', rf1, aut, PID);
    const answer = one(conversion, 'ClaimResponse');
    expect(answer).toMatchObject({
      use: 'preauthorization',
      preAuthRef: 'AU77',
      preAuthPeriod: { start: '2026-03-01', end: '2026-04-01' },
      created: '2026-02-28',
      insurer: { display: 'Helvetia' },
    });
    expect(one(conversion, 'ServiceRequest').quantityQuantity).toEqual({ value: 6, unit: 'treatments' });
    expect(one(conversion, 'ServiceRequest').insurance).toEqual([{ reference: `ClaimResponse/${answer.id}` }]);
  });

  test('ARV-4 is why access is restricted', () => {
    const arv = segment('ARV', { 1: '1', 2: 'A', 3: 'ADR', 4: 'PAT' });
    expect(
      one(convert('ADT^A08', PID, arv), 'Flag').extension[0].extension[0].valueCodeableConcept.coding,
    ).toMatchObject([{ code: 'PAT', system: expect.stringContaining('0719') }]);
  });

  test('FT1-42 and FT1-43 are the dispense that is charged', () => {
    const ft1 = segment('FT1', {
      1: '1',
      2: 'T1',
      4: '20260305',
      6: 'CG',
      7: 'X^Y^L',
      29: '0182-1061-05^Aspirin^NDC',
      42: 'RX9',
      43: '5^TAB',
    });
    const conversion = convert('DFT^P03', PID, PV1, ft1);
    const dispense = one(conversion, 'MedicationDispense');
    expect(dispense).toMatchObject({ quantity: { value: 5 }, identifier: [{ value: 'RX9' }] });
    expect(one(conversion, 'ChargeItem').service).toEqual([{ reference: `MedicationDispense/${dispense.id}` }]);
  });

  test('FT1-34 and FT1-35 are the item that is charged for', () => {
    const ft1 = segment('FT1', { 1: '1', 2: 'T1', 4: '20260305', 6: 'CG', 7: 'X^Y^L', 34: 'ITEM9', 35: 'M-3' });
    const conversion = convert('DFT^P03', PID, PV1, ft1);
    const item = one(conversion, 'Device');
    expect(item).toMatchObject({ modelNumber: 'M-3', identifier: [{ value: 'ITEM9' }] });
    expect(one(conversion, 'ChargeItem').supportingInformation).toEqual([{ reference: `Device/${item.id}` }]);
  });
});
