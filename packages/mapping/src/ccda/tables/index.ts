/**
 * All tables, indexed by template, section and class when the module is loaded.
 */
import { statementsIn, type XmlElement } from '@causeway/ccda';
import type { Table } from '../table.ts';
import { ASSESSMENT_TABLES } from './assessments.ts';
import { CARE_TABLES } from './care.ts';
import { CONDITION_TABLES } from './conditions.ts';
import { MEDICATION_TABLES } from './medications.ts';
import { OBSERVATION_TABLES } from './observations.ts';

export const TABLES: readonly Table[] = [
  ...CONDITION_TABLES,
  ...MEDICATION_TABLES,
  ...ASSESSMENT_TABLES,
  ...OBSERVATION_TABLES,
  ...CARE_TABLES,
];

/** Acts and organizers that say nothing of their own but hold together what is inside. */
const WRAPPER_TEMPLATES = new Set([
  '2.16.840.1.113883.10.20.22.4.3',
  '2.16.840.1.113883.10.20.22.4.30',
  '2.16.840.1.113883.10.20.22.4.33',
  '2.16.840.1.113883.10.20.22.4.34',
  '2.16.840.1.113883.10.20.22.4.35',
  '2.16.840.1.113883.10.20.22.4.36',
  '2.16.840.1.113883.10.20.22.4.51',
  '2.16.840.1.113883.10.20.22.4.60',
  '2.16.840.1.113883.10.20.22.4.65',
  '2.16.840.1.113883.10.20.22.4.80',
  '2.16.840.1.113883.10.20.22.4.132',
  '2.16.840.1.113883.10.20.22.4.135',
  '2.16.840.1.113883.10.20.22.4.136',
  '2.16.840.1.113883.10.20.1.19',
  '2.16.840.1.113883.10.20.1.27',
  '2.16.840.1.113883.10.20.1.20',
]);
/** Values that cannot name a problem or an allergy. */
const MEASURED = new Set(['PQ', 'IVL_PQ', 'INT', 'REAL', 'BL', 'TS', 'IVL_TS', 'RTO', 'RTO_PQ_PQ', 'MO']);
const NAMED_BY_VALUE = new Set(['Condition', 'AllergyIntolerance']);
const COMMENTS = ['2.16.840.1.113883.10.20.22.4.64', '2.16.840.1.113883.10.20.1.40'];
const ENTRY_REFERENCE = '2.16.840.1.113883.10.20.22.4.122';

const BY_TEMPLATE = new Map<string, Table[]>();
const BY_SECTION = new Map<string, Table[]>();
const BY_CLASS: Table[] = [];

for (const table of TABLES) {
  for (const template of table.templates ?? [])
    BY_TEMPLATE.set(template, [...(BY_TEMPLATE.get(template) ?? []), table]);
  for (const section of table.sections ?? []) BY_SECTION.set(section, [...(BY_SECTION.get(section) ?? []), table]);
  if (table.templates === undefined || table.name === 'medication-activity') BY_CLASS.push(table);
}

/** By template, else by section, else by class and mood: every clinical statement has a table. */
export function chooseTable(element: XmlElement, section: string | undefined): Table {
  const mood = element.attr('moodCode') ?? 'EVN';
  const fits = (table: Table): boolean =>
    table.elements.includes(element.name) &&
    (table.moods === undefined || table.moods.includes(mood)) &&
    (table.needs === undefined || element.child(table.needs) !== undefined);
  const templates = element.all('templateId');
  for (const template of templates) {
    const table = BY_TEMPLATE.get(template.attr('root') ?? '')?.find(fits);
    if (table !== undefined) return table;
  }
  const known = templates.some((template) => (template.attr('root') ?? '').startsWith('2.16.840.1.113883.10.20.22.4.'));
  const type = element.child('value')?.xsiType;
  const measured = type !== undefined && MEASURED.has(type);
  const inSection = (table: Table): boolean => fits(table) && !(measured && NAMED_BY_VALUE.has(table.resource));
  const bySection = known || section === undefined ? undefined : BY_SECTION.get(section)?.find(inSection);
  return bySection ?? BY_CLASS.find(fits) ?? BY_CLASS.find((table) => table.elements.includes(element.name))!;
}

export function isWrapper(element: XmlElement): boolean {
  if (element.name !== 'act' && element.name !== 'organizer') return false;
  for (const template of element.all('templateId')) {
    const root = template.attr('root');
    if (root !== undefined && WRAPPER_TEMPLATES.has(root)) return true;
  }
  const code = element.child('code')?.attr('code');
  if (code === 'CONC') return true;
  const nested = element.children.some((container) => statementsIn(container).length > 0);
  return (
    code === undefined && nested && !element.all('templateId').some((one) => BY_TEMPLATE.has(one.attr('root') ?? ''))
  );
}

/** A Comment Activity: words about what is around it. */
export function isComment(element: XmlElement): boolean {
  if (element.name !== 'act') return false;
  return (
    COMMENTS.some((template) => element.hasTemplate(template)) || element.child('code')?.attr('code') === '48767-8'
  );
}

export function isEntryReference(element: XmlElement): boolean {
  return element.name === 'act' && element.hasTemplate(ENTRY_REFERENCE);
}
