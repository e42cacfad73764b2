import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const SNOMED = '2.16.840.1.113883.6.96';

/** What a problem list names: `P1` is the problem of that id and code. */
function problem(name: string): string {
  return `<entry><act classCode="ACT" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.3"/>
    <id root="1.2.826.11" extension="C-${name}"/><code code="CONC" codeSystem="2.16.840.1.113883.5.6"/><statusCode code="active"/>
    <effectiveTime><low value="20200101"/></effectiveTime>
    <entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN">
      <templateId root="2.16.840.1.113883.10.20.22.4.4"/><id root="1.2.826.12" extension="${name}"/>
      <code code="55607006" codeSystem="${SNOMED}"/><statusCode code="completed"/>
      <effectiveTime><low value="20200101"/></effectiveTime>
      <value xsi:type="CD" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" code="${name}" codeSystem="${SNOMED}" displayName="Problem ${name}"/>
    </observation></entryRelationship></act></entry>`;
}

interface Version {
  patient: string;
  id: string;
  set?: string;
  version?: number;
  /** Day of March 2024. */
  day: number;
  related?: string;
  problems: string[];
}

const replaces = (id: string, code = 'RPLC'): string =>
  `<relatedDocument typeCode="${code}"><parentDocument><id root="1.2.826.1" extension="${id}"/></parentDocument></relatedDocument>`;

/** Somebody whom nothing makes the same person as another. */
function demographics(patient: string): string {
  const digest = createHash('sha256').update(patient).digest();
  const word = (from: number): string =>
    Array.from(digest.subarray(from, from + 8), (byte) => String.fromCharCode(97 + (byte % 26))).join('');
  const birth = `19${20 + (digest[30]! % 70)}0${1 + (digest[31]! % 9)}1${digest[29]! % 10}`;
  return `<name><given>${word(0)}</given><family>${word(8)}</family></name>
    <administrativeGenderCode code="${digest[28]! % 2 === 0 ? 'F' : 'M'}" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="${birth}"/>`;
}

