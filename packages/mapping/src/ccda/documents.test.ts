import { describe, expect, it } from 'vitest';
import { convert, documentOf, ofType, SNOMED_CT, sectionOf } from './sample.ts';

const VERSION = (set: string, version: number, related = ''): string =>
  `<setId root="1.2.826.1" extension="${set}"/><versionNumber value="${version}"/>${related}`;
const REPLACES = (id: string): string =>
  `<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.826.1" extension="${id}"/></parentDocument></relatedDocument>`;

describe('a corrected document', () => {
  const first = convert(documentOf(sectionOf('11450-4', ''), VERSION('SET-1', 1)));
  const second = convert(
    documentOf(sectionOf('11450-4', ''), VERSION('SET-1', 2, REPLACES('DOC-7'))).replace('DOC-7"/>\n', 'DOC-8"/>\n'),
  );

  it('revises the Composition and the DocumentReference of its set', () => {
    for (const type of ['Composition', 'DocumentReference'] as const) {
      expect(ofType(second, type)[0]?.id).toBe(ofType(first, type)[0]?.id);
    }
    expect(ofType(second, 'DocumentReference')[0]?.masterIdentifier?.value).toBe('DOC-8');
    expect(ofType(second, 'Composition')[0]?.identifier?.value).toBe('SET-1');
  });

  it('without a set makes the document before it superseded', () => {
    const old = convert(documentOf(''));
    const renewed = convert(documentOf('', REPLACES('DOC-7')).replace('DOC-7"/>\n', 'DOC-8"/>\n'));
    const [own, parent] = ofType(renewed, 'DocumentReference');
    expect(own).toMatchObject({ status: 'current' });
    expect(parent).toMatchObject({ id: ofType(old, 'DocumentReference')[0]?.id, status: 'superseded' });
    const fact = renewed.facts.find(({ resource }) => resource === parent);
    expect(fact).toMatchObject({ mode: 'merge', defaults: ['content'] });
  });
});

const ENCOUNTER = `<encounter classCode="ENC" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.49"/>
  <id root="1.2.826.5" extension="V-9"/>
  <code code="99213" codeSystem="2.16.840.1.113883.6.12" displayName="Office visit"/>
  <effectiveTime value="20240227"/></encounter>`;
const encompassing = (code: string, time = '<low value="202402271530+0100"/>'): string =>
  `<componentOf><encompassingEncounter><id root="1.2.826.5" extension="V-9"/>
    <code code="${code}" codeSystem="2.16.840.1.113883.5.4"/><effectiveTime>${time}</effectiveTime>
    <encounterParticipant typeCode="ATND"><assignedEntity><id root="2.16.840.1.113883.4.6" extension="1234567893"/></assignedEntity></encounterParticipant>
  </encompassingEncounter></componentOf>`;

describe('the encounter in the header and in a section', () => {
  it('is one, with what either says', () => {
    const conversion = convert(documentOf(sectionOf('46240-8', ENCOUNTER), encompassing('AMB')));
    const found = ofType(conversion, 'Encounter');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      class: { code: 'AMB' },
      status: 'finished',
      period: { start: '2024-02-27T15:30:00+01:00' },
    });
    expect(found[0]?.type?.map((one) => one.coding?.[0]?.code)).toEqual(['AMB', '99213']);
    expect(conversion.issues.map((issue) => issue.code)).not.toContain('duplicate');
  });

  it('stays one where they contradict each other, and says so', () => {
    const conversion = convert(
      documentOf(sectionOf('46240-8', ENCOUNTER), encompassing('IMP', '<low value="20240101"/>')),
    );
    expect(ofType(conversion, 'Encounter')).toHaveLength(1);
    expect(conversion.issues.map((issue) => issue.message).join()).toContain('period');
  });
});

