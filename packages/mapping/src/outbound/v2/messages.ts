/** Which messages are written, and of what parts: message structures of HL7 v2.5.1 (table 0354; chapters 3, 4, 7, 9, 10). */

/** A part of an ADT message beside EVN, PID and PD1. */
export type AdtPart =
  | 'restrictions'
  | 'nextOfKin'
  | 'visit'
  | 'roles'
  | 'disability'
  | 'observations'
  | 'allergies'
  | 'diagnoses'
  | 'procedures'
  | 'guarantors'
  | 'insurance'
  | 'incidents'
  | 'merged'
  | 'second';

const ADMISSION: readonly AdtPart[] = [
  'restrictions',
  'roles',
  'nextOfKin',
  'visit',
  'disability',
  'observations',
  'allergies',
  'diagnoses',
  'procedures',
  'guarantors',
  'insurance',
  'incidents',
];

/** The parts of each structure; the order is that of `adt.ts`. */
export const ADT_PARTS: Readonly<Record<string, readonly AdtPart[]>> = {
  ADT_A01: ADMISSION,
  ADT_A02: ['roles', 'visit', 'disability', 'observations', 'incidents'],
  ADT_A03: [
    'restrictions',
    'roles',
    'nextOfKin',
    'visit',
    'disability',
    'allergies',
    'diagnoses',
    'procedures',
    'observations',
    'guarantors',
    'insurance',
    'incidents',
  ],
  ADT_A05: ADMISSION,
  ADT_A06: ADMISSION,
  ADT_A09: ['visit', 'disability', 'observations', 'diagnoses'],
  ADT_A12: ['visit', 'disability', 'observations', 'diagnoses'],
  ADT_A15: ['roles', 'visit', 'disability', 'observations', 'diagnoses'],
  ADT_A16: [
    'restrictions',
    'roles',
    'nextOfKin',
    'visit',
    'disability',
    'observations',
    'allergies',
    'diagnoses',
    'procedures',
    'guarantors',
    'insurance',
    'incidents',
  ],
  ADT_A17: ['visit', 'observations', 'second'],
  ADT_A18: ['merged', 'visit'],
  ADT_A21: ['visit', 'disability', 'observations'],
  ADT_A24: ['visit', 'disability', 'second'],
  ADT_A30: ['merged'],
  ADT_A37: ['visit', 'disability', 'second'],
  ADT_A38: ['visit', 'disability', 'observations', 'diagnoses'],
  ADT_A39: ['merged', 'visit'],
  ADT_A43: ['merged'],
  ADT_A45: ['merged', 'visit'],
  ADT_A50: ['merged', 'visit'],
  ADT_A52: ['visit'],
  ADT_A54: ['roles', 'visit'],
  ADT_A60: ['restrictions', 'visit', 'allergies'],
  ADT_A61: ['roles', 'visit'],
};

/** Everything an ADT can carry, for a message that is passed on as it came. */
export const ALL_ADT_PARTS: readonly AdtPart[] = [...ADMISSION, 'merged', 'second'];

/** Structure → the events that use it. */
const STRUCTURES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  ADT: {
    ADT_A01: ['A01', 'A04', 'A08', 'A13'],
    ADT_A02: ['A02'],
    ADT_A03: ['A03'],
    ADT_A05: ['A05', 'A14', 'A28', 'A31'],
    ADT_A06: ['A06', 'A07'],
    ADT_A09: ['A09', 'A10', 'A11'],
    ADT_A12: ['A12'],
    ADT_A15: ['A15'],
    ADT_A16: ['A16'],
    ADT_A17: ['A17'],
    ADT_A18: ['A18'],
    ADT_A21: ['A21', 'A22', 'A23', 'A25', 'A26', 'A27', 'A29', 'A32', 'A33'],
    ADT_A24: ['A24'],
    ADT_A30: ['A30', 'A34', 'A35', 'A36', 'A46', 'A47', 'A48', 'A49'],
    ADT_A37: ['A37'],
    ADT_A38: ['A38'],
    ADT_A39: ['A39', 'A40', 'A41', 'A42'],
    ADT_A43: ['A43', 'A44'],
    ADT_A45: ['A45'],
    ADT_A50: ['A50', 'A51'],
    ADT_A52: ['A52', 'A53', 'A55'],
    ADT_A54: ['A54'],
    ADT_A60: ['A60'],
    ADT_A61: ['A61', 'A62'],
  },
  ORU: { ORU_R01: ['R01'] },
  MDM: { MDM_T01: ['T01', 'T03', 'T05', 'T07', 'T09', 'T11'], MDM_T02: ['T02', 'T04', 'T06', 'T08', 'T10'] },
  SIU: { SIU_S12: ['S12', 'S13', 'S14', 'S15', 'S16', 'S17', 'S18', 'S19', 'S20', 'S21', 'S22', 'S23', 'S24', 'S26'] },
  RDE: { RDE_O11: ['O11', 'O25'] },
  VXU: { VXU_V04: ['V04'] },
  ORM: { ORM_O01: ['O01'] },
  OMG: { OMG_O19: ['O19'] },
  OML: { OML_O21: ['O21'] },
};

/** MSH-9.3 of a message; undefined for one that is not written. */
export function structureOf(code: string, event: string): string | undefined {
  return Object.entries(STRUCTURES[code] ?? {}).find(([, events]) => events.includes(event))?.[0];
}
