/** Words of tables for the codes that FHIR wants. What is not here is kept and said, never guessed. */

export const genders = {
  m: 'male',
  male: 'male',
  man: 'male',
  f: 'female',
  female: 'female',
  w: 'female',
  woman: 'female',
  o: 'other',
  other: 'other',
  x: 'other',
  u: 'unknown',
  unknown: 'unknown',
} as const;

export const encounterClasses = {
  i: 'IMP',
  imp: 'IMP',
  inpatient: 'IMP',
  o: 'AMB',
  amb: 'AMB',
  outpatient: 'AMB',
  ambulatory: 'AMB',
  office: 'AMB',
  e: 'EMER',
  emer: 'EMER',
  er: 'EMER',
  ed: 'EMER',
  emergency: 'EMER',
  vr: 'VR',
  virtual: 'VR',
  telehealth: 'VR',
  hh: 'HH',
  home: 'HH',
} as const;

export const encounterStatuses = {
  planned: 'planned',
  scheduled: 'planned',
  arrived: 'arrived',
  'in-progress': 'in-progress',
  open: 'in-progress',
  active: 'in-progress',
  admitted: 'in-progress',
  finished: 'finished',
  completed: 'finished',
  closed: 'finished',
  discharged: 'finished',
  cancelled: 'cancelled',
  canceled: 'cancelled',
  'entered-in-error': 'entered-in-error',
  deleted: 'entered-in-error',
} as const;

export const observationStatuses = {
  f: 'final',
  final: 'final',
  complete: 'final',
  completed: 'final',
  p: 'preliminary',
  preliminary: 'preliminary',
  c: 'corrected',
  corrected: 'corrected',
  amended: 'amended',
  x: 'cancelled',
  cancelled: 'cancelled',
  canceled: 'cancelled',
  w: 'entered-in-error',
  d: 'entered-in-error',
  'entered-in-error': 'entered-in-error',
  deleted: 'entered-in-error',
  registered: 'registered',
} as const;

export const interpretations = {
  h: 'H',
  high: 'H',
  hh: 'HH',
  'critical-high': 'HH',
  l: 'L',
  low: 'L',
  ll: 'LL',
  'critical-low': 'LL',
  n: 'N',
  normal: 'N',
  a: 'A',
  abnormal: 'A',
  aa: 'AA',
  critical: 'AA',
  pos: 'POS',
  positive: 'POS',
  neg: 'NEG',
  negative: 'NEG',
} as const;

export const observationCategories = {
  lab: 'laboratory',
  laboratory: 'laboratory',
  vital: 'vital-signs',
  vitals: 'vital-signs',
  'vital-signs': 'vital-signs',
  imaging: 'imaging',
  'social-history': 'social-history',
  survey: 'survey',
  exam: 'exam',
  procedure: 'procedure',
} as const;

export const severities = { mild: 'mild', moderate: 'moderate', severe: 'severe' } as const;

export const criticalities = { low: 'low', high: 'high', unknown: 'unable-to-assess' } as const;

export const allergyStatuses = {
  a: 'active',
  active: 'active',
  i: 'inactive',
  inactive: 'inactive',
  resolved: 'resolved',
  'entered-in-error': 'entered-in-error',
  deleted: 'entered-in-error',
} as const;

export const medicationStatuses = {
  a: 'active',
  active: 'active',
  current: 'active',
  completed: 'completed',
  finished: 'completed',
  stopped: 'stopped',
  discontinued: 'stopped',
  inactive: 'stopped',
  'on-hold': 'on-hold',
  intended: 'intended',
  'entered-in-error': 'entered-in-error',
  deleted: 'entered-in-error',
} as const;

export const immunizationStatuses = {
  completed: 'completed',
  given: 'completed',
  administered: 'completed',
  'not-done': 'not-done',
  refused: 'not-done',
  'entered-in-error': 'entered-in-error',
  deleted: 'entered-in-error',
} as const;

export const appointmentStatuses = {
  proposed: 'proposed',
  pending: 'pending',
  booked: 'booked',
  scheduled: 'booked',
  confirmed: 'booked',
  arrived: 'arrived',
  'checked-in': 'checked-in',
  fulfilled: 'fulfilled',
  completed: 'fulfilled',
  cancelled: 'cancelled',
  canceled: 'cancelled',
  noshow: 'noshow',
  'no-show': 'noshow',
  missed: 'noshow',
  'entered-in-error': 'entered-in-error',
  deleted: 'entered-in-error',
} as const;
