import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { carryOut, changesOf, previewOf, registerClinic } from '../testing-reprocess.ts';

let sent = 0;

/** A message of a type at a time of 5 March 2026 (`HHMM`). */
function message(type: string, time: string, ...segments: string[]): string {
  const stamp = `20260305${time}00`;
  const head = `MSH|^~\\&|EHR|CLINIC|HUB|REGION|${stamp}||${type}|R${++sent}|P|2.5.1`;
  const event = type.startsWith('ADT') ? [`EVN|${type.slice(4)}|${stamp}`] : [];
  return [head, ...event, ...segments].join('\r');
}

const pid = (id: string, family: string, account = '') =>
  `PID|1||${id}^^^CLINIC^MR||${family}^Kim||19${60 + (sent % 30)}0311|F||||||||||${account && `${account}^^^CLINIC^AN`}`;
const pv1 = (visit: string, end = '', start = '20260305080000') =>
  `PV1|1|I|4E^12^A^CLINIC${'|'.repeat(16)}${visit}^^^CLINIC^VN${'|'.repeat(25)}${start}|${end}`;
const result = (order: string) => [
  `OBR|1||${order}^LAB|24331-1^Lipid panel^LN|||20260305090000|||||||||||||||||||F`,
  'SPM|1|||119297000^Blood^SCT|||||||||||||20260305090000',
  'OBX|1|NM|2093-3^Cholesterol^LN||190|mg/dL|||||F',
];

