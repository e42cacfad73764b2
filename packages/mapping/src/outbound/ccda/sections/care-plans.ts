/** Care plans in force: their words, and activities that no other resource stands for, as planned procedures. */
import type { CarePlan, CarePlanActivityDetail, CodeableConcept } from '@medplum/fhirtypes';
import { choice, dayWords, periodWords, wordsOf } from '../any-value.ts';
import { type CdaElement, type Child, el } from '../element.ts';
import { narrativeOf } from '../narrative.ts';
import { authors } from '../participants.ts';
import { putBack } from '../put-back.ts';
import type { SectionBody } from '../section.ts';
import { related, statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { code, ids, nameOf, period, time } from '../values.ts';
import type { Writer } from '../writer.ts';

const IN_FORCE = new Set<CarePlan['status']>(['active', 'draft', 'on-hold', 'unknown']);
const OVER = new Set<CarePlanActivityDetail['status']>(['completed', 'cancelled', 'stopped', 'entered-in-error']);
/** Systems whose categories only say that it is a care plan. */
const GENERAL = /careplan-category$/;

/** Adds the plans to the section: a row and an entry for each that says what is planned. */
export function addCarePlans(writer: Writer, body: SectionBody): void {
  for (const plan of writer.chart.all<CarePlan>('CarePlan')) {
    if (!IN_FORCE.has(plan.status) || writer.take(plan)) continue;
    const kind = kindOf(plan);
    const details = (plan.activity ?? []).map(({ detail }) => detail).filter((one) => one !== undefined);
    const words = plan.text?.status === 'additional' ? narrativeOf(plan.text.div) : [];
    if (words.length > 0) body.words = [...(body.words ?? []), heading(plan), words];
    const open = details.filter(({ status }) => !OVER.has(status));
    if (kind === undefined && open.length === 0) continue;
    const row = writer.nextId('plan');
    const name = plan.title ?? nameOf(kind) ?? 'Care plan';
    const during = periodWords(plan.period?.start, plan.period?.end) || dayWords(plan.created);
    body.rows.push({ id: row, cells: [name, during, plan.status] });
    const activities = open.map((detail) => {
      const place = writer.nextId('plan');
      const when = choice(detail, 'scheduled');
      body.rows.push({
        id: place,
        cells: [nameOf(detail.code) ?? detail.description ?? 'not stated', when && wordsOf(when), detail.status],
      });
      return related('COMP', activity(detail, place));
    });
    const own = [
      ids(plan),
      period('effectiveTime', plan.period),
      authors(writer, plan, { who: plan.author, time: plan.created }),
    ];
    body.entries.push(putBack(planned(kind ?? { text: name }, row, false, own, activities), plan));
  }
}

/** What kind of plan it is, where a category says more than that it is one. */
function kindOf({ category = [] }: CarePlan): CodeableConcept | undefined {
  const coding = category.flatMap((one) => one.coding ?? []).filter(({ system }) => !GENERAL.test(system ?? ''));
  return coding.length === 0 ? undefined : { coding };
}

function heading({ title = 'Care plan', created }: CarePlan): CdaElement {
  const words = [title, dayWords(created)].filter((part) => part !== '').join(', ');
  return el('paragraph', {}, el('content', { styleCode: 'Bold' }, words));
}

function activity(detail: CarePlanActivityDetail, row: string): CdaElement {
  const { scheduledPeriod } = detail;
  const during =
    scheduledPeriod === undefined ? time('effectiveTime', undefined) : period('effectiveTime', scheduledPeriod);
  const concept = detail.code ?? (detail.description === undefined ? undefined : { text: detail.description });
  return planned(concept, row, detail.doNotPerform === true, [el('id', { nullFlavor: 'NI' }), during]);
}

function planned(concept: CodeableConcept | undefined, row: string, denied: boolean, ...more: Child[]): CdaElement {
  return statement(
    'procedure',
    { classCode: 'PROC', moodCode: 'INT', negationInd: denied || undefined },
    template('plannedProcedure'),
    code('code', concept),
    textReference(row),
    statusCode('active'),
    ...more,
  );
}
