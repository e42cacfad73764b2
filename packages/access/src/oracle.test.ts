import { expect, it } from 'vitest';
import {
  consentsThatCount,
  type Explanation,
  explain,
  type GivenConsent,
  type Hidden,
  hiddenBy,
  type LabelRule,
  label,
  limitsOf,
  type Policy,
  type Role,
  type RowFacts,
  readConsent,
  type Subject,
} from './index.ts';
import { type ConsentJson, type ConsentProvision, type OracleConsent, oracle, type Question } from './oracle.ts';
import { moments } from './oracle-dates.ts';

let state = 20_261_126;

/** xorshift32: from 0 to below 1. */
function next(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}
const chance = (share: number) => next() < share;
const of = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)]!;
const some = <T>(most: number, make: () => T): T[] => Array.from({ length: 1 + Math.floor(next() * most) }, make);
const maybe = <T>(share: number, name: string, make: () => T) => (chance(share) ? { [name]: make() } : {});

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const actReason = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const participant = 'urn:causeway:participant';
const organizations = ['north', 'south', 'east'];
const purposes = ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT', 'PATRQT', 'FAMRQT', 'PUBHLTH', 'HRESCH', 'HCOMPL', 'HMARKT'];
/** With clocks that change at midnight, by half an hour, by a day, by quarters. */
const zones = [
  'UTC',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'America/Havana',
  'Asia/Beirut',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Asia/Kathmandu',
];
/** Days on which clocks of these change are among them. */
const dates = [
  '2011-12-29',
  '2011-12-30',
  '2011-12',
  '2018-11-03',
  '2018-11-04',
  '2020',
  '2024-02-29',
  '2024-03',
  '2024-03-10',
  '2024-03-30',
  '2024-03-31',
  '2024-10-06',
  '2024-11-03',
  '2025',
  '2024-03-10T06:59:59.999Z',
  '2024-03-10T02:30:00-05:00',
  '2024-10-06T02:00:00+10:30',
  '2024-03-31T23:59:59+03:00',
];
const days = ['2019', '2020-05', '2020-05-17', '2021-02-03', '2021-12', '2022'];
const securityLabels = [
  ...['42CFRPart2', 'PSYTHPN', 'ETHUD', 'SUD', 'PSY', 'MH', 'HIV', 'STD', 'IPV', 'SDV', 'REPRO', 'SEX', 'GDIS'].map(
    (code) => ({ system: actCode, code }),
  ),
  ...['R', 'V'].map((code) => ({ system: confidentiality, code })),
];
const codes = [
  { system: 'http://loinc.org', code: '718-7' },
  { system: 'http://loinc.org', code: '75622-1' },
  { system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F11.20' },
];
const references = ['Observation/1', 'Condition/1', 'Patient/a', 'Consent/1'];
const elsewhere = [
  'https://elsewhere.example/fhir/Practitioner/ann',
  'https://elsewhere.example/fhir/RelatedPerson/eve',
];
const people = ['Practitioner/ann', 'Practitioner/bob', 'RelatedPerson/eve', 'role:clinician', 'role:proxy'];
const named = (value: string) => ({ identifier: { system: participant, value } });

function randomProvision(depth: number, purpose: string): ConsentProvision {
  const share = depth === 0 ? 0.15 : 0.3;
  return {
    ...(depth > 0 || chance(0.6) ? { type: of(['permit', 'deny']) } : {}),
    ...maybe(0.3, 'period', () => randomPeriod(dates)),
    ...maybe(share, 'actor', () =>
      some(3, () => ({
        role: { coding: [{ code: 'IRCP' }] },
        reference: chance(0.5) ? named(of(organizations)) : { reference: of(chance(0.8) ? people : elsewhere) },
      })),
    ),
    ...maybe(share, 'action', () =>
      some(2, () => ({ coding: [{ code: of(['access', 'use', 'disclose', 'correct']) }] })),
    ),
    ...maybe(share * 2, 'purpose', () =>
      some(2, () => ({ system: actReason, code: chance(0.6) ? purpose : of(purposes) })),
    ),
    ...maybe(share * 1.5, 'securityLabel', () => some(6, () => of(securityLabels))),
    ...maybe(share, 'class', () =>
      some(3, () => ({
        system: 'http://hl7.org/fhir/resource-types',
        code: of(['Observation', 'Condition', 'Patient', 'Consent']),
      })),
    ),
    ...maybe(share / 2, 'code', () => some(2, () => ({ coding: some(2, () => of(codes)) }))),
    ...maybe(share, 'dataPeriod', () => randomPeriod(days)),
    ...maybe(share / 2, 'data', () =>
      some(3, () =>
        chance(0.5)
          ? {
              meaning: 'instance',
              reference: { reference: `${chance(0.8) ? '' : 'https://elsewhere.example/'}${of(references)}` },
            }
          : { meaning: 'authoredby', reference: named(of(organizations)) },
      ),
    ),
    ...(depth < 4 && chance(0.5) ? { provision: some(3, () => randomProvision(depth + 1, purpose)) } : {}),
  };
}

/** Now and then it ends before it begins. */
function randomPeriod(among: readonly string[]): { start?: string; end?: string } {
  const [start, end] = [of(among), of(among)].sort();
  if (chance(0.3)) return chance(0.5) ? { start: start! } : { end: end! };
  return chance(0.98) ? { start: start!, end: end! } : { start: end!, end: start! };
}

/** What nobody can hold against a row. */
const odd: Partial<ConsentProvision>[] = [
  { action: [{ coding: [{ code: 'erase' }] }] },
  { action: [{ text: 'look at it' }] },
  { securityLabel: [{ system: actCode, code: 'CEL' }] },
  { securityLabel: [{ system: confidentiality, code: 'N' }] },
  { class: [{ system: 'urn:ietf:bcp:13', code: 'application/pdf' }] },
  { data: [{ meaning: 'related', reference: { reference: 'Observation/1' } }] },
  { data: [{ meaning: 'dependents', reference: { reference: 'Observation/1' } }] },
  { provision: [{ purpose: [{ system: actReason, code: 'TREAT' }] }] },
  { period: { start: '2023-02-30' } },
  { dataPeriod: { end: '2021-13' } },
  { modifierExtension: [{ url: 'urn:x', valueBoolean: true }] },
  { actor: [{ role: { text: 'mother' }, reference: { display: 'Mother' } }] },
  { code: [{ text: 'cough' }] },
  { code: [{ coding: [codes[0]!] }, { text: 'cough' }] },
  { action: [{ coding: [{ code: 'correct' }] }, { text: 'look at it' }] },
  { actor: [] },
  { data: [] },
];

function randomConsent(purpose: string): ConsentJson {
  const provision = chance(0.97) ? randomProvision(0, purpose) : undefined;
  return {
    resourceType: 'Consent',
    status: of(['active', 'active', 'active', 'active', 'active', 'active', 'inactive', 'draft']),
    scope: {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/consentscope',
          code: of(['patient-privacy', 'patient-privacy', 'research']),
        },
      ],
    },
    patient: { reference: 'Patient/a' },
    ...maybe(0.95, 'dateTime', () => of(dates)),
    ...(provision?.type === undefined || chance(0.3)
      ? { policyRule: { coding: [{ system: actCode, code: chance(0.98) ? of(['OPTIN', 'OPTOUT']) : 'EMRGONLY' }] } }
      : {}),
    ...maybe(0.8, 'verification', () => some(2, () => ({ verified: chance(0.8) }))),
    ...(provision ? { provision: chance(0.03) ? { ...provision, ...of(odd) } : provision } : {}),
  };
}

