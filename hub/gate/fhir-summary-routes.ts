/**
 * `Patient/[id]/$summary` and `Patient/$summary?identifier=` (http://hl7.org/fhir/uv/ips/OperationDefinition/summary): the
 * International Patient Summary of what the caller may read of a person, made when it is asked for and not stored.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { logicalId, newId, RecordError } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { baseUrl, type FhirParts, type Params, pathOf, recordAccess } from './fhir-exchange.ts';
import { answerForm } from './fhir-format.ts';
import { sendText } from './fhir-send.ts';
import { operationParameters, type ParameterKind } from './operation-parameters.ts';
import { Turns } from './turns.ts';

const ofPatient: Record<string, ParameterKind> = { profile: 'one' };
const ofType: Record<string, ParameterKind> = { ...ofPatient, identifier: 'one' };
/** Profiles that can be asked for: the guide's own. */
const profile = /^http:\/\/hl7\.org\/fhir\/uv\/ips\/StructureDefinition\/(?:Composition|Bundle)-uv-ips(?:\|1\.1\.0)?$/;

/** Types that a summary tells of, and those that explain them. */
const types = [
  'Patient',
  'AllergyIntolerance',
  'CarePlan',
  'ClinicalImpression',
  'Condition',
  'Consent',
  'Device',
  'DeviceUseStatement',
  'DiagnosticReport',
  'DocumentReference',
  'ImagingStudy',
  'Immunization',
  'Medication',
  'MedicationDispense',
  'MedicationRequest',
  'MedicationStatement',
  'Observation',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Procedure',
  'Specimen',
];
/** A summary is made of so many resources at most, so that memory stays bounded. */
const mostResources = 50_000;
const mostCharacters = 64 * 1024 * 1024;
const pageSize = 5_000;
const atOnce = new Turns(1);

export function fhirSummaryRoutes(app: FastifyInstance, parts: FhirParts): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const who = await parts.authenticator.caller(request, 'summary');
    const { id } = request.params as Partial<Params>;
    const parameters = operationParameters(parts, request, id === undefined ? ofType : ofPatient);
    checkProfile(parameters.text('profile'));
    const form = answerForm(request, parameters.query());
    const patient = id ?? (await patientOf(parts, who, parameters.text('identifier')));
    const base = baseUrl(request);
    const text = await atOnce.take(1, async () => {
      const texts = await recordOf(parts, who, patient);
      return parts.writeSummary(texts, { id: newId(), time: new Date().toISOString(), base, software: 'Causeway' });
    });
    await recordAccess(parts, who, 'summary', pathOf(request), 200, [patient]);
    return sendText(request, reply.header('cache-control', 'no-store'), text, form);
  };
  for (const url of ['/fhir/Patient/:id/$summary', '/fhir/Patient/$summary'])
    app.route({ method: ['GET', 'POST'], url, handler: answer });
}

function checkProfile(asked: string | undefined): void {
  if (asked === undefined || profile.test(asked)) return;
  const text = 'Summaries are made by http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips|1.1.0 alone.';
  throw new RecordError(422, 'not-supported', text, 'profile');
}

/** The Patient with a number, as the caller may find it. @throws RecordError 400, 404; 422 where several persons have it */
async function patientOf({ record }: FhirParts, who: Caller, identifier: string | undefined): Promise<string> {
  if (identifier === undefined)
    throw new RecordError(400, 'required', 'Name the person: Patient/[id]/$summary, or identifier=[system]|[value].');
  const asked = record.readSearch('Patient', [['identifier', identifier]], false);
  const { matches } = await record.search(who, asked);
  const [first, ...others] = new Set(matches.map(({ text }) => logicalId(text)));
  if (first === undefined) throw new RecordError(404, 'not-found', 'There is nobody with this identifier.');
  if (others.length === 0) return first;
  throw new RecordError(422, 'multiple-matches', 'Several persons have this identifier; name the Patient by its id.');
}

/** The texts of the person's record, by the one way in which everything of a person is read. */
async function recordOf({ record }: FhirParts, who: Caller, patient: string): Promise<string[]> {
  await record.read(who, 'Patient', patient);
  const found = new Map<string, string>();
  let characters = 0;
  let cursor: string | undefined;
  do {
    const asked = { count: pageSize, cursor, types, since: undefined, care: undefined };
    const { matches, included, next } = await record.everything(who, patient, asked);
    for (const { type, rid, text } of [...matches, ...included]) {
      if (found.has(`${type}/${rid}`)) continue;
      characters += text.length;
      if (found.size >= mostResources || characters > mostCharacters) throw tooLarge();
      found.set(`${type}/${rid}`, text);
    }
    cursor = next;
  } while (cursor !== undefined);
  if ([...found.keys()].some((key) => key.startsWith('Patient/'))) return [...found.values()];
  throw new RecordError(404, 'not-found', 'There is no Patient of this id.');
}

function tooLarge(): RecordError {
  const text = `A summary is made of ${mostResources} resources or ${mostCharacters / 1024 / 1024} MB of them at most.`;
  return new RecordError(422, 'too-costly', text);
}
