/** Procedures that were done, or not. */
import type { Device, Procedure, Specimen } from '@medplum/fhirtypes';
import { choice, dayWords, periodWords, wordsOf } from '../any-value.ts';
import { ACT_CODE, backwards, LOINC, SNOMED } from '../codes.ts';
import { attributeOf, type CdaElement, type Child, el, setAttribute } from '../element.ts';
import { externalDocuments } from '../external-documents.ts';
import { notes } from '../notes-within.ts';
import { nested, specimenRole } from '../observation.ts';
import { authors, informant, performer, place, product } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { related, smallObservation, statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { udi } from '../udi.ts';
import {
  asTranslations,
  code,
  fixed,
  hasCode,
  ids,
  interval,
  nameOf,
  period,
  primitiveFlavor,
  time,
} from '../values.ts';
import type { Writer } from '../writer.ts';
import { reasons } from './medications.ts';

export const PROCEDURES: SectionKind = {
  template: ['.2.7.1', '2014-06-09'],
  code: '47519-4',
  display: 'History of Procedures Document',
  title: 'Procedures',
  none: 'There is no information about procedures.',
};

export function writeProcedures(writer: Writer, wanted: (resource: Procedure) => boolean): SectionBody {
  const body = emptyBody(['Procedure', 'When', 'Status', 'Site']);
  for (const procedure of writer.chart.all<Procedure>('Procedure')) {
    if (procedure.status === 'entered-in-error' || hasCode(procedure.code, 'no-procedure-info')) continue;
    if (!wanted(procedure) || writer.take(procedure)) continue;
    const row = writer.nextId('procedure');
    body.rows.push({
      id: row,
      cells: [
        nameOf(procedure.code) ?? 'not stated',
        whenWords(procedure),
        procedure.status,
        (procedure.bodySite ?? []).map(nameOf).join(', '),
      ],
    });
    body.entries.push(activity(writer, procedure, row));
  }
  return body;
}

function whenWords(procedure: Procedure): string {
  const { performedPeriod, performedDateTime } = procedure;
  if (performedPeriod !== undefined) return periodWords(performedPeriod.start, performedPeriod.end);
  if (performedDateTime !== undefined) return dayWords(performedDateTime);
  const other = choice(procedure, 'performed');
  return other === undefined ? '' : wordsOf(other);
}

function activity(writer: Writer, procedure: Procedure, row: string): CdaElement {
  const { performedPeriod, performedDateTime } = procedure;
  const denied = procedure.status === 'not-done' || hasCode(procedure.code, 'no-known-procedures');
  const element = statement(
    'procedure',
    { classCode: 'PROC', moodCode: 'EVN', negationInd: denied || undefined },
    template('procedure'),
    ids(procedure),
    hasCode(procedure.code, 'no-known-procedures')
      ? fixed('code', '71388002', SNOMED, 'Procedure', undefined, asTranslations(procedure.code))
      : code('code', procedure.code),
    textReference(row),
    statusCode(activityStatus(procedure.status)),
    toTheDay(
      performedPeriod === undefined
        ? time('effectiveTime', performedDateTime, primitiveFlavor(procedure, 'performedDateTime') ?? 'UNK')
        : period('effectiveTime', performedPeriod),
    ),
    (procedure.bodySite ?? []).map((site) => code('targetSiteCode', site)),
    procedure.outcome && related('COMP', outcome(procedure.outcome)),
    procedure.extension?.filter(({ url }) => url === METHOD).map((one) => code('methodCode', one.valueCodeableConcept)),
    specimens(writer, procedure),
    (procedure.performer ?? []).map((one) =>
      performer(writer, one.actor, procedure, {}, one.function ? [code('sdtc:functionCode', one.function)] : []),
    ),
    procedure.statusReason && related('RSON', reasonObservation(procedure.statusReason)),
    procedure.asserter && informant(writer, { who: procedure.asserter }, procedure),
    authors(writer, procedure, { who: procedure.recorder }),
    (procedure.focalDevice ?? []).map(({ manipulated }) => {
      const device = writer.chart.find<Device>(manipulated, procedure);
      if (device !== undefined) writer.take(device);
      const taken = device && udi(device);
      return [el('participant', { typeCode: 'DEV' }, product(writer, device, manipulated.display)), taken];
    }),
    place(writer.chart.find(procedure.location, procedure), procedure.location?.display),
    reasons(writer, procedure),
    notes(procedure.note, writer),
    externalDocuments(writer, procedure),
    nested(writer, procedure),
  );
  return putBack(element, procedure);
}

/** The template wants the day. A time of which the day is not known keeps what is, as a bound that is not exact. */
function toTheDay(when: CdaElement): CdaElement {
  const value = attributeOf(when, 'value');
  if (value !== undefined && value.length < 8) return el(when.name, {}, el('low', { value, nullFlavor: 'UNK' }));
  for (const bound of when.children) {
    if (typeof bound === 'string') continue;
    if ((attributeOf(bound, 'value')?.length ?? 8) < 8) setAttribute(bound, 'nullFlavor', 'UNK');
  }
  return when;
}

const METHOD = 'http://hl7.org/fhir/StructureDefinition/procedure-method';
const COLLECTED_BY = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Specimen.collection.procedure';

/** Specimens that say that this procedure took them. */
function specimens(writer: Writer, procedure: Procedure): Child {
  return writer.chart
    .all<Specimen>('Specimen')
    .filter(({ collection }) =>
      collection?.extension?.some(
        ({ url, valueReference }) => url === COLLECTED_BY && valueReference?.reference === `Procedure/${procedure.id}`,
      ),
    )
    .map((one) => specimenRole(one));
}

/** Why something was not done (template Reason). */
function reasonObservation(reason: NonNullable<Procedure['statusReason']>): CdaElement {
  return smallObservation(
    'reason',
    el('id', { nullFlavor: 'NI' }),
    fixed('code', '77301-0', LOINC, 'Reason care action performed or not'),
    interval('effectiveTime', {}),
    code('value', reason, { type: 'CD' }),
  );
}

/** CDA's procedures have no value: what came of one is an observation beneath it. */
function outcome(concept: NonNullable<Procedure['outcome']>): CdaElement {
  return statement(
    'observation',
    { classCode: 'OBS', moodCode: 'EVN' },
    el('id', { nullFlavor: 'NI' }),
    fixed('code', 'ASSERTION', ACT_CODE),
    statusCode('completed'),
    code('value', concept, { type: 'CD' }),
  );
}

/** C-CDA knows four states of a procedure; one of unknown state counts as done, unless it has yet to be. */
function activityStatus(status: Procedure['status']): string {
  if (status === 'not-done' || status === 'entered-in-error') return 'cancelled';
  if (status === 'preparation' || status === 'in-progress' || status === 'on-hold') return 'active';
  return status === 'stopped' ? 'aborted' : (backwards('procedureStatus', status) ?? 'completed');
}
