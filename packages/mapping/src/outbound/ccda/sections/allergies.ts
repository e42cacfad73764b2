/** Allergies: an Allergy Concern Act for each AllergyIntolerance, with its reactions, status and criticality. */
import type { AllergyIntolerance, AllergyIntoleranceReaction } from '@medplum/fhirtypes';
import { dayWords } from '../any-value.ts';
import { ACT_CLASS, ACT_CODE, backwards, clinicalStatusCode, LOINC, SEVERITIES, SNOMED } from '../codes.ts';
import { type CdaElement, el } from '../element.ts';
import { externalDocuments } from '../external-documents.ts';
import { notes } from '../notes-within.ts';
import { nested } from '../observation.ts';
import { authors, informant } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { related, smallObservation, statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { asTranslations, code, fixed, ids, interval, nameOf, ownId } from '../values.ts';
import type { Writer } from '../writer.ts';

export const ALLERGIES: SectionKind = {
  template: ['.2.6.1', '2015-08-01'],
  code: '48765-2',
  display: 'Allergies and adverse reactions Document',
  title: 'Allergies and Intolerances',
  none: 'There is no information about allergies.',
};

/** Codes that say that there is nothing known, with the kind of allergy they deny. */
const NONE: Readonly<Record<string, string>> = {
  '716186003': '420134006',
  '160244002': '420134006',
  '409137002': '416098002',
  '429625007': '414285001',
  '428607008': '426232007',
  '1003774007': '426232007',
  'no-known-allergies': '420134006',
  'no-known-medication-allergies': '416098002',
  'no-known-food-allergies': '414285001',
  'no-known-environmental-allergies': '426232007',
};
/** An allergy of which the kind of substance is not told; older value sets have 419199007 for it. */
const ALLERGIC = '609328004';
const NO_INFORMATION = 'no-allergy-info';
const PREFERRED = [
  'http://www.nlm.nih.gov/research/umls/rxnorm',
  'http://fdasis.nlm.nih.gov',
  'http://snomed.info/sct',
];

export function writeAllergies(writer: Writer): SectionBody {
  const body = emptyBody(['Substance', 'Kind', 'Reaction', 'Severity', 'Since', 'Status']);
  for (const allergy of writer.chart.all<AllergyIntolerance>('AllergyIntolerance')) {
    if (verificationOf(allergy) === 'entered-in-error' || saysNothing(allergy)) continue;
    if (writer.take(allergy)) continue;
    const row = writer.nextId('allergy');
    body.rows.push({ id: row, cells: cellsOf(allergy) });
    body.entries.push(concern(writer, allergy, row));
  }
  return body;
}

/** "No information about allergies" is what an empty section says. */
function saysNothing({ code: concept, reaction }: AllergyIntolerance): boolean {
  return concept?.coding?.[0]?.code === NO_INFORMATION && concept.text === undefined && reaction === undefined;
}

function concern(writer: Writer, allergy: AllergyIntolerance, row: string): CdaElement {
  const clinical = clinicalOf(allergy);
  const active = clinical === undefined || clinical === 'active';
  const since = allergy.recordedDate ?? onsetOf(allergy);
  return statement(
    'act',
    { classCode: 'ACT', moodCode: 'EVN' },
    template('allergyConcern'),
    ownId(allergy),
    fixed('code', 'CONC', ACT_CLASS),
    statusCode(active ? 'active' : 'completed'),
    active
      ? interval('effectiveTime', { low: since })
      : interval('effectiveTime', { low: since, high: undefined, highFlavor: 'UNK' }),
    authors(writer, allergy, { who: allergy.recorder, time: allergy.recordedDate }),
    related('SUBJ', observation(writer, allergy, row)),
  );
}

function observation(writer: Writer, allergy: AllergyIntolerance, row: string): CdaElement {
  const stated = allergy.code?.coding?.find(({ code: one }) => one !== undefined && Object.hasOwn(NONE, one))?.code;
  const silent = allergy.code?.coding?.[0]?.code === NO_INFORMATION;
  const denied = stated !== undefined || verificationOf(allergy) === 'refuted';
  const kind = stated === undefined ? kindOf(allergy) : NONE[stated]!;
  const status = clinicalStatusCode(clinicalOf(allergy));
  const element = statement(
    'observation',
    { classCode: 'OBS', moodCode: 'EVN', negationInd: denied || undefined, nullFlavor: silent ? 'NI' : undefined },
    template('allergyObservation'),
    template('substanceAllergyObservation'),
    ids(allergy),
    fixed('code', 'ASSERTION', ACT_CODE),
    textReference(row),
    statusCode('completed'),
    interval('effectiveTime', { low: onsetOf(allergy) }),
    fixed(
      'value',
      kind,
      SNOMED,
      undefined,
      'CD',
      stated !== undefined && asTranslations(allergy.code),
      kind === ALLERGIC && fixed('translation', '419199007', SNOMED, 'Allergy to substance'),
    ),
    allergy.asserter && informant(writer, { who: allergy.asserter }, allergy),
    authors(writer, allergy, { who: allergy.recorder, time: allergy.recordedDate }),
    el(
      'participant',
      { typeCode: 'CSM' },
      el(
        'participantRole',
        { classCode: 'MANU' },
        el(
          'playingEntity',
          { classCode: 'MMAT' },
          stated === undefined
            ? code('code', silent ? { text: allergy.code?.text } : allergy.code, { prefer: PREFERRED, none: 'UNK' })
            : el('code', { nullFlavor: 'NA' }),
        ),
      ),
    ),
    status !== undefined &&
      related(
        'SUBJ',
        smallObservation(
          'allergyStatus',
          fixed('code', '33999-4', LOINC, 'Status'),
          fixed('value', status[0], SNOMED, status[1], 'CD'),
        ),
        true,
      ),
    (allergy.reaction ?? []).flatMap((reaction) => reactions(reaction).map((one) => related('MFST', one, true))),
    allergy.criticality && related('SUBJ', criticality(allergy.criticality), true),
    notes(allergy.note, writer),
    externalDocuments(writer, allergy),
    nested(writer, allergy),
  );
  return putBack(element, allergy);
}

/** A Reaction Observation for each manifestation, the first with what else is known of the reaction. */
function reactions(reaction: AllergyIntoleranceReaction): CdaElement[] {
  const severity = reaction.severity && SEVERITIES[reaction.severity];
  return reaction.manifestation.map((manifestation) =>
    smallObservation(
      'reaction',
      el('id', { nullFlavor: 'NI' }),
      fixed('code', 'ASSERTION', ACT_CODE),
      reaction.description !== undefined && el('text', {}, reaction.description),
      reaction.onset !== undefined && interval('effectiveTime', { low: reaction.onset }),
      code('value', manifestation, { type: 'CD' }),
      severity !== undefined &&
        related(
          'SUBJ',
          smallObservation(
            'severity',
            fixed('code', 'SEV', ACT_CODE),
            fixed('value', severity[0], SNOMED, severity[1], 'CD'),
          ),
          true,
        ),
    ),
  );
}

function criticality(value: NonNullable<AllergyIntolerance['criticality']>): CdaElement {
  return smallObservation(
    'criticality',
    fixed('code', '82606-5', LOINC, 'Allergy or intolerance criticality'),
    fixed('value', backwards('criticality', value)!, '2.16.840.1.113883.5.1063', undefined, 'CD'),
  );
}

/** SNOMED CT's kind of propensity for type and category. */
function kindOf({ type, category = [] }: AllergyIntolerance): string {
  const [first] = category;
  if (type === 'intolerance') return first === 'food' ? '235719002' : first === 'medication' ? '59037007' : '420134006';
  if (type === 'allergy') return first === 'food' ? '414285001' : first === 'medication' ? '416098002' : ALLERGIC;
  if (first === 'food') return '418471000';
  if (first === 'medication') return '419511003';
  return first === 'environment' ? '426232007' : '420134006';
}

function clinicalOf({ clinicalStatus }: AllergyIntolerance): string | undefined {
  return clinicalStatus?.coding?.[0]?.code;
}

function verificationOf({ verificationStatus }: AllergyIntolerance): string | undefined {
  return verificationStatus?.coding?.[0]?.code;
}

function onsetOf({ onsetDateTime, onsetPeriod }: AllergyIntolerance): string | undefined {
  return onsetDateTime ?? onsetPeriod?.start;
}

function cellsOf(allergy: AllergyIntolerance): string[] {
  const verification = verificationOf(allergy) ?? 'confirmed';
  const doubt = verification === 'confirmed' ? '' : ` (${verification})`;
  const manifestations = (allergy.reaction ?? []).flatMap(({ manifestation }) => manifestation.map(nameOf));
  return [
    `${nameOf(allergy.code) ?? 'not stated'}${doubt}`,
    [allergy.type, ...(allergy.category ?? [])].filter((one) => one !== undefined).join(', '),
    manifestations.filter((one) => one !== undefined).join(', '),
    allergy.reaction?.find(({ severity }) => severity !== undefined)?.severity ?? '',
    dayWords(onsetOf(allergy)),
    clinicalOf(allergy) ?? '',
  ];
}
