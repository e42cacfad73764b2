/**
 * Proof that an organisation has to do with a person (docs/access.md, 8), as SQL: the person is its own patient, somebody
 * attested it, the person shares its record with it, or a visit, an appointment, a referral, a care team or a coverage names it.
 */
import type { RelationshipRule } from '@causeway/access';
import { typeCode } from '@causeway/fhir';

/** What of the record names an organisation: hashes as the record's rows have them, in decimal digits. */
export interface RelationTokens {
  /** References that name it by its key, and the markers that say that it is a key of the network. */
  logical: readonly string[];
  logicalMarkers: readonly string[];
  /** An Organization that stands for it, and what turns its hash into those of references to it. */
  identifier: string;
  identifierMarker: string;
  masks: readonly string[];
  /** What was cancelled, or was never so. */
  void: readonly string[];
}

/** Whose relationship to persons is looked at, and how. */
export interface Relation extends Pick<RelationshipRule, 'mode' | 'daysBack' | 'daysAhead'> {
  purpose: ProvenPurpose;
  /** The participant's key; of those of no participant the name of their organisation. */
  organization: string;
  tokens: RelationTokens;
}

export type ProvenPurpose = NonNullable<RelationshipRule['purposes']>[number];
export type Proof =
  | 'own'
  | 'attestation'
  | 'share'
  | 'encounter'
  | 'appointment'
  | 'care-team'
  | 'referral'
  | 'coverage';

/**
 * What proves a relationship for a purpose. Who pays is known by a coverage, and by the visit that is paid; an organisation runs
 * itself with the records of its own patients or members (45 CFR 164.506(c)(4)); what a clinician says is for treatment alone.
 */
const proofsFor: Readonly<Record<ProvenPurpose, readonly Proof[]>> = {
  TREAT: ['own', 'attestation', 'share', 'encounter', 'appointment', 'care-team', 'referral'],
  HPAYMT: ['own', 'share', 'coverage', 'encounter'],
  HOPERAT: ['own', 'share', 'coverage', 'encounter', 'appointment', 'care-team', 'referral'],
};

/** Types that may name an organisation which has to do with the person, with the parameter that does. */
export const provingTypes = {
  Encounter: { parameter: 'service-provider', proof: 'encounter', void: ['cancelled', 'entered-in-error'] },
  Appointment: { parameter: 'actor', proof: 'appointment', void: ['cancelled', 'noshow', 'entered-in-error'] },
  CareTeam: { parameter: 'participant', proof: 'care-team', void: ['proposed', 'inactive', 'entered-in-error'] },
  Coverage: { parameter: 'payor', proof: 'coverage', void: ['draft', 'cancelled', 'entered-in-error'] },
  ServiceRequest: { parameter: 'performer', proof: 'referral', void: ['draft', 'revoked', 'entered-in-error'] },
} as const satisfies { [type: string]: { parameter: string; proof: Proof; void: string[] } };

type Parameter = (value: unknown) => string;

/** The proof for a person as a scalar; NULL where there is none. @param person an SQL expression of its id */
export function proofOf(relation: Relation, person: string, parameter: Parameter): string {
  const { organization, tokens, daysBack, daysAhead } = relation;
  const list = (values: readonly string[]) => `${parameter(`{${values.join(',')}}`)}::bigint[]`;
  const key = `${parameter(organization)}::text`;
  const name = `${parameter(`urn:causeway:participant|${organization}`)}::text`;
  const logical = list(tokens.logical);
  const literal = `ARRAY(SELECT o.self # mask FROM index_token i
      JOIN resource o ON o.home = i.home AND o.rkey = i.rkey CROSS JOIN unnest(${list(tokens.masks)}) mask
      WHERE i.value = ${parameter(tokens.identifier)}::bigint AND i.home < 0 AND NOT o.deleted
        AND o.tokens @> ARRAY[${parameter(tokens.identifierMarker)}::bigint])`;
  const accepted = proofsFor[relation.purpose];
  const types = Object.entries(provingTypes).filter(([, { proof }]) => accepted.includes(proof));
  const kinds = types.map(([type, { proof }]) => `WHEN ${typeCode(type)} THEN '${proof}'`);
  const attested = accepted.includes('attestation')
    ? `WHEN EXISTS (SELECT 1 FROM link p WHERE p.person = ${person} AND EXISTS (SELECT 1 FROM attestation a
      WHERE a.home = p.home AND a.organization = ${key} AND a.until > now())) THEN 'attestation'`
    : '';
  const homes = `link p WHERE p.person = ${person}`;
  return `(CASE
    WHEN EXISTS (SELECT 1 FROM ${homes} AND p.source = ${key}) THEN 'own'
    ${attested}
    WHEN EXISTS (SELECT 1 FROM ${homes} AND EXISTS (SELECT 1 FROM consent_provision c
      WHERE c.home = p.home AND c.effect = 1 AND c.actors @> ARRAY[${name}] AND c.times @> now())) THEN 'share'
    ELSE (SELECT CASE v.type ${kinds.join(' ')} END FROM link p
      JOIN index_token t ON t.home = p.home AND t.value = ANY (${logical} || ${literal})
      JOIN resource v ON v.home = t.home AND v.rkey = t.rkey
      WHERE p.person = ${person} AND NOT v.deleted AND v.type IN (${types.map(([type]) => typeCode(type)).join(', ')})
        AND NOT coalesce(v.tokens && ${list(tokens.void)}, false)
        AND (t.value <> ALL (${logical}) OR v.tokens && ${list(tokens.logicalMarkers)})
        AND coalesce(v.last_day >= now()::date - ${Number(daysBack)} AND v.first_day <= now()::date + ${Number(daysAhead)},
                     v.type IN (${typeCode('CareTeam')}, ${typeCode('Coverage')}))
      LIMIT 1)
    END)`;
}

/** That a row is of who the person is, or of a person whom the organisation has a relationship to. */
export function isRelated(relation: Relation, alias: string, parameter: Parameter): string {
  const person = `(SELECT h.person FROM link h WHERE h.home = ${alias}.home)`;
  return `(${alias}.type = ${typeCode('Patient')} OR ${proofOf(relation, person, parameter)} IS NOT NULL)`;
}