describe('the header', () => {
  const person = (name: string): string =>
    `<id root="1.2.826.4" extension="${name}"/><assignedPerson><name><given>${name}</given><family>Hale</family></name></assignedPerson>`;
  const header = `
    <dataEnterer><assignedEntity>${person('Enter')}</assignedEntity></dataEnterer>
    <informant><relatedEntity classCode="PRS"><relatedPerson><name><given>Ola</given><family>Marsh</family></name></relatedPerson></relatedEntity></informant>
    <informationRecipient><intendedRecipient><informationRecipient><name><given>Rec</given><family>Hale</family></name></informationRecipient></intendedRecipient></informationRecipient>
    <participant typeCode="IND"><associatedEntity classCode="NOK"><code code="MTH" codeSystem="2.16.840.1.113883.5.111"/>
      <associatedPerson><name><given>Mother</given><family>Marsh</family></name></associatedPerson></associatedEntity></participant>
    <inFulfillmentOf><order><id root="1.2.826.6" extension="O-1"/></order></inFulfillmentOf>
    <authorization><consent><id root="1.2.826.7" extension="C-1"/><code code="425691002" codeSystem="${SNOMED_CT}" displayName="Consent given"/><statusCode code="completed"/></consent></authorization>
    <documentationOf><serviceEvent classCode="PCPR"><id root="1.2.826.8" extension="S-1"/><effectiveTime><low value="2023"/><high value="2024"/></effectiveTime>
      <performer typeCode="PRF"><functionCode code="PCP" codeSystem="2.16.840.1.113883.5.88" displayName="Primary Care Physician"/><time><low value="2020"/></time>
        <assignedEntity>${person('Prim')}</assignedEntity></performer></serviceEvent></documentationOf>`;
  const conversion = convert(documentOf(sectionOf('11450-4', ''), header));
  const [composition] = ofType(conversion, 'Composition');
  const extension = (name: string) =>
    composition?.extension?.filter((one) => one.url.endsWith(`/ccda/StructureDefinition/${name}`));

  it('has its participants on the Composition', () => {
    for (const name of ['DataEnterer', 'Informant', 'InformationRecipient', 'Participant', 'Performer']) {
      expect(extension(`${name}Extension`), name).toHaveLength(1);
    }
    expect(extension('OrderExtension')?.[0]?.valueReference?.identifier?.value).toBe('O-1');
    expect(extension('AuthorizationExtension')?.[0]?.valueReference).toMatchObject({ display: 'Consent given' });
    expect(composition?.event?.[0]).toMatchObject({
      period: { start: '2023', end: '2024' },
      detail: [{ identifier: { value: 'S-1' } }],
    });
  });

  it('has the performers as a care team, and the primary care physician as the patient’s', () => {
    const [team] = ofType(conversion, 'CareTeam');
    expect(team?.participant?.[0]).toMatchObject({ period: { start: '2020' }, role: [{ coding: [{ code: 'PCP' }] }] });
    const [patient] = ofType(conversion, 'Patient');
    expect(patient?.generalPractitioner).toEqual([team?.participant?.[0]?.member]);
  });

  it('has who entered and who told in Provenance', () => {
    const kinds = ofType(conversion, 'Provenance').map((one) => one.agent[0]?.type?.coding?.[0]?.code);
    expect(kinds).toEqual(expect.arrayContaining(['author', 'enterer', 'informant']));
  });
});

describe('the plan of a document', () => {
  const goal = `<entry><observation classCode="OBS" moodCode="GOL"><templateId root="2.16.840.1.113883.10.20.22.4.121"/><id root="1.2.826.9" extension="G"/>
    <code code="3141-9" codeSystem="2.16.840.1.113883.6.1" displayName="Weight"/><statusCode code="active"/></observation></entry>`;
  const planned = `<entry><procedure classCode="PROC" moodCode="INT"><templateId root="2.16.840.1.113883.10.20.22.4.41"/><id root="1.2.826.9" extension="P"/>
    <code code="73761001" codeSystem="${SNOMED_CT}" displayName="Colonoscopy"/><statusCode code="active"/><priorityCode code="UR" codeSystem="2.16.840.1.113883.5.7"/></procedure></entry>`;
  const conversion = convert(documentOf(sectionOf('18776-5', planned) + sectionOf('61146-7', goal)));

  it('is a CarePlan with its requests, goals and words', () => {
    const [plan] = ofType(conversion, 'CarePlan');
    const [request] = ofType(conversion, 'ServiceRequest');
    const [target] = ofType(conversion, 'Goal');
    expect(request).toMatchObject({ intent: 'plan', priority: 'urgent' });
    expect(plan).toMatchObject({
      status: 'active',
      activity: [{ reference: { reference: `ServiceRequest/${request?.id}` } }],
      goal: [{ reference: `Goal/${target?.id}` }],
    });
    expect(plan?.text?.div).toContain('As told.');
  });
});

describe('those who take part without a person', () => {
  const address = '<addr><streetAddressLine>1 Mill Lane</streetAddressLine><city>Northwater</city></addr>';

  it('a laboratory is reached where its role says', () => {
    const result = `<observation classCode="OBS" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.2"/><id root="1.2.826.9" extension="R"/>
      <code code="2951-2" codeSystem="2.16.840.1.113883.6.1"/><statusCode code="completed"/><value xsi:type="PQ" value="1" unit="1"/>
      <performer><assignedEntity><id nullFlavor="NI"/>${address}<telecom value="tel:+1-206-555-0177"/>
        <representedOrganization><id root="1.2.826.11" extension="LAB"/><name>Lab</name>${address}</representedOrganization></assignedEntity></performer></observation>`;
    const conversion = convert(documentOf(sectionOf('30954-2', result)));
    const laboratory = ofType(conversion, 'Organization').find(({ name }) => name === 'Lab');
    expect(laboratory?.address).toHaveLength(1);
    expect(laboratory?.telecom?.[0]?.value).toBe('+1-206-555-0177');
    expect(
      conversion.ledger.filter(
        ({ source, disposition }) => /performer.*(addr|telecom)/.test(source) && disposition === 'kept',
      ),
    ).toEqual([]);
  });

  it('a device that writes has its place', () => {
    const author = `<author><time value="20240301"/><assignedAuthor><id root="1.2.826.12"/>${address}
      <assignedAuthoringDevice><softwareName>Scribe 2</softwareName></assignedAuthoringDevice></assignedAuthor></author>`;
    const conversion = convert(documentOf('').replace('<custodian>', `${author}<custodian>`));
    const [device] = ofType(conversion, 'Device');
    const [place] = ofType(conversion, 'Location');
    expect(place?.address?.city).toBe('Northwater');
    expect(device?.location?.reference).toBe(`Location/${place?.id}`);
  });
});