const roles: Role[] = [
  ...['clinician', 'clinician', 'clinician', 'system', 'patient', 'proxy', 'researcher', 'public-health'],
  ...['steward', 'privacy-officer', 'administrator', 'integration-engineer'],
] as Role[];
const usual: Partial<Record<Role, string[]>> = {
  clinician: ['TREAT', 'ETREAT', 'ETREAT', 'HPAYMT', 'HOPERAT'],
  system: ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT'],
  patient: ['PATRQT'],
  proxy: ['FAMRQT'],
  researcher: ['HRESCH'],
  'public-health': ['PUBHLTH'],
  steward: ['HOPERAT'],
  'privacy-officer': ['HCOMPL'],
};

function randomSubject(): Subject {
  const role = of(roles);
  const organization = chance(0.9) ? of(organizations) : undefined;
  const purpose = chance(0.95) ? of(usual[role] ?? purposes) : of(purposes);
  const isBound = role === 'patient' || role === 'proxy';
  return {
    role,
    purpose,
    organization,
    names: [
      `role:${role}`,
      ...(organization === undefined ? [] : [`${participant}|${organization}`]),
      ...(role === 'proxy' ? ['RelatedPerson/eve'] : chance(0.5) ? ['Practitioner/ann'] : []),
    ],
    isConfined: isBound ? chance(0.97) : purpose === 'ETREAT' ? chance(0.7) : chance(0.3),
    ...maybe(0.2, 'isApp', () => chance(0.7)),
    ...maybe(0.8, 'agreedTypes', () => some(3, () => of(['Observation', 'Condition', 'Patient', 'Location']))),
    ...maybe(role === 'proxy' ? 0.8 : 0.1, 'ages', () => some(2, () => of([3, 11, 12, 14, 17, 18, 40, undefined]))),
    ...maybe(purpose === 'ETREAT' ? 0.6 : 0.03, 'isEmergency', () => chance(0.9)),
  } as Subject;
}

const labelNames = Object.keys(label) as (keyof typeof label)[];

