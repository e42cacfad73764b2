/** Every ADT trigger event of v2.1 to v2.8, by what the record and the person index know after it. */
import { isParseError, parseMessage } from '@causeway/hl7v2';
import { describe, expect, test } from 'vitest';
import type { IdentityEvent } from '../conversion.ts';
import { mergeFact } from '../merge-fact.ts';
import { convertV2 } from './convert.ts';

// biome-ignore lint/suspicious/noExplicitAny: resources of any type are looked into
type Resource = Record<string, any>;

/** What is known after some messages, each newer than the one before. */
interface Known {
  /** The resources of a type. */
  all(type: string): Resource[];
  /** The resource of a type that has an identifier. */
  of(type: string, identifier: string): Resource;
  events: IdentityEvent[];
  kept: string[];
}

function fold(...messages: string[][]): Known {
  const known = new Map<string, Resource>();
  let events: IdentityEvent[] = [];
  let kept: string[] = [];
  for (const [index, [event, ...segments]] of messages.entries()) {
    const time = `202603051${index}0000`;
    const head = `MSH|^~\\&|EHR|HARBOR|HUB|REGION|${time}||ADT^${event}|C${index}|P|2.5.1`;
    const message = parseMessage([head, `EVN|${event}|${time}|20260401`, ...segments].join('\r'));
    if (isParseError(message)) throw new Error(message.message);
    const { facts, identityEvents, ledger } = convertV2(message, {
      source: 'harbor',
      receivedAt: '2026-03-05T20:00:00Z',
      messageUri: `urn:causeway:message:${index}`,
    });
    events = identityEvents;
    kept = ledger.filter(({ disposition }) => disposition === 'kept').map(({ source }) => source);
    for (const fact of facts) {
      const name = `${fact.resource.resourceType}/${fact.resource.id}`;
      const before = known.get(name);
      if (fact.mode === 'reference' && before !== undefined) continue;
      known.set(name, fact.mode === 'merge' ? mergeFact(before, fact) : (fact.resource as Resource));
    }
  }
  const all = (type: string) => [...known.values()].filter(({ resourceType }) => resourceType === type);
  const of = (type: string, identifier: string) =>
    all(type).find((one) => one.identifier?.find(({ use }: Resource) => use !== 'old')?.value === identifier) ??
    all(type).find((one) => one.identifier?.some(({ value }: Resource) => value === identifier))!;
  return { all, of, events, kept };
}

const pid = (id: string, more: { external?: string; alternate?: string; account?: string; name?: string } = {}) =>
  `PID|1|${cx(more.external, 'PI')}|${id}^^^HARBOR^MR|${cx(more.alternate, 'PT')}|${more.name ?? 'Sommer'}^Ida||19720311|F||||||||||${cx(more.account, 'AN')}`;
const cx = (value: string | undefined, type: string) => (value === undefined ? '' : `${value}^^^HARBOR^${type}`);
const pv1 = (visit: string, fields: Record<number, string> = {}) => {
  const values = { 1: '1', 2: 'I', ...(visit !== '' && { 19: `${visit}^^^HARBOR^VN` }), ...fields } as Record<
    number,
    string
  >;
  const last = Math.max(...Object.keys(values).map(Number));
  return ['PV1', ...Array.from({ length: last }, (_, i) => values[i + 1] ?? '')].join('|');
};
const mrg = (fields: Record<number, string>) =>
  ['MRG', ...Array.from({ length: 7 }, (_, i) => fields[i + 1] ?? '')].join('|');

const bed = (name: string) => `4E^12^${name}^HARBOR`;
const admitted = ['A01', pid('778'), pv1('V1', { 3: bed('A'), 7: '11^Keller', 9: '21^Brandt', 44: '20260305080000' })];
const doctor = (known: Known, role: string) => {
  const [encounter] = known.all('Encounter');
  return (encounter!.participant ?? [])
    .filter((one: Resource) => one.type[0].coding[0].code === role)
    .map((one: Resource) => one.individual.display);
};
/** Beds of the visit by what they are to it. */
const beds = (encounter: Resource) =>
  Object.fromEntries(
    (encounter.location ?? []).map((one: Resource) => [one.status, one.location.display.split(' ').at(-1)]),
  );
