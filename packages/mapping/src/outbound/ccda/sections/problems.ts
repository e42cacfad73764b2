/** Problems: a Problem Concern Act for each Condition; the observation within also stands for diagnoses elsewhere. */
import type { Condition } from '@medplum/fhirtypes';
import { dayWords } from '../any-value.ts';
import { ACT_CLASS, clinicalStatusCode, LOINC, SNOMED } from '../codes.ts';
import { type CdaElement, el } from '../element.ts';
import { externalDocuments } from '../external-documents.ts';
import { notes } from '../notes-within.ts';
import { nested } from '../observation.ts';
import { authors, informant } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { related, smallObservation, statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import {
  absentFlavor,
  asTranslations,
  code,
  fixed,
  hasCode,
  ids,
  interval,
  nameOf,
  ownId,
  quantity,
} from '../values.ts';
import type { Writer } from '../writer.ts';

export const PROBLEMS: SectionKind = {
  template: ['.2.5.1', '2015-08-01'],
  code: '11450-4',
  display: 'Problem list - Reported',
  title: 'Problems',
  none: 'There is no information about problems.',
};

export const PROBLEM_COLUMNS = ['Problem', 'Since', 'Until', 'Status', 'Severity'];

const CATEGORY_SYSTEM = 'http://terminology.hl7.org/CodeSystem/condition-category';
/** Codes that say that there is no problem: they are told as such, not as a problem. */
const NONE = ['160245001', '396782006', 'no-known-problems'];

/** Problems that are not told elsewhere: as diagnoses of encounters or as health concerns. */
export function writeProblems(writer: Writer): SectionBody {
  const body = emptyBody(PROBLEM_COLUMNS);
  for (const condition of problemsOf(writer)) {
    if (writer.take(condition)) continue;
    const row = writer.nextId('problem');
    body.rows.push({ id: row, cells: problemCells(condition) });
    body.entries.push(concern(writer, condition, row));
  }
  return body;
}

export function problemsOf(writer: Writer): Condition[] {
  return writer.chart
    .all<Condition>('Condition')
    .filter((condition) => isStated(condition) && !hasCategory(condition, 'health-concern'));
}

/** Whether a condition says something, and is not an error. */
export function isStated(condition: Condition): boolean {
  const verification = condition.verificationStatus?.coding?.[0]?.code;
  const silent = hasCode(condition.code, 'no-problem-info') && condition.code?.text === undefined;
  return verification !== 'entered-in-error' && !silent;
}

export function hasCategory(condition: Condition, category: string): boolean {
  return condition.category?.some((one) => hasCode(one, category)) ?? false;
}

function concern(writer: Writer, condition: Condition, row: string): CdaElement {
  const active = isActive(condition);
  const since = condition.recordedDate ?? onsetOf(condition);
  return statement(
    'act',
    { classCode: 'ACT', moodCode: 'EVN' },
    template('problemConcern'),
    ownId(condition),
    fixed('code', 'CONC', ACT_CLASS),
    statusCode(active ? 'active' : 'completed'),
    active
      ? interval('effectiveTime', { low: since })
      : interval('effectiveTime', { low: since, high: endOf(condition), highFlavor: 'UNK' }),
    related('SUBJ', problemObservation(writer, condition, row)),
  );
}

/** Problem Observation. */
export function problemObservation(writer: Writer, condition: Condition, row?: string): CdaElement {
  writer.take(condition);
  const { severity, bodySite = [], onsetAge } = condition;
  const none = hasCode(condition.code, ...NONE);
  const refuted = condition.verificationStatus?.coding?.[0]?.code === 'refuted';
  const status = clinicalStatusCode(condition.clinicalStatus?.coding?.[0]?.code);
  const end = endOf(condition);
  const element = statement(
    'observation',
    { classCode: 'OBS', moodCode: 'EVN', negationInd: none || refuted || undefined },
    template('problemObservation'),
    ids(condition),
    categoryCode(condition),
    textReference(row),
    statusCode('completed'),
    interval('effectiveTime', {
      low: onsetOf(condition),
      high: end,
      highFlavor: end === undefined && !isActive(condition) ? 'UNK' : undefined,
    }),
    none
      ? fixed('value', '55607006', SNOMED, 'Problem', 'CD', asTranslations(condition.code))
      : code('value', condition.code, {
          type: 'CD',
          prefer: ['http://snomed.info/sct', 'http://hl7.org/fhir/sid/icd-10-cm'],
        }),
    bodySite.map((site) => code('targetSiteCode', site)),
    condition.asserter && informant(writer, { who: condition.asserter }, condition),
    authors(writer, condition, { who: condition.recorder, time: condition.recordedDate }),
    onsetAge &&
      related(
        'SUBJ',
        smallObservation('age', fixed('code', '445518008', SNOMED, 'Age at onset'), quantity('value', onsetAge, 'PQ')),
        true,
      ),
    severity && related('SUBJ', severityObservation(severity), true),
    status !== undefined &&
      related(
        'REFR',
        smallObservation(
          'problemStatus',
          fixed('code', '33999-4', LOINC, 'Status'),
          fixed('value', status[0], SNOMED, status[1], 'CD'),
        ),
      ),
    notes(condition.note, writer),
    externalDocuments(writer, condition),
    nested(writer, condition),
  );
  return putBack(element, condition);
}

function severityObservation(severity: Condition['severity']): CdaElement {
  return smallObservation(
    'severity',
    fixed('code', 'SEV', '2.16.840.1.113883.5.4', 'Severity Observation'),
    code('value', severity, { type: 'CD' }),
  );
}

/** What kind of problem: a category that is a code of its own, else the general one. */
function categoryCode({ category = [] }: Condition): CdaElement {
  const own = category.flatMap(({ coding = [] }) => coding.filter(({ system }) => system !== CATEGORY_SYSTEM));
  const text = category.find((one) => one.coding === undefined)?.text;
  if (own.length === 0 && text === undefined) {
    const flavor = category.map(absentFlavor).find((one) => one !== undefined);
    if (flavor !== undefined) return el('code', { nullFlavor: flavor });
    return fixed('code', '55607006', SNOMED, 'Problem', undefined, fixed('translation', '75326-9', LOINC, 'Problem'));
  }
  return code('code', { coding: own, text });
}

export function isActive({ clinicalStatus }: Condition): boolean {
  return ['active', 'recurrence', 'relapse'].includes(clinicalStatus?.coding?.[0]?.code ?? 'active');
}

export function onsetOf({ onsetDateTime, onsetPeriod }: Condition): string | undefined {
  return onsetDateTime ?? onsetPeriod?.start;
}

function endOf({ abatementDateTime, abatementPeriod, extension }: Condition): string | undefined {
  const stated = extension?.find(({ url }) => url === 'urn:causeway:extension:stated-abatement')?.valueDateTime;
  return abatementDateTime ?? abatementPeriod?.end ?? abatementPeriod?.start ?? stated;
}

export function problemCells(condition: Condition): string[] {
  const verification = condition.verificationStatus?.coding?.[0]?.code ?? 'confirmed';
  const doubt = verification === 'confirmed' ? '' : ` (${verification})`;
  return [
    `${nameOf(condition.code) ?? 'not stated'}${doubt}`,
    dayWords(onsetOf(condition)),
    dayWords(endOf(condition)),
    condition.clinicalStatus?.coding?.[0]?.code ?? '',
    nameOf(condition.severity) ?? '',
  ];
}