function documentOf({ patient, id, set, version, day, related = '', problems }: Version): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.826.1" extension="${id}"/>
<code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><title>Summary of care</title>
<effectiveTime value="202403${String(day).padStart(2, '0')}101500+0000"/>
${set === undefined ? '' : `<setId root="1.2.826.4" extension="${set}"/><versionNumber value="${version}"/>`}
<recordTarget><patientRole><id root="1.2.826.2" extension="${patient}"/><patient>
${demographics(patient)}
</patient></patientRole></recordTarget>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.826.3"/><name>Saltby Surgery</name></representedCustodianOrganization></assignedCustodian></custodian>
${related}
<component><structuredBody><component><section><templateId root="2.16.840.1.113883.10.20.22.2.5.1"/>
<code code="11450-4" codeSystem="2.16.840.1.113883.6.1"/><title>Problems</title><text>As told.</text>
${problems.map(problem).join('')}</section></component></structuredBody></component></ClinicalDocument>`;
}

describe('versions of a C-CDA document', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
  });
  afterAll(() => hub.stop());

  const take = async (version: Version): Promise<string> => {
    const { status, json } = await hub.send('POST', '/ccda', documentOf(version), { role: 'system' });
    expect(status).toBe(202);
    await hub.settled();
    return json.id;
  };
  /** The problems of a patient that stand, and those that were withdrawn. */
  const problems = async (patient: string) => {
    const found = (await hub.get(`/fhir/Condition?patient.identifier=urn:oid:1.2.826.2|${patient}&_count=100`)).json;
    const resources: Json[] = (found.entry ?? []).map(({ resource }: Json) => resource);
    const isError = (one: Json) => one.verificationStatus.coding[0].code === 'entered-in-error';
    const codes = (some: Json[]) => some.map((one) => one.code.coding[0].code).sort();
    for (const one of resources) expect(one.clinicalStatus === undefined).toBe(isError(one));
    return { stand: codes(resources.filter((one) => !isError(one))), withdrawn: codes(resources.filter(isError)) };
  };
  const remarks = async (message: string): Promise<string[]> =>
    (await hub.get(`/api/messages/${message}`)).json.issueList
      .filter(({ source }: Json) => source === '/ClinicalDocument/versionNumber')
      .map(({ message: said }: Json) => said);
  /** What a conversion of everything anew would change: nothing, when it comes to the same as what was done live. */
  const reprocessed = async (): Promise<Json[]> => {
    const { json } = await hub.send('POST', '/api/reprocess/preview', { all: true });
    return json.lanes.flatMap(({ changes }: Json) => changes);
  };

  it('withdraws what only the replaced version stated, and says so', async () => {
    await take({ patient: 'A', id: 'A1', set: 'SA', version: 1, day: 1, problems: ['101', '102'] });
    const second = { patient: 'A', id: 'A2', set: 'SA', version: 2, day: 2, related: replaces('A1') };
    const message = await take({ ...second, problems: ['102', '103'] });
    expect(await problems('A')).toEqual({ stand: ['102', '103'], withdrawn: ['101'] });
    expect(await remarks(message)).toEqual(['of 1 statements that only earlier versions made, 1 are withdrawn']);
    expect(await reprocessed()).toEqual([]);
  });

  it('comes to the same whatever the order of three versions', async () => {
    const versions: Version[] = [
      { patient: '', id: '1', version: 1, day: 1, problems: ['201', '202'] },
      { patient: '', id: '2', version: 2, day: 2, related: '1', problems: ['202', '203'] },
      { patient: '', id: '3', version: 3, day: 3, related: '2', problems: ['203', '204'] },
    ];
    const orders = ['123', '132', '213', '231', '312', '321'];
    for (const order of orders) {
      for (const digit of order) {
        const version = versions[Number(digit) - 1]!;
        const patient = `B${order}`;
        const related = version.related && replaces(`${patient}-${version.related}`);
        await take({ ...version, patient, id: `${patient}-${digit}`, set: patient, ...(related && { related }) });
      }
      expect((await problems(`B${order}`)).stand, order).toEqual(['203', '204']);
    }
    expect(await reprocessed()).toEqual([]);
  });

  it('leaves a late version out, also where it is sent again', async () => {
    const late: Version = { patient: 'C', id: 'C1', set: 'SC', version: 1, day: 1, problems: ['301', '302'] };
    await take({ ...late, id: 'C2', version: 2, day: 2, related: replaces('C1'), problems: ['302'] });
    const message = await take(late);
    expect(await problems('C')).toEqual({ stand: ['302'], withdrawn: [] });
    expect(await remarks(message)).toEqual([
      'version 2 of the document came before, and stands: nothing of this one is taken',
    ]);
    expect((await hub.send('POST', `/api/messages/${message}/replay`, {})).status).toBeLessThan(300);
    await hub.settled();
    expect(await problems('C')).toEqual({ stand: ['302'], withdrawn: [] });
    expect(await reprocessed()).toEqual([]);
  });

  it('withdraws nothing where the replaced document is not known, and says so', async () => {
    await take({ patient: 'D', id: 'D0', set: 'SD0', version: 1, day: 1, problems: ['401'] });
    const unknown: Version = { patient: 'D', id: 'D2', set: 'SD', version: 2, day: 2, problems: ['402'] };
    const message = await take({ ...unknown, related: replaces('D1') });
    expect(await problems('D')).toEqual({ stand: ['401', '402'], withdrawn: [] });
    expect(await remarks(message)).toEqual([
      'the version that the document replaces is not known: nothing is withdrawn',
    ]);
  });

  it('withdraws nothing for an addendum, nor for a version that does not say that it replaces', async () => {
    await take({ patient: 'E', id: 'E1', set: 'SE', version: 1, day: 1, problems: ['501'] });
    const next: Version = { patient: 'E', id: 'E2', set: 'SE', version: 2, day: 2, problems: ['502'] };
    await take({ ...next, related: replaces('E1', 'APND') });
    await take({ ...next, id: 'E3', version: 3, day: 3, problems: ['503'] });
    expect(await problems('E')).toEqual({ stand: ['501', '502', '503'], withdrawn: [] });
    expect(await reprocessed()).toEqual([]);
  });

  it('leaves what another document states too, even in silence, and what a client corrected', async () => {
    await take({ patient: 'F', id: 'F1', set: 'SF', version: 1, day: 1, problems: ['601', '602', '603'] });
    // Says of 601 what is known already, and so makes no version of it.
    await take({ patient: 'F', id: 'F9', set: 'SF9', version: 1, day: 1, problems: ['601'] });
    const { entry } = (await hub.get('/fhir/Condition?code=602')).json;
    const corrected = { ...entry[0].resource, note: [{ text: 'Seen by me.' }] };
    expect((await hub.send('PUT', `/fhir/Condition/${corrected.id}`, corrected)).status).toBe(200);
    const second = { patient: 'F', id: 'F2', set: 'SF', version: 2, day: 2, related: replaces('F1') };
    const message = await take({ ...second, problems: [] });
    expect(await problems('F')).toEqual({ stand: ['601', '602'], withdrawn: ['603'] });
    expect(await remarks(message)).toEqual([
      'of 2 statements that only earlier versions made, 1 are withdrawn; 1 stay: others changed them, or took them back',
    ]);
    expect(await reprocessed()).toEqual([]);
  });

  it('takes up again what another document states later, however old that is', async () => {
    await take({ patient: 'G', id: 'G1', set: 'SG', version: 1, day: 10, problems: ['701', '702'] });
    const second = { patient: 'G', id: 'G2', set: 'SG', version: 2, day: 11, related: replaces('G1') };
    await take({ ...second, problems: ['702'] });
    expect((await problems('G')).withdrawn).toEqual(['701']);
    await take({ patient: 'G', id: 'G9', set: 'SG9', version: 1, day: 5, problems: ['701'] });
    expect(await problems('G')).toEqual({ stand: ['701', '702'], withdrawn: [] });
    expect(await reprocessed()).toEqual([]);
  });

  it('withdraws nothing while a message of the patient cannot be read that may state it', async () => {
    await take({ patient: 'H', id: 'H1', set: 'SH', version: 1, day: 1, problems: ['801'] });
    const other = await take({ patient: 'H', id: 'H9', set: 'SH9', version: 1, day: 1, problems: ['802'] });
    await hub.test.database.query('UPDATE message SET sealing_key = NULL WHERE id = $1', [other]);
    const second = { patient: 'H', id: 'H2', set: 'SH', version: 2, day: 2, related: replaces('H1') };
    const message = await take({ ...second, problems: ['803'] });
    expect(await problems('H')).toEqual({ stand: ['801', '802', '803'], withdrawn: [] });
    expect(await remarks(message)).toEqual([
      'of 1 statements that only earlier versions made, 0 are withdrawn; 1 stay: a message cannot be read that may make them too',
    ]);
  });

  it('lets what was decided stand when a message cannot be read any more', async () => {
    await take({ patient: 'I', id: 'I1', set: 'SI', version: 1, day: 1, problems: ['901', '902'] });
    const other = await take({ patient: 'I', id: 'I9', set: 'SI9', version: 1, day: 1, problems: ['903'] });
    const second = { patient: 'I', id: 'I2', set: 'SI', version: 2, day: 2, related: replaces('I1') };
    await take({ ...second, problems: ['902'] });
    expect((await problems('I')).withdrawn).toEqual(['901']);
    await hub.test.database.query('UPDATE message SET sealing_key = NULL WHERE id = $1', [other]);
    const changes = (await reprocessed()).filter(({ reference }) => reference.startsWith('Condition'));
    expect(changes).toEqual([]);
  });
});