const visit = (known: Known, number = 'V1') => known.of('Encounter', number);
const planned = (known: Known) =>
  (visit(known).extension ?? []).map(({ url, valueDateTime }: Resource) => [url.split('.').at(-1), valueDateTime]);

const CASES: [event: string, meaning: string, check: () => void][] = [
  [
    'A01',
    'admits',
    () => {
      const known = fold(admitted);
      expect(visit(known)).toMatchObject({ status: 'in-progress', class: { code: 'IMP' } });
      expect(beds(visit(known))).toEqual({ active: 'A' });
    },
  ],
  [
    'A02',
    'transfers: the bed is another, the one before is left',
    () => {
      const known = fold(admitted, ['A02', pid('778'), pv1('V1', { 3: bed('B'), 6: bed('A') })]);
      expect(beds(visit(known))).toEqual({ active: 'B', completed: 'A' });
    },
  ],
  [
    'A03',
    'discharges: the visit has an end, the bed is left',
    () => {
      const known = fold(admitted, ['A03', pid('778'), pv1('V1', { 3: bed('A'), 36: '01', 45: '20260306' })]);
      expect(visit(known)).toMatchObject({ status: 'finished', period: { end: '2026-03-06' } });
      expect(beds(visit(known))).toEqual({ completed: 'A' });
    },
  ],
  [
    'A04',
    'registers',
    () => {
      expect(visit(fold(['A04', pid('778'), pv1('V1', { 2: 'O' })]))).toMatchObject({
        status: 'in-progress',
        class: { code: 'AMB' },
      });
    },
  ],
  [
    'A05',
    'pre-admits: planned, for when EVN-3 says',
    () => {
      const known = fold(['A05', pid('778'), pv1('V1', { 3: bed('A') })]);
      expect(visit(known).status).toBe('planned');
      expect(planned(known)).toEqual([['plannedStartDate', '2026-04-01']]);
      expect(beds(visit(known))).toEqual({ planned: 'A' });
    },
  ],
  [
    'A06',
    'makes an outpatient an inpatient',
    () => {
      const known = fold(['A04', pid('778'), pv1('V1', { 2: 'O' })], ['A06', pid('778'), pv1('V1', { 2: 'I' })]);
      expect(visit(known)).toMatchObject({ status: 'in-progress', class: { code: 'IMP' } });
    },
  ],
  [
    'A07',
    'makes an inpatient an outpatient',
    () => {
      const known = fold(admitted, ['A07', pid('778'), pv1('V1', { 2: 'O' })]);
      expect(visit(known)).toMatchObject({ status: 'in-progress', class: { code: 'AMB' } });
    },
  ],
  [
    'A08',
    'updates, and leaves what it does not say',
    () => {
      const known = fold(admitted, ['A08', pid('778', { name: 'Winter' }), pv1('V1')]);
      expect(known.of('Patient', '778').name[0].family).toBe('Winter');
      expect(visit(known)).toMatchObject({ status: 'in-progress', period: { start: '2026-03-05T08:00:00Z' } });
    },
  ],
  [
    'A09',
    'departs: under way, from where PV1-43 says to where PV1-42 says',
    () => {
      const known = fold(admitted, ['A09', pid('778'), pv1('V1', { 42: bed('XRAY') })]);
      expect(visit(known).status).toBe('in-progress');
      expect(beds(visit(known))).toEqual({ active: 'A', planned: 'XRAY' });
    },
  ],
  [
    'A10',
    'arrives: where it was to go is where it is',
    () => {
      const known = fold(
        admitted,
        ['A09', pid('778'), pv1('V1', { 42: bed('XRAY') })],
        ['A10', pid('778'), pv1('V1', { 11: bed('XRAY') })],
      );
      expect(beds(visit(known))).toEqual({ active: 'XRAY' });
    },
  ],
  [
    'A11',
    'cancels A01: the visit was not, nobody lies there',
    () => {
      const known = fold(admitted, ['A11', pid('778'), pv1('V1', { 3: bed('A') })]);
      expect(visit(known).status).toBe('cancelled');
      expect(beds(visit(known)).active).toBeUndefined();
    },
  ],
  [
    'A12',
    'cancels A02: back in the bed before',
    () => {
      const known = fold(
        admitted,
        ['A02', pid('778'), pv1('V1', { 3: bed('B'), 6: bed('A') })],
        ['A12', pid('778'), pv1('V1', { 3: bed('A') })],
      );
      expect(beds(visit(known))).toEqual({ active: 'A' });
    },
  ],
  [
    'A13',
    'cancels A03: in bed again, without an end',
    () => {
      const known = fold(
        admitted,
        ['A03', pid('778'), pv1('V1', { 3: bed('A'), 36: '01', 45: '20260306' })],
        ['A13', pid('778'), pv1('V1', { 3: bed('A'), 45: '20260306' })],
      );
      expect(visit(known)).toMatchObject({ status: 'in-progress', period: { start: '2026-03-05T08:00:00Z' } });
      expect(visit(known).period.end).toBeUndefined();
      expect(visit(known).hospitalization?.dischargeDisposition).toBeUndefined();
      expect(beds(visit(known))).toEqual({ active: 'A' });
    },
  ],
  [
    'A14',
    'announces an admission',
    () => {
      const known = fold(['A14', pid('778'), pv1('V1')]);
      expect(visit(known).status).toBe('planned');
      expect(planned(known)).toEqual([['plannedStartDate', '2026-04-01']]);
    },
  ],
  [
    'A15',
    'announces a transfer',
    () => {
      expect(beds(visit(fold(admitted, ['A15', pid('778'), pv1('V1', { 42: bed('B') })])))).toEqual({
        active: 'A',
        planned: 'B',
      });
    },
  ],
  [
    'A16',
    'announces a discharge',
    () => {
      expect(planned(fold(admitted, ['A16', pid('778'), pv1('V1')]))).toEqual([['plannedEndDate', '2026-04-01']]);
    },
  ],
  [
    'A17',
    'swaps the beds of two patients, and nothing else of theirs',
    () => {
      const other = ['A01', pid('779', { name: 'Winter', account: 'ACC9' }), pv1('V2', { 3: bed('B') })];
      const known = fold(admitted, other, [
        'A17',
        pid('778'),
        pv1('V1', { 3: bed('B') }),
        pid('779', { name: 'Winter' }),
        pv1('V2', { 3: bed('A') }),
      ]);
      expect(beds(visit(known, 'V1'))).toEqual({ active: 'B' });
      expect(beds(visit(known, 'V2'))).toEqual({ active: 'A' });
      expect(visit(known, 'V1').subject.reference).toBe(`Patient/${known.of('Patient', '778').id}`);
      expect(visit(known, 'V2').subject.reference).toBe(`Patient/${known.of('Patient', '779').id}`);
    },
  ],
  ['A18', 'merges patients (withdrawn)', () => merged('A18', pid('778'), mrg({ 1: '779^^^HARBOR^MR' }), pv1('V1'))],
  [
    'A20',
    'tells the status of a bed',
    () => {
      const known = fold(['A20', `NPU|${bed('A')}|H`]);
      expect(known.all('Location').at(-1)).toMatchObject({
        name: '4E 12 A',
        operationalStatus: { code: 'H', system: expect.stringContaining('v2-0116') },
      });
      expect(
        fold(['A20', `NPU|${bed('A')}|H`], ['A20', `NPU|${bed('A')}|U`])
          .all('Location')
          .at(-1)!.operationalStatus.code,
      ).toBe('U');
      expect(known.all('Patient')).toEqual([]);
    },
  ],
  ['A21', 'goes on leave', () => expect(visit(fold(admitted, ['A21', pid('778'), pv1('V1')])).status).toBe('onleave')],
  [
    'A22',
    'returns from leave',
    () => {
      expect(visit(fold(admitted, ['A21', pid('778'), pv1('V1')], ['A22', pid('778'), pv1('V1')])).status).toBe(
        'in-progress',
      );
    },
  ],
  [
    'A23',
    'deletes a visit',
    () => {
      const known = fold(admitted, ['A23', pid('778'), pv1('V1')]);
      expect(visit(known).status).toBe('entered-in-error');
      expect(known.of('Patient', '778').active).not.toBe(false);
    },
  ],
  [
    'A24',
    'links two patients',
    () => {
      const known = fold(['A24', pid('778'), pid('779')]);
      expect(known.events).toMatchObject([{ kind: 'link', a: ref(known, '778'), b: ref(known, '779') }]);
    },
  ],
  [
    'A25',
    'cancels A16',
    () => {
      expect(planned(fold(admitted, ['A16', pid('778'), pv1('V1')], ['A25', pid('778'), pv1('V1')]))).toEqual([]);
    },
  ],
  [
    'A26',
    'cancels A15',
    () => {
      const known = fold(admitted, ['A15', pid('778'), pv1('V1', { 42: bed('B') })], ['A26', pid('778'), pv1('V1')]);
      expect(beds(visit(known))).toEqual({ active: 'A' });
    },
  ],
  [
    'A27',
    'cancels A14',
    () => {
      const known = fold(['A14', pid('778'), pv1('V1', { 3: bed('A') })], ['A27', pid('778'), pv1('V1')]);
      expect(visit(known).status).toBe('cancelled');
      expect(planned(known)).toEqual([]);
      expect(beds(visit(known))).toEqual({});
    },
  ],
  [
    'A28',
    'adds a person',
    () => {
      expect(fold(['A28', pid('778')]).all('Patient')).toMatchObject([{ name: [{ family: 'Sommer' }] }]);
    },
  ],
  [
    'A29',
    'deletes a person',
    () => expect(fold(['A28', pid('778')], ['A29', pid('778')]).all('Patient')[0]!.active).toBe(false),
  ],
  ['A30', 'merges persons (withdrawn)', () => merged('A30', pid('778'), mrg({ 1: '779^^^HARBOR^MR' }))],
  [
    'A31',
    'updates a person',
    () => {
      const known = fold(['A28', pid('778')], ['A31', pid('778', { name: 'Winter' })]);
      expect(known.all('Patient')).toMatchObject([{ name: [{ family: 'Winter' }] }]);
    },
  ],
  [
    'A32',
    'cancels A10: where the patient was before',
    () => {
      const known = fold(
        admitted,
        ['A10', pid('778'), pv1('V1', { 11: bed('XRAY') })],
        ['A32', pid('778'), pv1('V1', { 3: bed('A') })],
      );
      expect(beds(visit(known))).toEqual({ active: 'A' });
    },
  ],
  [
    'A33',
    'cancels A09: the patient never left',
    () => {
      const known = fold(
        admitted,
        ['A09', pid('778'), pv1('V1', { 42: bed('XRAY'), 43: bed('A') })],
        ['A33', pid('778'), pv1('V1', { 3: bed('A') })],
      );
      expect(beds(visit(known))).toEqual({ active: 'A' });
    },
  ],
  [
    'A34',
    'merges patients by their id alone (withdrawn)',
    () => merged('A34', pid('778'), mrg({ 1: '779^^^HARBOR^MR' })),
  ],
  ['A35', 'merges accounts (withdrawn)', () => accountMerged('A35')],
  [
    'A36',
    'merges patients and their accounts (withdrawn)',
    () => {
      const known = fold([
        'A36',
        pid('778', { account: 'ACC1' }),
        mrg({ 1: '779^^^HARBOR^MR', 3: 'ACC2^^^HARBOR^AN' }),
      ]);
      expect(known.events.map(({ kind }) => kind)).toEqual(['merge', 'replace']);
    },
  ],
  [
    'A37',
    'unlinks two patients',
    () => {
      const known = fold(['A37', pid('778'), pid('779')]);
      expect(known.events).toMatchObject([{ kind: 'unlink', a: ref(known, '778'), b: ref(known, '779') }]);
    },
  ],
  [
    'A38',
    'cancels A05',
    () => {
      const known = fold(['A05', pid('778'), pv1('V1', { 3: bed('A') })], ['A38', pid('778'), pv1('V1')]);
      expect(visit(known).status).toBe('cancelled');
      expect(planned(known)).toEqual([]);
      expect(beds(visit(known))).toEqual({});
    },
  ],
  [
    'A39',
    'merges persons by their external id (withdrawn)',
    () => {
      const known = fold(['A39', pid('778', { external: 'X1' }), mrg({ 4: 'X2^^^HARBOR^PI' })]);
      expect(known.events).toMatchObject([{ kind: 'merge', surviving: ref(known, '778'), retired: ref(known, 'X2') }]);
    },
  ],
  ['A40', 'merges patients', () => merged('A40', pid('778'), mrg({ 1: '779^^^HARBOR^MR', 7: 'Sommer^I' }))],
  ['A41', 'merges accounts', () => accountMerged('A41')],
  [
    'A42',
    'merges visits',
    () => {
      const known = fold(admitted, ['A42', pid('778'), mrg({ 1: '778^^^HARBOR^MR', 5: 'V0^^^HARBOR^VN' }), pv1('V1')]);
      const retired = known.all('Encounter').find(({ status }) => status === 'entered-in-error')!;
      expect(retired.partOf.reference).toBe(`Encounter/${visit(known).id}`);
      expect(known.events).toMatchObject([
        {
          kind: 'replace',
          surviving: `Encounter/${visit(known).id}`,
          retired: `Encounter/${retired.id}`,
          renumbered: false,
        },
      ]);
      expect(visit(known).identifier).toContainEqual(expect.objectContaining({ value: 'V0', use: 'old' }));
      expect(visit(known).status).toBe('in-progress');
    },
  ],
  [
    'A43',
    'moves a record to another patient',
    () => {
      const known = fold(['A43', pid('778'), mrg({ 1: '779^^^HARBOR^MR' })]);
      expect(known.events).toMatchObject([{ kind: 'move', patient: ref(known, '779'), to: ref(known, '778') }]);
      const two = fold(['A43', pid('778', { external: 'X2' }), mrg({ 1: '778^^^HARBOR^MR', 4: 'X1^^^HARBOR^PI' })]);
      expect(two.events).toMatchObject([
        { kind: 'unlink', a: ref(two, '778') },
        { kind: 'link', a: ref(two, '778') },
      ]);
      expect(two.all('Patient')).toHaveLength(1);
    },
  ],
  [
    'A44',
    'moves an account to another patient',
    () => {
      const known = fold([
        'A44',
        pid('778', { account: 'ACC1' }),
        mrg({ 1: '779^^^HARBOR^MR', 3: 'ACC1^^^HARBOR^AN' }),
      ]);
      const account = known.of('Account', 'ACC1');
      expect(account.subject).toEqual([{ reference: ref(known, '778') }]);
      expect(known.events).toMatchObject([{ kind: 'refile', of: `Account/${account.id}`, to: ref(known, '778') }]);
      expect(known.all('Patient')).toHaveLength(1);
    },
  ],
  [
    'A45',
    'moves a visit to another account',
    () => {
      const known = fold(admitted, [
        'A45',
        pid('779', { account: 'ACC2' }),
        mrg({ 1: '778^^^HARBOR^MR', 3: 'ACC1^^^HARBOR^AN', 5: 'V1^^^HARBOR^VN' }),
        pv1('V1'),
      ]);
      expect(visit(known).account).toEqual([{ reference: `Account/${known.of('Account', 'ACC2').id}` }]);
      expect(visit(known).subject.reference).toBe(ref(known, '779'));
      expect(known.events).toMatchObject([
        { kind: 'refile', of: `Encounter/${visit(known).id}`, to: ref(known, '779') },
      ]);
    },
  ],
  [
    'A46',
    'changes the external id (withdrawn)',
    () => {
      const known = fold(
        ['A28', pid('778', { external: 'X1' })],
        ['A46', pid('778', { external: 'X2' }), mrg({ 4: 'X1^^^HARBOR^PI' })],
      );
      expect(uses(known.of('Patient', '778'))).toEqual({ '778': undefined, X1: 'old', X2: undefined });
      expect(known.events).toEqual([]);
    },
  ],
  [
    'A47',
    'changes the identifier',
    () => {
      merged('A47', pid('778'), mrg({ 1: '779^^^HARBOR^MR' }));
      const ssn = fold([
        'A47',
        `${pid('778').replace('^MR|', '^MR~900112222^^^HARBOR^SS|')}`,
        mrg({ 1: '900112223^^^HARBOR^SS' }),
      ]);
      expect(uses(ssn.of('Patient', '778'))).toEqual({ '778': undefined, '900112222': undefined, '900112223': 'old' });
      expect(ssn.events).toEqual([]);
    },
  ],
  [
    'A48',
    'changes the alternate id (withdrawn)',
    () => {
      const known = fold(['A48', pid('778', { alternate: 'Y2' }), mrg({ 1: '778^^^HARBOR^MR', 2: 'Y1^^^HARBOR^PT' })]);
      expect(uses(known.of('Patient', '778'))).toEqual({ '778': undefined, Y1: 'old', Y2: undefined });
      expect(known.events).toEqual([]);
    },
  ],
  ['A49', 'changes the account number', () => accountMerged('A49', true)],
  [
    'A50',
    'changes the visit number',
    () => {
      const known = fold(admitted, ['A50', pid('778'), mrg({ 1: '778^^^HARBOR^MR', 5: 'V1^^^HARBOR^VN' }), pv1('V2')]);
      const [before, after] = [known.all('Encounter')[0]!, visit(known, 'V2')];
      expect(before).toMatchObject({ status: 'entered-in-error', partOf: { reference: `Encounter/${after.id}` } });
      expect(known.events).toMatchObject([
        { kind: 'replace', retired: `Encounter/${before.id}`, surviving: `Encounter/${after.id}`, renumbered: true },
      ]);
    },
  ],
  [
    'A51',
    'changes the alternate visit id',
    () => {
      const known = fold(admitted, [
        'A51',
        pid('778'),
        mrg({ 6: 'W1^^^HARBOR^VN' }),
        pv1('V1', { 50: 'W2^^^HARBOR^VN' }),
      ]);
      expect(uses(visit(known))).toEqual({ V1: undefined, W1: 'old', W2: undefined });
      expect(known.events).toEqual([]);
      const alone = fold(['A51', pid('778'), mrg({ 6: 'W1^^^HARBOR^VN' }), pv1('', { 50: 'W2^^^HARBOR^VN' })]);
      expect(alone.events).toMatchObject([{ kind: 'replace', renumbered: true }]);
    },
  ],
  [
    'A52',
    'cancels A21',
    () => {
      expect(visit(fold(admitted, ['A21', pid('778'), pv1('V1')], ['A52', pid('778'), pv1('V1')])).status).toBe(
        'in-progress',
      );
    },
  ],
  [
    'A53',
    'cancels A22',
    () => {
      const known = fold(
        admitted,
        ['A21', pid('778'), pv1('V1')],
        ['A22', pid('778'), pv1('V1')],
        ['A53', pid('778'), pv1('V1')],
      );
      expect(visit(known).status).toBe('onleave');
    },
  ],
  [
    'A54',
    'changes the attending doctor',
    () => {
      const known = fold(admitted, ['A54', pid('778'), pv1('V1', { 7: '12^Wyss' })]);
      expect(doctor(known, 'ATND')).toEqual([expect.stringContaining('Wyss')]);
      expect(doctor(known, 'CON')).toHaveLength(1);
    },
  ],
  [
    'A55',
    'cancels A54',
    () => {
      const changed = ['A54', pid('778'), pv1('V1', { 7: '12^Wyss' })];
      const known = fold(admitted, changed, ['A55', pid('778'), pv1('V1', { 7: '11^Keller' })]);
      expect(doctor(known, 'ATND')).toEqual([expect.stringContaining('Keller')]);
      expect(doctor(fold(admitted, changed, ['A55', pid('778'), pv1('V1')]), 'ATND')).toEqual([]);
    },
  ],
  [
    'A60',
    'updates allergies, and takes one back',
    () => {
      const iam = (action: string) => ['A60', pid('778'), `IAM|1|DA|70618^Penicillin^RXNORM|SV|Hives|${action}`];
      expect(fold(iam('A')).all('AllergyIntolerance')).toMatchObject([
        { criticality: 'high', clinicalStatus: { coding: [{ code: 'active' }] } },
      ]);
      expect(fold(iam('A'), iam('D')).all('AllergyIntolerance')).toMatchObject([
        { verificationStatus: { coding: [{ code: 'entered-in-error' }] } },
      ]);
    },
  ],
  [
    'A61',
    'changes the consulting doctors',
    () => {
      const known = fold(admitted, ['A61', pid('778'), pv1('V1', { 9: '22^Frey~23^Graf' })]);
      expect(doctor(known, 'CON')).toEqual([expect.stringContaining('Frey'), expect.stringContaining('Graf')]);
      expect(doctor(known, 'ATND')).toHaveLength(1);
    },
  ],
  [
    'A62',
    'cancels A61',
    () => {
      const known = fold(
        admitted,
        ['A61', pid('778'), pv1('V1', { 9: '22^Frey' })],
        ['A62', pid('778'), pv1('V1', { 9: '21^Brandt' })],
      );
      expect(doctor(known, 'CON')).toEqual([expect.stringContaining('Brandt')]);
    },
  ],
];

