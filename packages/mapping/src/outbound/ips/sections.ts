/** The sections of the guide's Composition, in its order, and what of a record each tells. */
import type { Demanded } from './absent.ts';
import type { Chart } from './chart.ts';
import { medications } from './medications.ts';
import { pregnancy, results, socialHistory, vitalSigns } from './observations.ts';
import {
  allergies,
  devices,
  directives,
  functional,
  immunizations,
  plans,
  problems,
  procedures,
} from './statements.ts';
import type { Told } from './told.ts';

export interface SectionKind {
  /** Of LOINC. */
  code: string;
  title: string;
  columns: readonly string[];
  /** What stands there where there is nothing: the section has to be there. */
  demanded?: Demanded;
  tell(chart: Chart, made: (name: string) => string): Told;
}

export const SECTIONS: readonly SectionKind[] = [
  {
    code: '10160-0',
    title: 'Medication Summary',
    columns: ['Medication', 'Dosage', 'Status', 'Date'],
    demanded: 'medications',
    tell: medications,
  },
  {
    code: '48765-2',
    title: 'Allergies and Intolerances',
    columns: ['Allergy', 'Reactions', 'Criticality', 'Status', 'Since'],
    demanded: 'allergies',
    tell: allergies,
  },
  {
    code: '11450-4',
    title: 'Problem List',
    columns: ['Problem', 'Severity', 'Status', 'Since'],
    demanded: 'problems',
    tell: (chart) => problems(chart, false),
  },
  { code: '11369-6', title: 'Immunizations', columns: ['Vaccine', 'Date', 'Lot'], tell: immunizations },
  {
    code: '30954-2',
    title: 'Results',
    columns: ['Result', 'Value', 'Interpretation', 'Reference range', 'Date', 'Status'],
    tell: results,
  },
  { code: '47519-4', title: 'History of Procedures', columns: ['Procedure', 'Date', 'Status'], tell: procedures },
  { code: '46264-8', title: 'Medical Devices', columns: ['Device', 'Status', 'Date'], tell: devices },
  {
    code: '8716-3',
    title: 'Vital Signs',
    columns: ['Vital sign', 'Value', 'Interpretation', 'Reference range', 'Date', 'Status'],
    tell: vitalSigns,
  },
  {
    code: '11348-0',
    title: 'History of Past Illness',
    columns: ['Problem', 'Severity', 'Status', 'Since'],
    tell: (chart) => problems(chart, true),
  },
  {
    code: '47420-5',
    title: 'Functional Status',
    columns: ['Assessment', 'Value', 'Interpretation', 'Reference range', 'Date', 'Status'],
    tell: functional,
  },
  { code: '18776-5', title: 'Plan of Care', columns: ['Plan', 'Activities', 'Status', 'Period'], tell: plans },
  {
    code: '29762-2',
    title: 'Social History',
    columns: ['Observation', 'Value', 'Interpretation', 'Reference range', 'Date', 'Status'],
    tell: socialHistory,
  },
  {
    code: '10162-6',
    title: 'Pregnancy',
    columns: ['Observation', 'Value', 'Interpretation', 'Reference range', 'Date', 'Status'],
    tell: pregnancy,
  },
  { code: '42348-3', title: 'Advance Directives', columns: ['Directive', 'Status', 'Date'], tell: directives },
];