describe('what a source says about identities, visits and accounts', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
    await registerClinic(hub);
  });
  afterAll(() => hub.stop());

  /** The source patient of a record number. */
  const sourceOf = async (number: string): Promise<Json> => {
    const { rows } = await hub.test.database.query('SELECT patient FROM link');
    for (const { patient } of rows) {
      const { json } = await hub.get(`/fhir/Patient/${patient}`);
      if (json.identifier?.[0]?.value === number) return json;
    }
    throw new Error(`no source patient ${number}`);
  };
  const membersOf = async (number: string): Promise<string[]> => {
    const { id } = await sourceOf(number);
    const { members } = (await hub.get(`/api/persons/${id}`)).json;
    return members.map(({ identifiers }: Json) => identifiers[0].value).sort();
  };
  /** Of each type, how many a record number has of its own. */
  const holds = async (number: string): Promise<Record<string, number>> => {
    const { id } = await sourceOf(number);
    const counts: Record<string, number> = {};
    for (const type of ['Encounter', 'Observation', 'DiagnosticReport', 'ServiceRequest', 'Specimen'])
      counts[type] = (await hub.resources(`${type}?subject=Patient/${id}`)).filter(
        ({ status }) => status !== 'entered-in-error',
      ).length;
    return counts;
  };
  const all = { Encounter: 1, Observation: 1, DiagnosticReport: 1, ServiceRequest: 1, Specimen: 1 };
  const none = { Encounter: 0, Observation: 0, DiagnosticReport: 0, ServiceRequest: 0, Specimen: 0 };
  const encounter = async (number: string): Promise<Json> => {
    const found = await hub.resources(`Encounter?identifier=${number}`);
    return found.find(({ status }) => status !== 'entered-in-error') ?? found[0];
  };

  it('moves a visit and all that is filed under it to the patient whose it is (A45)', async () => {
    await hub.take(
      message('ADT^A01', '0800', pid('A1', 'Wrongly'), pv1('VA')),
      message('ORU^R01', '0900', pid('A1', 'Wrongly'), pv1('VA'), ...result('OA1')),
      message('ADT^A04', '0900', pid('A2', 'Rightly')),
      message(
        'ADT^A45',
        '1000',
        pid('A2', 'Rightly', 'AC2'),
        'MRG|A1^^^CLINIC^MR||AC1^^^CLINIC^AN||VA^^^CLINIC^VN',
        pv1('VA'),
      ),
    );
    expect(await holds('A1')).toEqual(none);
    expect(await holds('A2')).toEqual(all);
    expect(await membersOf('A1')).toEqual(['A1']);
  });

  it('files what comes late, and still names the patient before, where the visit is', async () => {
    await hub.take(message('ORU^R01', '0930', pid('A1', 'Wrongly'), pv1('VA'), ...result('OA2')));
    expect(await holds('A1')).toEqual(none);
    expect(await holds('A2')).toMatchObject({ Encounter: 1, Observation: 2, DiagnosticReport: 2 });
  });

  it('moves an account, its visits, and what is filed under them (A44)', async () => {
    await hub.take(
      message('ADT^A01', '0800', pid('B1', 'Misfiled', 'ACB'), pv1('VB')),
      message('ORU^R01', '0900', pid('B1', 'Misfiled', 'ACB'), pv1('VB'), ...result('OB1')),
      message('ADT^A44', '1000', pid('B2', 'Owner', 'ACB'), 'MRG|B1^^^CLINIC^MR||ACB^^^CLINIC^AN'),
    );
    expect(await holds('B1')).toEqual(none);
    expect(await holds('B2')).toEqual(all);
    const [account] = await hub.resources('Account?identifier=ACB');
    expect(account.subject).toEqual([{ reference: `Patient/${(await sourceOf('B2')).id}` }]);
  });

  it('lets a renumbered visit go on with all that was known of it (A50)', async () => {
    await hub.take(
      message('ADT^A01', '0800', pid('C1', 'Renumber'), pv1('VC1')),
      message('ADT^A03', '0830', pid('C1', 'Renumber'), pv1('VC1', '20260305083000')),
      message('ORU^R01', '0900', pid('C1', 'Renumber'), pv1('VC1'), ...result('OC1')),
      message('ADT^A50', '1000', pid('C1', 'Renumber'), 'MRG|C1^^^CLINIC^MR||||VC1^^^CLINIC^VN', pv1('VC2', '', '')),
    );
    const now = await encounter('VC2');
    expect(now).toMatchObject({
      status: 'finished',
      period: { start: '2026-03-05T08:00:00Z', end: '2026-03-05T08:30:00Z' },
    });
    const [observation] = await hub.resources(`Observation?encounter=Encounter/${now.id}`);
    expect(observation?.valueQuantity.value).toBe(190);
    expect((await encounter('VC1')).id).toBe(now.id);
    await hub.take(message('ORU^R01', '0930', pid('C1', 'Renumber'), pv1('VC1'), ...result('OC2')));
    expect(await hub.resources(`Observation?encounter=Encounter/${now.id}`)).toHaveLength(2);
  });

  it('files what two visits hold under the one that goes on (A42)', async () => {
    await hub.take(
      message('ADT^A01', '0800', pid('D1', 'Twice'), pv1('VD1')),
      message('ADT^A04', '0801', pid('D1', 'Twice'), pv1('VD2')),
      message('ORU^R01', '0900', pid('D1', 'Twice'), pv1('VD2'), ...result('OD1')),
      message('ADT^A42', '1000', pid('D1', 'Twice'), 'MRG|D1^^^CLINIC^MR||||VD2^^^CLINIC^VN', pv1('VD1')),
    );
    const { id } = await encounter('VD1');
    expect(await hub.resources(`Observation?encounter=Encounter/${id}`)).toHaveLength(1);
    expect(await holds('D1')).toEqual(all);
  });

  it('takes a record from one person to another (A43)', async () => {
    await hub.take(
      message('ADT^A04', '0800', pid('E1', 'Firstperson')),
      message('ADT^A04', '0801', pid('E2', 'Stray')),
      message('ADT^A04', '0802', pid('E3', 'Secondperson')),
      message('ADT^A24', '0810', pid('E1', 'Firstperson'), pid('E2', 'Stray')),
    );
    expect(await membersOf('E2')).toEqual(['E1', 'E2']);
    await hub.take(message('ADT^A43', '0900', pid('E3', 'Secondperson'), 'MRG|E2^^^CLINIC^MR'));
    expect(await membersOf('E1')).toEqual(['E1']);
    expect(await membersOf('E3')).toEqual(['E2', 'E3']);
  });

  it('goes by when the source said so, not by when it came, where patients are linked and unlinked', async () => {
    const both = [pid('F1', 'Linker'), pid('F2', 'Unlinker')];
    await hub.take(message('ADT^A24', '0800', ...both));
    expect(await membersOf('F1')).toEqual(['F1', 'F2']);
    await hub.take(message('ADT^A37', '1000', ...both));
    expect(await membersOf('F1')).toEqual(['F1']);
    await hub.take(message('ADT^A24', '0900', ...both));
    expect(await membersOf('F1')).toEqual(['F1']);
    await hub.take(message('ADT^A24', '1100', ...both));
    expect(await membersOf('F1')).toEqual(['F1', 'F2']);
  });

  it('merges a patient of whom the registration comes only later (A40)', async () => {
    await hub.take(
      message('ADT^A40', '1000', pid('G1', 'Merged'), 'MRG|G2^^^CLINIC^MR'),
      message('ADT^A04', '0800', pid('G2', 'Formerly')),
    );
    expect(await membersOf('G1')).toEqual(['G1', 'G2']);
    expect(await sourceOf('G2')).toMatchObject({ active: false, name: [{ family: 'Formerly' }] });
  });

  it('takes no end from a discharge that was cancelled before it came', async () => {
    await hub.take(
      message('ADT^A13', '1000', pid('H1', 'Staying'), pv1('VH')),
      message('ADT^A03', '0900', pid('H1', 'Staying'), pv1('VH', '20260305090000')),
      message('ADT^A01', '0800', pid('H1', 'Staying'), pv1('VH')),
    );
    const found = await encounter('VH');
    expect(found.status).toBe('in-progress');
    expect(found.period).toEqual({ start: '2026-03-05T08:00:00Z' });
  });

  it('keeps a visit cancelled that is announced after it was cancelled', async () => {
    await hub.take(
      message('ADT^A11', '1000', pid('I1', 'Never'), pv1('VI')),
      message('ADT^A01', '0900', pid('I1', 'Never'), pv1('VI')),
    );
    expect((await encounter('VI')).status).toBe('cancelled');
  });

  it('moves what is filed under an account that was another patient’s at first', async () => {
    await hub.take(
      message('ADT^A01', '0800', pid('J1', 'Firstly', 'ACJ'), pv1('VJ1')),
      message('ADT^A01', '0830', pid('J2', 'Secondly', 'ACJ'), pv1('VJ2')),
      message('ORU^R01', '0900', pid('J2', 'Secondly', 'ACJ'), pv1('VJ2'), ...result('OJ1')),
      message('ADT^A44', '1000', pid('J3', 'Thirdly', 'ACJ'), 'MRG|J2^^^CLINIC^MR||ACJ^^^CLINIC^AN'),
    );
    expect(await holds('J2')).toEqual(none);
    expect(await holds('J3')).toEqual(all);
  });

  it('says of what was moved which message did it', async () => {
    const { rows } = await hub.test.database.query(
      `SELECT type, rid, version FROM resource WHERE message IS NULL
       UNION ALL SELECT type, rid, version FROM resource_history WHERE message IS NULL`,
    );
    expect(rows).toEqual([]);
    const [{ id }] = (await hub.get('/api/messages?q=ADT%5EA45')).json.messages;
    const { resources } = (await hub.get(`/api/messages/${id}`)).json;
    const types = resources.map(({ reference }: Json) => reference.split('/')[0]);
    for (const type of Object.keys(all)) expect(types).toContain(type);
  });

  const numbers = ['A1', 'A2', 'B1', 'B2', 'C1', 'D1', 'J1', 'J2', 'J3'];

  it('leaves what was filed anew where it is when messages are converted anew', async () => {
    const page = await previewOf(hub, { all: true });
    expect(page.messages).toBeGreaterThan(20);
    expect(changesOf(page)).toEqual([]);
  });

  it('converts what was filed anew by another map, and leaves it where it is', async () => {
    const concepts = { 'http://loinc.org|2093-3': { system: 'http://loinc.org', code: '14647-2' } };
    expect((await hub.send('PUT', '/api/participants/clinic/settings', { concepts })).status).toBe(200);
    const filed = await Promise.all(numbers.map(holds));
    const known = new Map((await hub.resources('Observation')).map((one) => [`Observation/${one.id}`, one]));
    expect(known.size).toBe(7);
    const changes = changesOf(await previewOf(hub));
    expect(changes.map(({ reference }) => reference).sort()).toEqual([...known.keys()].sort());
    for (const { differences } of changes) for (const { path } of differences) expect(path).toMatch(/^code\.coding/);
    expect(await carryOut(hub)).toMatchObject({ changed: 7, added: 0, removed: 0, leftOut: 0 });
    for (const one of await hub.resources('Observation')) {
      const { subject, encounter } = known.get(`Observation/${one.id}`);
      expect(one).toMatchObject({ subject, encounter });
      expect(one.code.coding.map(({ code }: Json) => code)).toContain('14647-2');
    }
    expect(await Promise.all(numbers.map(holds))).toEqual(filed);
    expect(changesOf(await previewOf(hub, { all: true }))).toEqual([]);
  });

  it('leaves it there also where the message that moved it is erased', async () => {
    await hub.test.database.query(`UPDATE message SET sealing_key = NULL WHERE type IN ('ADT^A45', 'ADT^A50')`);
    expect(changesOf(await previewOf(hub, { all: true }))).toEqual([]);
  });
});
