/**
 * Looking a person up for an emergency access: whoever closed everything is found by nobody otherwise (docs/access.md, 4). Exact,
 * recorded before it is answered, and no more than what tells who it is.
 */
import type { FastifyInstance } from 'fastify';
import { newId, RecordError } from '../record/index.ts';
import { type Access, type AccessLog, accessOf, type Emergencies, type EmergencyLookups } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import type { FhirParts } from './fhir-exchange.ts';
import type { RateLimits } from './rate-limits.ts';

export interface EmergencyLookupParts {
  emergencies: Emergencies;
  lookups: EmergencyLookups;
  rateLimits: RateLimits;
  authenticator: Authenticator;
  accessLog: AccessLog;
  record: FhirParts['record'];
}

const own: Access = accessOf({ username: 'emergency', name: 'Emergency', role: 'system', organization: 'hub' });
const mostFound = 5;
/** Of names that begin alike, so many are looked at. */
const mostLooked = 200;

interface Name {
  family?: string;
  given?: string[];
}
interface Patient {
  id: string;
  name?: Name[];
  birthDate?: string;
  gender?: string;
}

export function emergencyLookupRoutes(app: FastifyInstance, parts: EmergencyLookupParts): void {
  const { emergencies, lookups, rateLimits, authenticator, accessLog } = parts;

  app.post('/api/emergency/lookup', async (request) => {
    const who = await authenticator.caller(request, 'emergency-lookup');
    if (who.client !== undefined || who.site !== undefined || !(await emergencies.mayBegin(who.who))) {
      throw new RecordError(403, 'forbidden', 'This account may not begin an emergency access.');
    }
    const asked = askedIn(jsonBody(request));
    await rateLimits.take('emergency-lookup', who.who);
    const found = await patientsOf(parts, asked);
    const patients = found.map(({ id }) => id);
    const id = newId();
    const { who: username, organization } = who;
    const reason = Object.values(asked).join(' ').slice(0, 500);
    await accessLog.changeAnyway(async (transaction) => {
      lookups.note({ id, username, organization, found: patients }, transaction);
      const entry = { action: 'emergency-lookup', what: `lookup/${id}`, status: 200, patients, reason };
      return { made: undefined, note: { access: who, entry } };
    });
    if (found.length > mostFound) return { isTooMany: true, persons: [] };
    return { isTooMany: false, persons: found.map(identityOf) };
  });
}

type Asked = { identifier: string } | { family: string; given: string; birthDate: string };

/** @throws RecordError 400 */
function askedIn(body: ReturnType<typeof jsonBody>): Asked {
  if (body.identifier !== undefined) {
    const identifier = text(body, 'identifier', 300).trim();
    if (identifier.replace(/^.*\|/, '').length >= 3) return { identifier };
    throw new RecordError(400, 'value', 'identifier must be a whole number of the person.', 'identifier');
  }
  const [family, given] = [text(body, 'family', 200).trim(), text(body, 'given', 200).trim()];
  const birthDate = text(body, 'birthDate', 10);
  if (!/^\d{4}-\d\d-\d\d$/.test(birthDate) || Number.isNaN(Date.parse(birthDate))) {
    throw new RecordError(400, 'value', 'birthDate must be a whole date, as 1980-02-03.', 'birthDate');
  }
  if (plain(family) === '' || plain(given) === '') {
    throw new RecordError(400, 'value', 'family and given must be whole names.', 'family');
  }
  return { family, given, birthDate };
}

/** Those who are meant, up to one more than are told. */
async function patientsOf({ record }: EmergencyLookupParts, asked: Asked): Promise<Patient[]> {
  const search = async (query: Record<string, string>) => {
    const request = record.readSearch('Patient', new URLSearchParams(query), false);
    const { matches } = await record.search(own, { ...request, count: mostLooked });
    return matches.map(({ text: stored }) => JSON.parse(stored) as Patient);
  };
  // A comma would ask for either of two.
  if ('identifier' in asked) {
    return (await search({ identifier: asked.identifier.replace(/[\\,$]/g, '\\$&') })).slice(0, mostFound + 1);
  }
  const { family, given, birthDate } = asked;
  const begun = await search({ birthdate: birthDate, family: family.replace(/[\\,$|]/g, '\\$&') });
  const isMeant = (name: Name) =>
    plain(name.family ?? '') === plain(family) && (name.given ?? []).some((one) => plain(one) === plain(given));
  return begun.filter((one) => one.birthDate === birthDate && (one.name ?? []).some(isMeant)).slice(0, mostFound + 1);
}

/** A name without case and accents. */
function plain(name: string): string {
  return name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim();
}

function identityOf({ id, name, birthDate, gender }: Patient): object {
  return { id, name: (name ?? []).map(({ family, given }) => ({ family, given })), birthDate, gender };
}
