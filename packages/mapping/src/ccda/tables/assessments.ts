/**
 * Observations that stand in a section of their own kind: functional, mental and nutritional status, assessment scales,
 * preferences, advance directives. Each is an Observation with US Core's category.
 */
import type { Table } from '../table.ts';
import { category, OBSERVATION, usCoreCategory } from './observation-rows.ts';

const REQUIRED = { status: 'unknown', code: 'absent' };

/** Templates and sections by category; the organizers around them hold the observations as members. */
const KINDS: readonly {
  name: string;
  category: unknown;
  templates: string[];
  organizers?: string[];
  sections: string[];
}[] = [
  {
    name: 'assessment-scale',
    category: category('survey', 'Survey'),
    templates: ['2.16.840.1.113883.10.20.22.4.69', '2.16.840.1.113883.10.20.22.4.86'],
    sections: [],
  },
  {
    name: 'functional-status',
    category: usCoreCategory('functional-status', 'Functional Status'),
    templates: [
      '2.16.840.1.113883.10.20.22.4.67',
      '2.16.840.1.113883.10.20.22.4.127',
      '2.16.840.1.113883.10.20.22.4.128',
    ],
    organizers: ['2.16.840.1.113883.10.20.22.4.66'],
    sections: ['47420-5'],
  },
  {
    name: 'mental-status',
    category: usCoreCategory('cognitive-status', 'Cognitive Status'),
    templates: ['2.16.840.1.113883.10.20.22.4.74'],
    organizers: ['2.16.840.1.113883.10.20.22.4.75'],
    sections: ['10190-7'],
  },
  {
    name: 'disability-status',
    category: usCoreCategory('disability-status', 'Disability Status'),
    templates: ['2.16.840.1.113883.10.20.22.4.505'],
    sections: [],
  },
  {
    name: 'treatment-preference',
    category: usCoreCategory('treatment-intervention-preference', 'Treatment Intervention Preference'),
    templates: ['2.16.840.1.113883.10.20.22.4.510'],
    sections: [],
  },
  {
    name: 'care-experience-preference',
    category: usCoreCategory('care-experience-preference', 'Care Experience Preference'),
    templates: ['2.16.840.1.113883.10.20.22.4.509'],
    sections: [],
  },
  {
    name: 'advance-directive',
    category: usCoreCategory('observation-adi-documentation', 'Observation ADI Documentation'),
    templates: ['2.16.840.1.113883.10.20.22.4.48', '2.16.840.1.113883.10.20.22.4.513', '2.16.840.1.113883.10.20.1.17'],
    organizers: ['2.16.840.1.113883.10.20.22.4.108'],
    sections: ['42348-3'],
  },
  {
    name: 'physical-finding',
    category: category('exam', 'Exam'),
    templates: [
      '2.16.840.1.113883.10.20.22.4.76',
      '2.16.840.1.113883.10.20.22.4.77',
      '2.16.840.1.113883.10.20.22.4.124',
      '2.16.840.1.113883.10.20.22.4.133',
      '2.16.840.1.113883.10.20.22.4.134',
      '2.16.840.1.113883.10.20.22.4.138',
    ],
    sections: ['29545-1', '61144-2'],
  },
];

export const ASSESSMENT_TABLES: readonly Table[] = KINDS.flatMap((kind): Table[] => {
  const common = { resource: 'Observation', fixed: { category: [kind.category] }, rule: 'observation' } as const;
  const observation: Table = {
    ...common,
    name: `${kind.name}-observation`,
    elements: ['observation'],
    templates: kind.templates,
    sections: kind.sections,
    moods: ['EVN'],
    rows: OBSERVATION,
    required: REQUIRED,
  };
  if (kind.organizers === undefined) return [observation];
  const organizer: Table = {
    ...common,
    name: `${kind.name}-organizer`,
    elements: ['organizer'],
    templates: kind.organizers,
    sections: kind.sections,
    rows: [...OBSERVATION, ['component/observation', 'hasMember[]', 'statement']],
    required: REQUIRED,
  };
  return [observation, organizer];
});
