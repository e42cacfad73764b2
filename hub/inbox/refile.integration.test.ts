import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

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
  });
  afterAll(() => hub.stop());

  const take = async (...messages: string[]) => {
    for (const answer of await hub.deliver(...messages)) expect(answer).toContain('MSA|AA|');
    await hub.settled();
  };
  const resources = async (path: string): Promise<Json[]> =>
    ((await hub.get(`/fhir/${path}`)).json.entry ?? []).map((entry: Json) => entry.resource);
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
      counts[type] = (await resources(`${type}?subject=Patient/${id}`)).filter(
        ({ status }) => status !== 'entered-in-error',
      ).length;
    return counts;
  };
  const all = { Encounter: 1, Observation: 1, DiagnosticReport: 1, ServiceRequest: 1, Specimen: 1 };
  const none = { Encounter: 0, Observation: 0, DiagnosticReport: 0, ServiceRequest: 0, Specimen: 0 };
  const encounter = async (number: string): Promise<Json> => {
    const found = await resources(`Encounter?identifier=${number}`);
    return found.find(({ status }) => status !== 'entered-in-error') ?? found[0];
  };

  it('moves a visit and all that is filed under it to the patient whose it is (A45)', async () => {
    await take(
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
    await take(message('ORU^R01', '0930', pid('A1', 'Wrongly'), pv1('VA'), ...result('OA2')));
    expect(await holds('A1')).toEqual(none);
    expect(await holds('A2')).toMatchObject({ Encounter: 1, Observation: 2, DiagnosticReport: 2 });
  });

  it('moves an account, its visits, and what is filed under them (A44)', async () => {
    await take(
      message('ADT^A01', '0800', pid('B1', 'Misfiled', 'ACB'), pv1('VB')),
      message('ORU^R01', '0900', pid('B1', 'Misfiled', 'ACB'), pv1('VB'), ...result('OB1')),
      message('ADT^A44', '1000', pid('B2', 'Owner', 'ACB'), 'MRG|B1^^^CLINIC^MR||ACB^^^CLINIC^AN'),
    );
    expect(await holds('B1')).toEqual(none);
    expect(await holds('B2')).toEqual(all);
    const [account] = await resources('Account?identifier=ACB');
    expect(account.subject).toEqual([{ reference: `Patient/${(await sourceOf('B2')).id}` }]);
  });

  it('lets a renumbered visit go on with all that was known of it (A50)', async () => {
    await take(
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
    const [observation] = await resources(`Observation?encounter=Encounter/${now.id}`);
    expect(observation?.valueQuantity.value).toBe(190);
    expect((await encounter('VC1')).id).toBe(now.id);
    await take(message('ORU^R01', '0930', pid('C1', 'Renumber'), pv1('VC1'), ...result('OC2')));
    expect(await resources(`Observation?encounter=Encounter/${now.id}`)).toHaveLength(2);
  });

  it('files what two visits hold under the one that goes on (A42)', async () => {
    await take(
      message('ADT^A01', '0800', pid('D1', 'Twice'), pv1('VD1')),
      message('ADT^A04', '0801', pid('D1', 'Twice'), pv1('VD2')),
      message('ORU^R01', '0900', pid('D1', 'Twice'), pv1('VD2'), ...result('OD1')),
      message('ADT^A42', '1000', pid('D1', 'Twice'), 'MRG|D1^^^CLINIC^MR||||VD2^^^CLINIC^VN', pv1('VD1')),
    );
    const { id } = await encounter('VD1');
    expect(await resources(`Observation?encounter=Encounter/${id}`)).toHaveLength(1);
    expect(await holds('D1')).toEqual(all);
  });

  it('takes a record from one person to another (A43)', async () => {
    await take(
      message('ADT^A04', '0800', pid('E1', 'Firstperson')),
      message('ADT^A04', '0801', pid('E2', 'Stray')),
      message('ADT^A04', '0802', pid('E3', 'Secondperson')),
      message('ADT^A24', '0810', pid('E1', 'Firstperson'), pid('E2', 'Stray')),
    );
    expect(await membersOf('E2')).toEqual(['E1', 'E2']);
    await take(message('ADT^A43', '0900', pid('E3', 'Secondperson'), 'MRG|E2^^^CLINIC^MR'));
    expect(await membersOf('E1')).toEqual(['E1']);
    expect(await membersOf('E3')).toEqual(['E2', 'E3']);
  });

  it('goes by when the source said so, not by when it came, where patients are linked and unlinked', async () => {
    const both = [pid('F1', 'Linker'), pid('F2', 'Unlinker')];
    await take(message('ADT^A24', '0800', ...both));
    expect(await membersOf('F1')).toEqual(['F1', 'F2']);
    await take(message('ADT^A37', '1000', ...both));
    expect(await membersOf('F1')).toEqual(['F1']);
    await take(message('ADT^A24', '0900', ...both));
    expect(await membersOf('F1')).toEqual(['F1']);
    await take(message('ADT^A24', '1100', ...both));
    expect(await membersOf('F1')).toEqual(['F1', 'F2']);
  });

  it('merges a patient of whom the registration comes only later (A40)', async () => {
    await take(
      message('ADT^A40', '1000', pid('G1', 'Merged'), 'MRG|G2^^^CLINIC^MR'),
      message('ADT^A04', '0800', pid('G2', 'Formerly')),
    );
    expect(await membersOf('G1')).toEqual(['G1', 'G2']);
    expect(await sourceOf('G2')).toMatchObject({ active: false, name: [{ family: 'Formerly' }] });
  });

  it('takes no end from a discharge that was cancelled before it came', async () => {
    await take(
      message('ADT^A13', '1000', pid('H1', 'Staying'), pv1('VH')),
      message('ADT^A03', '0900', pid('H1', 'Staying'), pv1('VH', '20260305090000')),
      message('ADT^A01', '0800', pid('H1', 'Staying'), pv1('VH')),
    );
    const found = await encounter('VH');
    expect(found.status).toBe('in-progress');
    expect(found.period).toEqual({ start: '2026-03-05T08:00:00Z' });
  });

  it('keeps a visit cancelled that is announced after it was cancelled', async () => {
    await take(
      message('ADT^A11', '1000', pid('I1', 'Never'), pv1('VI')),
      message('ADT^A01', '0900', pid('I1', 'Never'), pv1('VI')),
    );
    expect((await encounter('VI')).status).toBe('cancelled');
  });

  it('leaves what was filed anew where it is when messages are converted anew', async () => {
    const { status, json } = await hub.send('POST', '/api/reprocess/preview', { all: true });
    expect(status).toBe(200);
    expect(json.messages).toBeGreaterThan(20);
    expect(json.lanes.flatMap((lane: Json) => lane.changes)).toEqual([]);
  });
});
