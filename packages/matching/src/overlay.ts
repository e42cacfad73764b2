/**
 * Overlays: an update under one record number that describes another human than before (a wrong patient picked at
 * registration). Life changes one core element at a time (a marriage the family name, a transition given name and
 * sex); an overlay changes several.
 */
import { compare, type Explanation } from './compare.ts';
import { GENERATION_YEARS, type GuardId } from './guards.ts';
import { defaultModel, type Field, type Model } from './model.ts';
import type { Prepared } from './prepare.ts';

export interface OverlayDecision {
  /** Hold the update and ask a human. */
  overlay: boolean;
  /** The core elements that changed beyond correction. */
  changed: Field[];
  explanation: Explanation[];
  guards: GuardId[];
}

/** Levels at which a core element has changed rather than been corrected. */
const CHANGED: Partial<Record<Field, readonly string[]>> = {
  family: ['different'],
  given: ['different'],
  birthDate: ['different', 'sameYear'],
  sex: ['different'],
};

/** Whether the update `after` turns the record `before` into somebody else. */
export function isOverlay(before: Prepared, after: Prepared, model: Model = defaultModel): OverlayDecision {
  const { explanation, guards } = compare(before, after, model);
  const levels = new Map(explanation.map((line) => [line.field, line.level]));
  const changed = explanation
    .filter((line) => CHANGED[line.field]?.includes(line.level) === true)
    .map((line) => line.field);
  return { overlay: isSomebodyElse(before, after, levels, changed), changed, explanation, guards };
}

function isSomebodyElse(
  before: Prepared,
  after: Prepared,
  levels: ReadonlyMap<Field, string>,
  changed: Field[],
): boolean {
  if (before.placeholder !== undefined) return false;
  if (after.placeholder !== undefined) return changed.includes('birthDate') && changed.includes('sex');
  if (levels.get('nationalId') === 'same' && !(changed.includes('given') && changed.includes('birthDate')))
    return false;
  const isContactKept =
    levels.get('address') === 'same' || levels.get('phone') === 'same' || levels.get('email') === 'same';
  const isTwin = before.multipleBirth === true || after.multipleBirth === true;
  const has = (...fields: Field[]) => fields.every((field) => changed.includes(field));
  if (has('given', 'family')) return true;
  if (has('given', 'birthDate')) return true;
  if (has('family', 'birthDate')) return true;
  if (has('given', 'sex')) return isTwin || !isContactKept;
  if (has('sex', 'birthDate')) return levels.get('given') !== 'exact' || !isContactKept;
  if (has('sex', 'family')) return !isContactKept;
  if (has('given')) return true;
  if (has('birthDate')) return !isContactKept || areGenerations(before, after);
  return levels.get('suffix') === 'different' && levels.get('birthDate') !== 'exact';
}

/** Father and son of one name share a home too. */
function areGenerations(before: Prepared, after: Prepared): boolean {
  const years = Math.abs((before.birthDate?.year ?? 0) - (after.birthDate?.year ?? 0));
  return years >= GENERATION_YEARS;
}
