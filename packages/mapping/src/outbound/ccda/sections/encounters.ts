/** Encounters that took place, with their diagnoses. */
import type { Condition, Encounter } from '@medplum/fhirtypes';
import { periodWords } from '../any-value.ts';
import { backwards, LOINC } from '../codes.ts';
import { attributeOf, type CdaElement } from '../element.ts';
import { nested } from '../observation.ts';
import { authors, performer, place } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { related, statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { asTranslations, code, fixed, ids, nameOf, period } from '../values.ts';
import type { Writer } from '../writer.ts';
import { reasons } from './medications.ts';
import { isStated, problemObservation } from './problems.ts';

export const ENCOUNTERS: SectionKind = {
  template: ['.2.22.1', '2015-08-01'],
  code: '46240-8',
  display: 'History of encounters',
  title: 'Encounters',
  none: 'There is no information about encounters.',
};

export function writeEncounters(writer: Writer): SectionBody {
  const body = emptyBody(['Encounter', 'When', 'Status', 'Where', 'Diagnoses']);
  for (const encounter of writer.chart.all<Encounter>('Encounter')) {
    if (encounter.status === 'entered-in-error' || isPlannedEncounter(encounter) || writer.take(encounter)) continue;
    const row = writer.nextId('encounter');
    const diagnoses = diagnosesOf(writer, encounter);
    body.rows.push({
      id: row,
      cells: [
        kindOf(encounter) ?? 'not stated',
        periodWords(encounter.period?.start, encounter.period?.end),
        encounter.status,
        placesOf(writer, encounter)
          .map(({ name }) => name)
          .join(', '),
        diagnoses.map(({ code: concept }) => nameOf(concept)).join(', '),
      ],
    });
    body.entries.push(activity(writer, encounter, diagnoses, row));
  }
  return body;
}

export function isPlannedEncounter({ status }: Encounter): boolean {
  return status === 'planned';
}

function kindOf({ type, class: kind }: Encounter): string | undefined {
  return nameOf(type?.[0]) ?? kind?.display ?? kind?.code;
}

function placesOf(writer: Writer, encounter: Encounter) {
  return (encounter.location ?? []).map(({ location }) => {
    const found = writer.chart.find(location, encounter);
    const named = found?.resourceType === 'Location' ? found : undefined;
    return { name: named?.name ?? location.display ?? '', location: named };
  });
}

export function diagnosesOf(writer: Writer, encounter: Encounter): Condition[] {
  return (encounter.diagnosis ?? [])
    .map(({ condition }) => writer.chart.find(condition, encounter))
    .filter((one): one is Condition => one?.resourceType === 'Condition' && isStated(one));
}

function activity(writer: Writer, encounter: Encounter, diagnoses: readonly Condition[], row: string): CdaElement {
  const [first, ...others] = encounter.type ?? [];
  const { class: kind } = encounter;
  const act = kind?.code === undefined ? [] : asTranslations({ coding: [kind] });
  const coded = code('code', first ?? (kind?.code === undefined ? undefined : { coding: [kind] }));
  if (first !== undefined)
    coded.children.push(...others.flatMap(asTranslations), ...act.filter((one) => !says(coded, one)));
  nestTranslations(coded);
  const status = backwards('encounterStatus', encounter.status === 'triaged' ? 'in-progress' : encounter.status);
  const element = statement(
    'encounter',
    { classCode: 'ENC', moodCode: 'EVN' },
    template('encounter'),
    ids(encounter),
    coded,
    textReference(row),
    status === undefined ? undefined : statusCode(status),
    period('effectiveTime', encounter.period),
    encounter.hospitalization?.dischargeDisposition &&
      code('sdtc:dischargeDispositionCode', encounter.hospitalization.dischargeDisposition),
    encounter.priority && code('priorityCode', encounter.priority),
    (encounter.participant ?? []).map(({ individual, type }) =>
      performer(writer, individual, encounter, {}, type?.[0] ? [code('sdtc:functionCode', type[0])] : []),
    ),
    authors(writer, encounter),
    placesOf(writer, encounter).map(({ location, name }) => place(location, name)),
    reasons(writer, encounter),
    diagnoses.map((condition) => related('COMP', encounterDiagnosis(writer, condition))),
    nested(writer, encounter),
  );
  return putBack(element, encounter);
}

/** The template has room for one translation: the others stand within it. */
function nestTranslations(coded: CdaElement): void {
  const [first, ...others] = coded.children.filter(
    (child) => typeof child !== 'string' && child.name === 'translation',
  );
  if (first === undefined || typeof first === 'string') return;
  first.children.push(...others);
  coded.children = coded.children.filter((child) => !others.includes(child));
}

/** Whether a code, or one of its translations, is the same as a translation. */
function says(coded: CdaElement, translation: CdaElement): boolean {
  const same = ['code', 'codeSystem'].every((name) => attributeOf(coded, name) === attributeOf(translation, name));
  return same || coded.children.some((child) => typeof child !== 'string' && says(child, translation));
}

/** Encounter Diagnosis; a problem of the problem list is told of again, under the same id. */
function encounterDiagnosis(writer: Writer, condition: Condition): CdaElement {
  return statement(
    'act',
    { classCode: 'ACT', moodCode: 'EVN' },
    template('encounterDiagnosis'),
    fixed('code', '29308-4', LOINC, 'Diagnosis'),
    statusCode('completed'),
    related('SUBJ', problemObservation(writer, condition)),
  );
}
