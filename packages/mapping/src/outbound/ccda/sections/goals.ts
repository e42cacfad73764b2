/** Goals and health concerns. */
import type { Condition, Goal } from '@medplum/fhirtypes';
import { anyValue, choice, dayWords } from '../any-value.ts';
import { ACT_CODE, backwards, LOINC, SNOMED } from '../codes.ts';
import { type CdaElement, el } from '../element.ts';
import { externalDocuments } from '../external-documents.ts';
import { notes } from '../notes-within.ts';
import { nested } from '../observation.ts';
import { authors } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { related, smallObservation, statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { asTranslations, code, fixed, ids, interval, nameOf, ownId, time, ts } from '../values.ts';
import type { Writer } from '../writer.ts';
import { hasCategory, isActive, isStated, PROBLEM_COLUMNS, problemCells, problemObservation } from './problems.ts';

export const GOALS: SectionKind = {
  template: ['.2.60'],
  code: '61146-7',
  display: 'Goals Narrative',
  title: 'Goals',
  none: 'There is no information about goals.',
};

export const HEALTH_CONCERNS: SectionKind = {
  template: ['.2.58', '2015-08-01'],
  code: '75310-3',
  display: 'Health concerns Document',
  title: 'Health Concerns',
  none: 'There is no information about health concerns.',
};

export function writeGoals(writer: Writer): SectionBody {
  const body = emptyBody(['Goal', 'Since', 'Due', 'Status']);
  for (const goal of writer.chart.all<Goal>('Goal')) {
    if (goal.lifecycleStatus === 'entered-in-error' || writer.take(goal)) continue;
    const row = writer.nextId('goal');
    const due = goal.target?.[0]?.dueDate;
    body.rows.push({
      id: row,
      cells: [nameOf(goal.description) ?? 'not stated', dayWords(goal.startDate), dayWords(due), goal.lifecycleStatus],
    });
    body.entries.push(observation(writer, goal, row));
  }
  return body;
}

function observation(writer: Writer, goal: Goal, row: string): CdaElement {
  const [target] = goal.target ?? [];
  const detail = target && choice(target, 'detail');
  const due = target?.dueDate;
  const element = statement(
    'observation',
    { classCode: 'OBS', moodCode: 'GOL', negationInd: goal.lifecycleStatus === 'rejected' || undefined },
    template('goal'),
    ids(goal),
    code('code', goal.description),
    textReference(row),
    statusCode(statusOf(goal)),
    (goal.startDate ?? due) !== undefined &&
      el(
        'effectiveTime',
        {},
        el('low', goal.startDate === undefined ? { nullFlavor: 'UNK' } : { value: ts(goal.startDate) }),
        due !== undefined && el('high', { value: ts(due) }),
      ),
    detail && anyValue(detail),
    authors(writer, goal, { who: goal.expressedBy, time: goal.statusDate ?? goal.startDate }),
    goal.priority && related('REFR', priority(goal.priority)),
    goal.achievementStatus && related('REFR', progress(goal, goal.achievementStatus)),
    notes(goal.note, writer),
    externalDocuments(writer, goal),
    nested(writer, goal),
  );
  return putBack(element, goal);
}

function statusOf({ lifecycleStatus }: Goal): string {
  if (lifecycleStatus === 'completed') return 'completed';
  if (lifecycleStatus === 'cancelled' || lifecycleStatus === 'rejected') return 'cancelled';
  if (lifecycleStatus === 'on-hold') return 'suspended';
  return backwards('goalStatus', lifecycleStatus) ?? 'active';
}

/** Value set Priority Level. */
const PRIORITIES = new Set(['394848005', '394849002', '441808003']);

function priority(concept: NonNullable<Goal['priority']>): CdaElement {
  return statement(
    'observation',
    { classCode: 'OBS', moodCode: 'EVN' },
    template('priority'),
    el('id', { nullFlavor: 'NI' }),
    fixed('code', '225773000', SNOMED, 'Preference'),
    code('value', concept, { type: 'CD', allowed: ({ code: one = '' }) => PRIORITIES.has(one) }),
  );
}

/** Progress Toward Goal. */
function progress(goal: Goal, achieved: NonNullable<Goal['achievementStatus']>): CdaElement {
  return smallObservation(
    'progress',
    el('id', { nullFlavor: 'NI' }),
    fixed('code', 'ASSERTION', ACT_CODE),
    time('effectiveTime', goal.statusDate),
    achievement(achieved),
  );
}

/** SNOMED CT where value set Goal Achievement has the state; else FHIR's own code as a translation of none of it. */
function achievement(achieved: NonNullable<Goal['achievementStatus']>): CdaElement {
  const known = ACHIEVED[achieved.coding?.[0]?.code ?? ''];
  if (known !== undefined) return fixed('value', known[0], SNOMED, known[1], 'CD', asTranslations(achieved));
  return code('value', achieved, {
    type: 'CD',
    allowed: ({ code: one }) => Object.values(ACHIEVED).some(([value]) => value === one),
  });
}

const ACHIEVED: Readonly<Record<string, readonly [code: string, display: string]>> = {
  achieved: ['390802008', 'Goal achieved'],
  sustaining: ['390802008', 'Goal achieved'],
  'not-achieved': ['390801001', 'Goal not achieved'],
  'no-progress': ['706906006', 'No progress toward goal'],
  'not-attainable': ['706905005', 'Goal not attainable'],
};

export function writeHealthConcerns(writer: Writer): SectionBody {
  const body = emptyBody(PROBLEM_COLUMNS);
  for (const condition of writer.chart.all<Condition>('Condition')) {
    if (!isStated(condition) || !hasCategory(condition, 'health-concern') || writer.take(condition)) continue;
    const row = writer.nextId('concern');
    body.rows.push({ id: row, cells: problemCells(condition) });
    body.entries.push(
      statement(
        'act',
        { classCode: 'ACT', moodCode: 'EVN' },
        template('healthConcern'),
        ownId(condition),
        fixed('code', '75310-3', LOINC, 'Health concerns Document'),
        statusCode(isActive(condition) ? 'active' : 'completed'),
        interval('effectiveTime', { low: condition.recordedDate }),
        related('REFR', problemObservation(writer, condition, row)),
      ),
    );
  }
  return body;
}
