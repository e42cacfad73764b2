/** GOL, PTH: goals and pathways (v2.9 chapter 12.4). */
import type { Row } from '../engine.ts';

export const GOL: readonly Row[] = [
  ['GOL-1', '', 'consumed'],
  ['GOL-3', 'description', 'CodeableConcept'],
  ['GOL-4', 'identifier[]', 'EntityIdentifier'],
  ['GOL-7', 'startDate', 'date'],
  ['GOL-8', 'target[first].dueDate', 'date'],
  ['GOL-9', 'category[]', 'CodeableConcept'],
  ['GOL-16', 'achievementStatus', 'CodeableConcept'],
  ['GOL-17', 'note[]', 'Annotation'],
  ['GOL-19', 'statusDate', 'date'],
];

export const PTH: readonly Row[] = [
  ['PTH-1', '', 'consumed'],
  ['PTH-2', 'category[]', 'CodeableConcept'],
  ['PTH-3', 'identifier[]', 'EntityIdentifier'],
  ['PTH-4', 'period.start', 'dateTime'],
];
