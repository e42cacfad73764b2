/** Random people, records, consents and callers, the same for the same seed. */
import {
  consentsThatCount,
  type GivenConsent,
  hiddenBy,
  type LabelRule,
  type Policy,
  type RowFacts,
} from '@causeway/access';
import { extract } from '@causeway/fhir';
import type { TestDatabase } from './database/testing.ts';
import { ridOf } from './record/index.ts';
import type { Access, AccessUser } from './trust/index.ts';

export interface Random {
  /** A whole number from 0 to below `most`. */
  below(most: number): number;
  of<T>(values: readonly T[]): T;
  chance(share: number): boolean;
}

/** mulberry32 */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (most: number) => Math.floor(next() * most);
  return { below, of: (values) => values[below(values.length)]!, chance: (share) => next() < share };
}

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const securityLabels = [
  { system: actCode, code: '42CFRPart2' },
  { system: actCode, code: 'PSYTHPN' },
  { system: actCode, code: 'PSY' },
  { system: actCode, code: 'SDV' },
  { system: confidentiality, code: 'R' },
  { system: confidentiality, code: 'V' },
  { system: confidentiality, code: 'N' },
];
const conditionCodes = [
  { system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F11.20' },
  { system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'B20' },
  { system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'I10' },
  { system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'Z33.2' },
];
export const organizations = ['north', 'south', 'east'];
const days = ['2019', '2020-05', '2021-02-03', '2022-12-31', '2024-06-15'];

interface Resource {
  resourceType: string;
  id: string;
  [element: string]: unknown;
}

/** A clinical resource of a patient. */
export function randomResource(r: Random, id: string, patient: string): Resource {
  const meta = r.chance(0.3) ? { meta: { security: [r.of(securityLabels)] } } : {};
  const subject = { reference: `Patient/${patient}` };
  const when = r.chance(0.8) ? r.of(days) : undefined;
  if (r.chance(0.5)) {
    const onset = when === undefined ? {} : { onsetDateTime: when };
    return { resourceType: 'Condition', id, ...meta, subject, code: { coding: [r.of(conditionCodes)] }, ...onset };
  }
  const code = { coding: [{ system: 'http://loinc.org', code: r.of(['718-7', '75622-1', '8480-6']) }] };
  const effective = when === undefined ? {} : { effectiveDateTime: when };
  return { resourceType: 'Observation', id, ...meta, status: 'final', subject, code, ...effective };
}

/** A Consent of a patient, now and then one that cannot be understood. @param ids resources it may name */
export function randomConsent(r: Random, id: string, patient: string, ids: readonly string[]): Resource {
  return {
    resourceType: 'Consent',
    id,
    status: r.chance(0.9) ? 'active' : 'inactive',
    scope: {
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: r.of(['patient-privacy', 'research']) },
      ],
    },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: `Patient/${patient}` },
    ...(r.chance(0.9) ? { dateTime: r.of(['2020', '2021-03', '2022-01-01T10:00:00+02:00', '2023-05-05']) } : {}),
    policyRule: { coding: [{ system: actCode, code: r.of(['OPTIN', 'OPTOUT']) }] },
    ...(r.chance(0.7) ? { verification: [{ verified: r.chance(0.8) }] } : {}),
    provision: randomProvision(r, ids, 0, r.chance(0.05)),
  };
}

function randomProvision(r: Random, ids: readonly string[], depth: number, isOdd: boolean): object {
  const some = <T>(share: number, name: string, value: () => T) => (r.chance(share) ? { [name]: value() } : {});
  return {
    ...(depth > 0 || r.chance(0.5) ? { type: r.of(['permit', 'deny']) } : { id: 'root' }),
    ...some(0.2, 'period', () => ({
      start: r.of(['2020', '2025-01-01', '2031-01-01']),
      ...some(0.6, 'end', () => r.of(['2032-01-01', '2035-12-31', '2040'])),
    })),
    ...some(0.35, 'actor', () => [
      {
        role: { coding: [{ code: 'IRCP' }] },
        reference: r.of([
          ...organizations.map((value) => ({ identifier: { system: 'urn:causeway:participant', value } })),
          { reference: 'Practitioner/ann' },
        ]),
      },
    ]),
    ...some(0.2, 'action', () => [{ coding: [{ code: isOdd ? 'erase' : r.of(['access', 'disclose', 'correct']) }] }]),
    ...some(0.25, 'purpose', () => [{ code: r.of(['TREAT', 'HRESCH', 'ETREAT', 'HOPERAT', 'FAMRQT']) }]),
    ...some(0.25, 'securityLabel', () => [r.of(securityLabels.slice(0, 6))]),
    ...some(0.25, 'class', () => [
      { system: 'http://hl7.org/fhir/resource-types', code: r.of(['Condition', 'Observation', 'Patient']) },
    ]),
    ...some(0.15, 'code', () => [{ coding: [r.of(conditionCodes)] }]),
    ...some(0.2, 'dataPeriod', () => ({
      ...some(0.7, 'start', () => r.of(['2020', '2021-02-03'])),
      end: r.of(['2022-06', '2023']),
    })),
    ...some(0.15, 'data', () =>
      r.chance(0.5)
        ? [{ meaning: 'instance', reference: { reference: r.of(ids) } }]
        : [
            {
              meaning: 'authoredby',
              reference: { identifier: { system: 'urn:causeway:participant', value: r.of(organizations) } },
            },
          ],
    ),
    ...(depth < 3 && r.chance(0.45)
      ? { provision: Array.from({ length: 1 + r.below(2) }, () => randomProvision(r, ids, depth + 1, isOdd)) }
      : {}),
  };
}

