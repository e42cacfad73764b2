/** Dosage as the times, quantities, route and instructions of a substance administration. */
import type { CodeableConcept, Dosage, Period, Timing } from '@medplum/fhirtypes';

import { ACT_CODE, backwards, LOINC, SNOMED } from './codes.ts';
import { type CdaElement, type Child, el } from './element.ts';
import { related, statement, statusCode } from './statement.ts';
import { template } from './templates.ts';
import { code, fixed, interval, primitiveFlavor, quantity, range, ratio, time } from './values.ts';
import type { Writer } from './writer.ts';

const TIMED = { 'xsi:type': 'IVL_TS' };

/**
 * `effectiveTime`s: first when it is taken from and until, then how often.
 * @param during when the medicine is taken, where the resource says so beside the dosage
 */
export function effectiveTimes(
  dosages: readonly Dosage[],
  during?: { period?: Period; moment?: string },
): CdaElement[] {
  const timing = dosages.find(({ timing: one }) => one !== undefined)?.timing;
  return [bounds(timing, during), ...(timing === undefined ? [] : repetitions(timing))];
}

function bounds(timing: Timing | undefined, during: { period?: Period; moment?: string } | undefined): CdaElement {
  const own = timing?.repeat?.boundsPeriod;
  const stated = during?.period ?? own;
  if (stated !== undefined) {
    const { start, end } = stated;
    return interval(
      'effectiveTime',
      {
        low: start,
        lowFlavor: primitiveFlavor(stated, 'start'),
        high: end,
        highFlavor: primitiveFlavor(stated, 'end'),
      },
      TIMED,
    );
  }
  const moment = during?.moment ?? timing?.event?.[0];
  if (moment !== undefined) return el('effectiveTime', { ...TIMED, ...momentAttributes(moment) });
  return interval('effectiveTime', {}, TIMED);
}

function momentAttributes(moment: string): Record<string, string | undefined> {
  return Object.fromEntries(time('effectiveTime', moment).attributes);
}

function repetitions({ repeat }: Timing): CdaElement[] {
  const made: CdaElement[] = [];
  if (repeat?.period !== undefined && repeat.periodUnit !== undefined) {
    const every = repeat.period / (repeat.frequency ?? 1);
    const unit = repeat.periodUnit;
    const most = repeat.periodMax;
    made.push(
      el(
        'effectiveTime',
        {
          'xsi:type': 'PIVL_TS',
          institutionSpecified: (repeat.frequency ?? 1) > 1 ? 'true' : undefined,
          operator: 'A',
        },
        most === undefined
          ? el('period', { value: String(every), unit })
          : el(
              'period',
              { 'xsi:type': 'IVL_PQ' },
              el('low', { value: String(every), unit }),
              el('high', { value: String(most), unit }),
            ),
      ),
    );
  }
  for (const when of repeat?.when ?? []) {
    const event = backwards('eventTiming', when);
    if (event === undefined) continue;
    made.push(el('effectiveTime', { 'xsi:type': 'EIVL_TS', operator: 'A' }, el('event', { code: event })));
  }
  return made;
}

/** Route, site, dose, rate and limits of the first dosage. */
export function amounts(dosage: Dosage | undefined): Child {
  if (dosage === undefined) return [el('doseQuantity', { nullFlavor: 'UNK' })];
  const [amount] = dosage.doseAndRate ?? [];
  const limit = dosage.maxDosePerPeriod;
  return [
    dosage.route && route(dosage.route),
    dosage.site && code('approachSiteCode', dosage.site),
    amount?.doseQuantity
      ? quantity('doseQuantity', amount.doseQuantity)
      : amount?.doseRange
        ? range('doseQuantity', amount.doseRange)
        : el('doseQuantity', { nullFlavor: 'UNK' }),
    amount?.rateQuantity && quantity('rateQuantity', amount.rateQuantity),
    amount?.rateRange && range('rateQuantity', amount.rateRange),
    limit && ratio('maxDoseQuantity', limit),
  ];
}

const NCI = 'http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl';

/** The route; C-CDA's codes are those of the NCI Thesaurus. */
export function route(concept: CodeableConcept): CdaElement {
  return code('routeCode', concept, { prefer: [NCI], allowed: ({ system }) => system === NCI });
}

/** When needed, what the patient is told, and the dosage in words. */
export function instructions(dosages: readonly Dosage[], writer: Writer, moodCode: string): Child {
  return [related('SUBJ', instruction(dosages), true), dosages.map((dosage) => inWords(dosage, writer, moodCode))];
}

/** One Instruction, which is all that C-CDA has room for: codes first, then what the patient is told. */
function instruction(dosages: readonly Dosage[]): CdaElement | undefined {
  // CDA has no method of an administration: it is told among the instructions.
  const concepts = dosages.flatMap(({ additionalInstruction = [], method }) =>
    method === undefined ? additionalInstruction : [...additionalInstruction, method],
  );
  const told = dosages.map(({ patientInstruction }) => patientInstruction).filter((words) => words !== undefined);
  if (concepts.length === 0 && told.length === 0) return undefined;
  const words = [...concepts.map(({ text }) => text).filter((text) => text !== undefined), ...told];
  const coding = concepts.flatMap((concept) => concept.coding ?? []);
  return statement(
    'act',
    { classCode: 'ACT', moodCode: 'INT' },
    template('instruction'),
    coding.length === 0 ? fixed('code', '409073007', SNOMED, 'Education') : code('code', { coding }),
    words.length > 0 && el('text', {}, words.join('; ')),
    statusCode('completed'),
  );
}

function inWords(dosage: Dosage, writer: Writer, moodCode: string): Child {
  return [
    (dosage.asNeededCodeableConcept ?? dosage.asNeededBoolean) !== undefined &&
      dosage.asNeededBoolean !== false &&
      el(
        'precondition',
        { typeCode: 'PRCN' },
        el(
          'criterion',
          {},
          template('precondition'),
          fixed('code', 'ASSERTION', ACT_CODE),
          code('value', dosage.asNeededCodeableConcept, { type: 'CD', none: 'UNK' }),
        ),
      ),
    dosage.text !== undefined && related('COMP', freeTextSig(dosage.text, writer, moodCode)),
  ];
}

function freeTextSig(words: string, writer: Writer, moodCode: string): CdaElement {
  return statement(
    'substanceAdministration',
    { classCode: 'SBADM', moodCode },
    template('freeTextSig'),
    fixed('code', '76662-6', LOINC, 'Instructions Medication'),
    el('text', {}, words, el('reference', { value: `#${writer.footnote(words)}` })),
    el('consumable', {}, el('manufacturedProduct', {}, el('manufacturedLabeledDrug', { nullFlavor: 'NA' }))),
  );
}

/** How it is taken, in a few words. */
export function dosageWords(dosages: readonly Dosage[]): string {
  return dosages
    .map(({ text, doseAndRate, route, timing }) => {
      if (text !== undefined) return text;
      const dose = doseAndRate?.[0]?.doseQuantity;
      const repeat = timing?.repeat;
      const every =
        repeat?.period === undefined
          ? undefined
          : `${repeat.frequency ?? 1} × every ${repeat.period} ${repeat.periodUnit ?? ''}`;
      const amount = dose && `${dose.value ?? ''} ${dose.unit ?? ''}`.trim();
      return [amount, route?.text ?? route?.coding?.[0]?.display, every]
        .filter((part) => part !== undefined)
        .join(', ');
    })
    .join('; ');
}
