/** Which section an observation belongs in: by its category, by its code, or where a converted document had it. */
import type { Observation } from '@medplum/fhirtypes';
import { hasCode } from './values.ts';
import type { Writer } from './writer.ts';

export type ObservationSection =
  | 'results'
  | 'vital-signs'
  | 'social-history'
  | 'functional-status'
  | 'mental-status'
  | 'physical-exam'
  | 'advance-directives';

const BY_CATEGORY: Readonly<Record<string, ObservationSection>> = {
  laboratory: 'results',
  imaging: 'results',
  procedure: 'results',
  'vital-signs': 'vital-signs',
  'social-history': 'social-history',
  sdoh: 'social-history',
  'functional-status': 'functional-status',
  'disability-status': 'functional-status',
  survey: 'functional-status',
  activity: 'functional-status',
  therapy: 'functional-status',
  'cognitive-status': 'mental-status',
  exam: 'physical-exam',
  'observation-adi-documentation': 'advance-directives',
};
/** Categories that say more than those beside them. */
const FIRST = ['sdoh', 'social-history', 'vital-signs', 'laboratory'];

const BY_SECTION: Readonly<Record<string, ObservationSection>> = {
  '30954-2': 'results',
  '8716-3': 'vital-signs',
  '29762-2': 'social-history',
  '47420-5': 'functional-status',
  '10190-7': 'mental-status',
  '29545-1': 'physical-exam',
  '42348-3': 'advance-directives',
};

/** Questionnaires about mood and cognition. */
const MENTAL = ['44249-1', '44261-6', '55758-7', '69737-5', '70274-6', '54614-3', '72106-8', '8693-4', '11332-4'];
const DIRECTIVES = ['45473-6', '75320-2', '75278-2', '42348-3', '81334-5', '64298-3', '84095-9', '86533-7'];

export function sectionOf(writer: Writer, resource: Observation): ObservationSection {
  const categories = (resource.category ?? []).flatMap(({ coding = [] }) => coding.map(({ code }) => code ?? ''));
  if (hasCode(resource.code, ...DIRECTIVES)) return 'advance-directives';
  if (hasCode(resource.code, ...MENTAL)) return 'mental-status';
  const told = FIRST.find((category) => categories.includes(category)) ?? categories.find((one) => one in BY_CATEGORY);
  if (told !== undefined) return BY_CATEGORY[told]!;
  return BY_SECTION[writer.chart.sectionOf(resource) ?? ''] ?? 'results';
}

/** Observations of a section that are to be written there: not errors, not under another one, not yet told. */
export function observationsIn(writer: Writer, section: ObservationSection): Observation[] {
  return writer.chart
    .all<Observation>('Observation')
    .filter(
      (one) =>
        one.status !== 'entered-in-error' &&
        !writer.chart.isNested(one) &&
        !writer.isTaken(one) &&
        sectionOf(writer, one) === section,
    );
}