/** Somebody who asks. @param homes to which some are confined */
export function randomUser(r: Random, homes: readonly number[]): AccessUser {
  const role = r.of([
    'clinician',
    'clinician',
    'clinician',
    'patient',
    'proxy',
    'researcher',
    'public-health',
    'privacy-officer',
    'system',
  ] as const);
  const purpose = { clinician: r.of(['TREAT', 'ETREAT', 'HOPERAT', 'HPAYMT', 'HMARKT']) }[role as 'clinician'];
  const isConfined = role === 'patient' || role === 'proxy' || r.chance(0.2);
  return {
    username: 'ann',
    name: 'Ann',
    role,
    organization: 'o',
    ...(role === 'clinician' || role === 'system' ? { participant: r.of(organizations) } : {}),
    ...(r.chance(0.5) ? { names: ['Practitioner/ann'] } : {}),
    ...(purpose === undefined ? {} : { purpose }),
    ...(isConfined ? { homes: [r.of(homes)] } : {}),
    ...(r.chance(0.8) ? { agreedTypes: ['Condition', 'Patient'] } : {}),
    ...(r.chance(0.2) ? { isEmergency: true } : {}),
  };
}

export function randomPolicy(r: Random): Policy {
  const rules: LabelRule[] = Array.from({ length: r.below(3) }, () => ({
    label: r.of(['reproduction', 'hiv', 'substanceUse', 'mentalHealth'] as const),
    mode: r.of(['permission', 'withheld'] as const),
    ...(r.chance(0.4) ? { purposes: ['TREAT', 'HOPERAT'] } : {}),
    ...(r.chance(0.4) ? { states: ['TX'] } : {}),
    ...(r.chance(0.2) ? { proxyFromAge: 12 } : {}),
  }));
  return {
    model: r.chance(0.7) ? 'opt-out' : 'opt-in',
    zone: r.of(['UTC', 'America/New_York', 'Australia/Lord_Howe']),
    rules,
    stateOf: (organization) => ({ north: 'TX', south: 'CA' })[organization ?? ''],
  };
}

/** What the decision in memory looks at of a resource that is stored. */
export interface StoredFacts {
  home: number;
  facts: RowFacts;
}

/** What the decision looks at of resources, as they are stored. */
export async function storedFacts(test: TestDatabase, resources: readonly Resource[]): Promise<StoredFacts[]> {
  const { rows } = await test.database.query(
    `SELECT r.home, r.rid, r.labels, r.first_day::text AS first, r.last_day::text AS last, l.source
     FROM resource r LEFT JOIN link l USING (home)`,
  );
  const byRid = new Map(rows.map((row) => [row.rid, row]));
  return resources.map((resource) => {
    const row = byRid.get(ridOf(resource.id))!;
    const codes = extract(resource as never).flatMap((value) =>
      value.kind === 'token' ? [`${value.system ?? ''}|${value.code}`] : [],
    );
    const facts = {
      type: resource.resourceType,
      reference: `${resource.resourceType}/${resource.id}`,
      ...(row.home > 0 ? { patient: { source: row.source } } : {}),
      labels: row.labels,
      ...(row.first ? { days: { from: row.first, to: row.last } } : {}),
      codes: new Set(codes),
    };
    return { home: row.home, facts };
  });
}

/** What of rows an access may see, as `Type/id`, by the decision in memory. @param consents by home */
export function visibleOf(
  access: Access,
  rows: readonly StoredFacts[],
  consents: ReadonlyMap<number, GivenConsent[]>,
): Set<string> {
  const { homes, limits } = access;
  const visible = rows.filter(({ home, facts }) => {
    if (homes !== 'all' && (homes.length === 0 || (home > 0 && !homes.includes(home)))) return false;
    return hiddenBy(limits, facts, consentsThatCount(consents.get(home) ?? []), Date.now()) === undefined;
  });
  return new Set(visible.map(({ facts }) => facts.reference));
}
