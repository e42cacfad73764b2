/**
 * Binds a patient's account to the person that an external provider proved its user to be (NIST SP 800-63A, IAL2), where the
 * operator said how the provider tells that. The number, the date of birth and the family name that it vouches for have to be those of
 * one person alone, for whom no other account stands; else staff or an invitation has to say who it is.
 */
import { confirmedHomes } from '../consent/index.ts';
import type { Database } from '../database/index.ts';
import { newId, ridOf } from '../record/index.ts';
import { type AccessLog, accessOf, type Binding, type Bindings, type Proven, type User } from '../trust/index.ts';
import type { FhirParts } from './fhir-exchange.ts';

export interface ProofedParts {
  database: Database;
  bindings: Bindings;
  accessLog: AccessLog;
  record: FhirParts['record'];
}

/** Reads what somebody is held against. */
const own = accessOf({ username: 'registration', name: 'Registration', role: 'system', organization: 'hub' });
const mostPatients = 50;

/** @returns whether the account was bound */
export async function bindProven(parts: ProofedParts, user: User, proven: Proven, issuer: string): Promise<boolean> {
  const { bindings, accessLog } = parts;
  if (user.role !== 'patient' || (await bindings.isDecided(user.username))) return false;
  const found = await provenPatient(parts, proven);
  if (found === undefined) return false;
  const { patient, person, ids } = found;
  const evidence = `${issuer} has proved the identity: a number, the date of birth and the family name`.slice(0, 1_000);
  const binding = { id: newId(), username: user.username, patient, relation: 'self', by: 'external provider' } as const;
  return accessLog.change(async (transaction) => {
    // Another account of the same person may be bound at this moment, or this one by another sign-in.
    for (const whose of [`binding to ${person}`, `binding ${user.username}`])
      await transaction.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [whose]);
    const entry = {
      action: 'bind-account',
      what: `Patient/${patient}`,
      status: 201,
      patients: [patient],
      reason: evidence,
    };
    const note = { access: accessOf(user), entry };
    const isLate =
      (await bindings.isDecided(user.username, transaction)) || isTaken(await bindings.to(ids, transaction));
    if (!isLate) await bindings.bind({ ...binding, proofing: 'external', evidence, until: undefined }, transaction);
    return { made: !isLate, note: isLate ? { ...note, entry: { ...entry, status: 409 } } : note };
  });
}

interface ProvenPatient {
  /** The Patient to whom an account is bound. */
  patient: string;
  /** The person in the index, or the Patient where it has none. */
  person: string;
  /** All Patients of that person with the number. */
  ids: string[];
}

/** The Patient of one organisation whom all of this is of; undefined where there is none, or it may be several persons. */
async function provenPatient(
  { database, record, bindings }: ProofedParts,
  proven: Proven,
): Promise<ProvenPatient | undefined> {
  const { system, number, birthDate, family } = proven;
  const asked: [string, string][] = [
    ['identifier', `${system.replaceAll(/[\\,|$]/g, '\\$&')}|${number}`],
    ['_count', String(mostPatients)],
  ];
  const { matches } = await record.search(own, record.readSearch('Patient', asked, false));
  const patients = matches.map(({ text }) => JSON.parse(text) as Described);
  // Whoever else has the number makes it one that does not say who somebody is.
  const isSure =
    patients.length > 0 && patients.length < mostPatients && patients.every((one) => isOf(one, birthDate, family));
  if (!isSure) return undefined;
  const ids = patients.map(({ id }) => id);
  const { rows } = await database.query<{ person: string }>(
    `SELECT DISTINCT coalesce(l.person::text, p.rid::text) AS person
     FROM patient_home p LEFT JOIN link l ON l.patient = p.rid WHERE p.rid = ANY($1)`,
    [ids.map(ridOf)],
  );
  if (rows.length !== 1 || isTaken(await bindings.to(ids))) return undefined;
  const { person } = rows[0]!;
  for (const id of ids) if ((await confirmedHomes(database, id)).length > 0) return { patient: id, person, ids };
  return undefined;
}

/** Whether one of the accounts is the person's own. */
function isTaken(bound: readonly Binding[]): boolean {
  return bound.some(({ relation }) => relation === 'self');
}

interface Described {
  id: string;
  birthDate?: string;
  name?: { family?: string }[];
}

function isOf({ birthDate, name = [] }: Described, born: string, family: string): boolean {
  return birthDate === born && name.some((one) => one.family !== undefined && plain(one.family) === plain(family));
}

/** Without what is written differently: case, accents, spaces, hyphens. */
function plain(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}]/gu, '');
}
