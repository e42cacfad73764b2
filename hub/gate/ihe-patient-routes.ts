/**
 * Who somebody is, asked by FHIR: `Patient/$match` (https://hl7.org/fhir/R4/patient-operation-match.html; IHE PDQm,
 * ITI-119) and `Patient/$ihe-pix` (IHE PIXm, ITI-83).
 */
import { isFhirError, scanResource } from '@causeway/fhir';
import type { Patient } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Match, matchesOf, type PersonIndex } from '../identity/index.ts';
import { correspondenceOf, Domains } from '../query/index.ts';
import { logicalId, RecordError } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import { bundle, type EntryParts } from './fhir-answers.ts';
import { baseUrl, bodyText, type FhirParts, queryOf, recordAccess } from './fhir-exchange.ts';
import { answerForm } from './fhir-format.ts';
import { shown, warningEntry } from './fhir-search-bundle.ts';
import { sendBundle, sendText } from './fhir-send.ts';
import { OperationParameters, operationParameters, type ParameterKind } from './operation-parameters.ts';

export interface IhePatientParts extends FhirParts {
  persons: PersonIndex;
  participants: Participants;
}

const ofMatch: Record<string, ParameterKind> = { resource: 'object', onlyCertainMatches: 'one', count: 'one' };
const ofPix: Record<string, ParameterKind> = { sourceIdentifier: 'one', targetSystem: 'many' };
const mostMatches = 100;
const gradeUrl = 'http://hl7.org/fhir/StructureDefinition/match-grade';

export function ihePatientRoutes(app: FastifyInstance, parts: IhePatientParts): void {
  const { record, authenticator, persons } = parts;

  app.post('/fhir/Patient/$match', async (request, reply) => {
    const who = await authenticator.caller(request, 'match');
    const { described, parameters } = matchRequest(request);
    const form = answerForm(request, parameters.query());
    const found = await matchesOf({ record, persons }, who, described);
    const certain = (found ?? []).filter(({ grade }) => grade === 'certain');
    const wanted = parameters.flag('onlyCertainMatches') ? certain : (found ?? []);
    const count = parameters.integer('count', { least: 1, most: mostMatches }) ?? mostMatches;
    const matches = wanted.slice(0, count);
    const patients = matches.map(({ patient }) => logicalId(patient.text));
    await recordAccess(parts, who, 'match', '/Patient/$match', 200, patients);
    const base = baseUrl(request);
    const entries = [
      ...matches.map((one) => matchEntry(base, { ...one, patient: shown(one.patient, form.subset) })),
      ...(found === undefined ? [warningEntry([tooLittle])] : []),
    ];
    const links = [['self', `${base}/Patient/$match`]];
    return sendBundle(request, reply, bundle('searchset', links, entries, matches.length), form);
  });

  app.route({
    method: ['GET', 'POST'],
    url: '/fhir/Patient/$ihe-pix',
    handler: async (request, reply) => {
      const who = await authenticator.caller(request, 'ihe-pix');
      const parameters = operationParameters(parts, request, ofPix);
      const form = answerForm(request, parameters.query());
      const base = baseUrl(request);
      const domains = new Domains(parts.participants.all(), who.organization);
      const { identifiers, patients, person } = await correspondenceOf(
        { record, domains, base },
        who,
        sourceIdentifier(parameters),
        parameters.query().getAll('targetSystem'),
      );
      await recordAccess(parts, who, 'ihe-pix', `/Patient/$ihe-pix?${parameters.query()}`, 200, [person]);
      const parameter = [
        ...identifiers.map((valueIdentifier) => ({ name: 'targetIdentifier', valueIdentifier })),
        ...patients.map((id) => ({ name: 'targetId', valueReference: { reference: `${base}/Patient/${id}` } })),
      ];
      const answer = { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) };
      return sendText(request, reply, JSON.stringify(answer), form);
    },
  });
}

const tooLittle = {
  severity: 'warning' as const,
  code: 'incomplete',
  diagnostics:
    'This says too little of whom is meant: give a name and a birth date, an address or a telephone number, or an identifier.',
};

/** The Patient that describes somebody, as the body or in Parameters. @throws RecordError 400 */
function matchRequest(request: FastifyRequest): { described: Patient; parameters: OperationParameters } {
  const parameters = new OperationParameters(ofMatch);
  for (const [name, value] of queryOf(request)) parameters.add(name, value);
  const scanned = scanResource(bodyText(request));
  if (isFhirError(scanned))
    throw new RecordError(400, 'structure', `Line ${scanned.line}, column ${scanned.column}: ${scanned.error}`);
  if (scanned.resourceType === 'Patient') parameters.add('resource', scanned.value);
  else if (scanned.resourceType === 'Parameters') {
    const { parameter = [] } = scanned.value as { parameter?: unknown };
    for (const one of Array.isArray(parameter) ? parameter : []) parameters.addFrom(one);
  }
  const described = parameters.object('resource') as object as Patient | undefined;
  if (described?.resourceType !== 'Patient') {
    const text = 'Send a Patient that describes somebody, as the body or as the parameter resource of Parameters.';
    throw new RecordError(400, 'required', text, 'resource');
  }
  const unknown = ['implicitRules', 'modifierExtension'].find((name) => name in described);
  if (unknown !== undefined) {
    const text = `The Patient has ${unknown}, which could change what it says in a way that is not understood here.`;
    throw new RecordError(400, 'not-supported', text, `Patient.${unknown}`);
  }
  return { described, parameters };
}

function matchEntry(base: string, { patient, grade, score }: Match): EntryParts {
  const search = { extension: [{ url: gradeUrl, valueCode: grade }], mode: 'match', score };
  return [
    `{"fullUrl":"${base}/Patient/${logicalId(patient.text)}","resource":`,
    patient.text,
    `,"search":${JSON.stringify(search)}}`,
  ];
}

/** @throws RecordError 400 where there is none, or none with its domain */
function sourceIdentifier(parameters: OperationParameters): { system: string; value: string } {
  const text = parameters.text('sourceIdentifier');
  if (text === undefined) {
    const missing = 'The parameter sourceIdentifier is missing: [system]|[value].';
    throw new RecordError(400, 'required', missing, 'sourceIdentifier');
  }
  const bar = text.indexOf('|');
  const [system, value] = bar < 0 ? ['', text] : [text.slice(0, bar), text.slice(bar + 1)];
  if (system !== '' && value !== '') return { system, value };
  throw new RecordError(400, 'code-invalid', 'sourceIdentifier Assigning Authority not found', 'sourceIdentifier');
}