function randomPolicy(): Policy {
  const rules = Array.from(
    { length: Math.floor(next() * 4) },
    (): LabelRule => ({
      label: of(labelNames),
      mode: of(['permission', 'withheld']),
      ...maybe(0.6, 'purposes', () => some(3, () => of(purposes))),
      ...maybe(0.4, 'states', () => some(2, () => of(['TX', 'CA', 'NY']))),
      ...maybe(0.3, 'proxyFromAge', () => of([0, 12, 14, 17])),
    }),
  );
  return {
    model: of(['opt-out', 'opt-in']),
    zone: of(zones),
    rules,
    stateOf: (organization) => ({ north: 'TX', south: 'CA' })[organization ?? ''],
  };
}

function randomRow(): RowFacts {
  const reference = of([...references, 'Observation/1', 'Location/1', 'AuditEvent/1']);
  const type = reference.split('/')[0]!;
  const [from, to] = [of(['2019-01-01', '2020-05-17', '2021-02-03']), of(['2021-02-03', '2021-12-31', '9999-12-31'])];
  const labels = chance(0.5) ? 0 : some(2, () => label[of(labelNames)]).reduce((sum, bit) => sum | bit, 0);
  return {
    type,
    reference,
    ...(type === 'Location' || chance(0.06) ? {} : { patient: { source: of(organizations) } }),
    labels,
    ...(chance(0.8) ? { days: chance(0.5) ? { from, to: from } : { from, to } } : {}),
    codes: new Set(Array.from({ length: Math.floor(next() * 3) }, () => of(codes)).map((c) => `${c.system}|${c.code}`)),
  };
}

/** A moment, most often the last before or the first within what a date means in the zone. */
function randomNow(zone: string): number {
  const { from, to } = moments(of(dates), zone)!;
  return of([from - 1, from, to - 1, to, Math.floor((from + to) / 2)]);
}

/** Who asks, by which policy, what with which consents; asked about several rows at several times. */
function randomSituation() {
  const subject = randomSubject();
  const policy = randomPolicy();
  const given = Array.from(
    { length: Math.floor(next() * 4) },
    (): OracleConsent => ({
      isConfirmed: chance(0.8),
      consent: randomConsent(subject.purpose),
    }),
  );
  return { subject, policy, given };
}

/** What the evaluator makes of it. */
function evaluator({ subject, policy, given }: Omit<Question, 'row' | 'now'>) {
  const read = given.flatMap(({ consent, isConfirmed }, i): GivenConsent[] =>
    consent.status === 'active'
      ? [{ id: String(i), isConfirmed, consent: readConsent(consent as never, policy.zone) }]
      : [],
  );
  const limits = limitsOf(subject, policy);
  const provisions = consentsThatCount(read);
  const asker = {
    limits,
    withoutRules: limitsOf(subject, { ...policy, rules: [] }),
    isEmergency: subject.isEmergency === true,
  };
  return {
    hidden: (row: RowFacts, now: number) => hiddenBy(limits, row, provisions, now),
    explained: (row: RowFacts, now: number) => explain(asker, row, provisions, now),
  };
}

function checkExplanation(
  { isVisible, hiddenBy: by, layers }: Explanation,
  actual: Hidden | undefined,
  asked: Question,
) {
  if (by !== actual || isVisible !== (actual === undefined)) {
    expect.fail(`It is explained by ${by}, not ${actual}: ${JSON.stringify(asked, undefined, 1)}`);
  }
  const { because, consents } = layers.at(-1)!;
  if (because === 'permission-given') expect(consents.length, JSON.stringify(asked)).toBeGreaterThan(0);
}

it('hides and shows what the brute-force oracle hides and shows, and explains it so, in 100 000 random cases', () => {
  const counts: Record<string, number> = {};
  let situation = randomSituation();
  let { hidden, explained } = evaluator(situation);
  for (let i = 0; i < 100_000; i++) {
    if (i % 4 === 0) {
      situation = randomSituation();
      ({ hidden, explained } = evaluator(situation));
    }
    const question = { ...situation, row: randomRow(), now: randomNow(situation.policy.zone) };
    const expected = oracle(question);
    const actual = hidden(question.row, question.now);
    if (actual !== expected) {
      expect.fail(`case ${i}: ${actual}, not ${expected}: ${JSON.stringify(question, undefined, 1)}`);
    }
    const { subject, row } = question;
    if (i % 5 === 0) checkExplanation(explained(row, question.now), actual, question);
    for (const what of [actual ?? 'visible', ...(subject.isEmergency && row.patient ? [`emergency ${actual}`] : [])]) {
      counts[what] = (counts[what] ?? 0) + 1;
    }
  }
  for (const by of ['visible', 'role', 'compartment', 'label', 'refusal', 'permission']) {
    expect(counts[by], by).toBeGreaterThan(1_000);
  }
  for (const by of ['undefined', 'label']) expect(counts[`emergency ${by}`], by).toBeGreaterThan(100);
}, 600_000);