const ref = (known: Known, identifier: string) => `Patient/${known.of('Patient', identifier).id}`;
const uses = (resource: Resource) =>
  Object.fromEntries(resource.identifier.map(({ value, use }: Resource) => [value, use]));

/** Two patients become one: the second is retired, and all that MRG says is accounted. */
function merged(event: string, ...segments: string[]): void {
  const known = fold(['A28', pid('779')], [event, ...segments]);
  expect(known.events).toMatchObject([{ kind: 'merge', surviving: ref(known, '778'), retired: ref(known, '779') }]);
  expect(known.of('Patient', '779')).toMatchObject({
    active: false,
    link: [{ type: 'replaced-by', other: { reference: ref(known, '778') } }],
  });
  expect(known.of('Patient', '778').link).toMatchObject([
    { type: 'replaces', other: { reference: ref(known, '779') } },
  ]);
  expect(known.kept.filter((source) => source.startsWith('MRG'))).toEqual([]);
}

function accountMerged(event: string, renumbered = false): void {
  const known = fold([event, pid('778', { account: 'ACC1' }), mrg({ 1: '778^^^HARBOR^MR', 3: 'ACC2^^^HARBOR^AN' })]);
  const surviving = known.of('Account', 'ACC1');
  const retired = known.all('Account').find(({ id }) => id !== surviving.id)!;
  expect(known.events).toMatchObject([
    { kind: 'replace', surviving: `Account/${surviving.id}`, retired: `Account/${retired.id}`, renumbered },
  ]);
  expect(retired).toMatchObject({ status: 'inactive', partOf: { reference: `Account/${surviving.id}` } });
  expect(surviving.status).toBe('active');
  expect(known.all('Patient')).toHaveLength(1);
  expect(known.kept.filter((source) => source.startsWith('MRG'))).toEqual([]);
}

describe('ADT trigger events', () => {
  test('are all here', () => {
    const numbers = [...range(1, 18), ...range(20, 55), ...range(60, 62)];
    expect(CASES.map(([event]) => event)).toEqual(numbers.map((number) => `A${String(number).padStart(2, '0')}`));
  });

  test.each(CASES)('%s %s', (_event, _meaning, check) => check());

  test('a second patient’s group has nothing of the first’s', () => {
    const known = fold(['A17', pid('778', { account: 'ACC1' }), pv1('V1'), pid('779', { name: 'Winter' }), pv1('V2')]);
    expect(visit(known, 'V1').account).toHaveLength(1);
    expect(visit(known, 'V2').account).toBeUndefined();
  });
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
