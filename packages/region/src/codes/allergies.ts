/** Allergies of the region: substance, reaction and severity codes, in our own plain words. */

export interface Allergen {
  key: string;
  /** SNOMED CT substance. */
  snomed: string;
  /** RxNorm ingredient, for drugs. */
  rxnorm?: string;
  /** The code the hospital's own list gives it (AL1-3). */
  hospitalCode: string;
  text: string;
  category: 'medication' | 'food' | 'environment';
}

export interface Reaction {
  snomed: string;
  text: string;
}

export const ALLERGENS = {
  penicillin: {
    key: 'penicillin',
    snomed: '764146007',
    rxnorm: '70618',
    hospitalCode: 'PCN',
    text: 'Penicillin',
    category: 'medication',
  },
  sulfonamide: {
    key: 'sulfonamide',
    snomed: '387406002',
    rxnorm: '10180',
    hospitalCode: 'SULF',
    text: 'Sulfonamide antibiotic',
    category: 'medication',
  },
  aspirin: {
    key: 'aspirin',
    snomed: '387458008',
    rxnorm: '1191',
    hospitalCode: 'ASA',
    text: 'Aspirin',
    category: 'medication',
  },
  codeine: {
    key: 'codeine',
    snomed: '387494007',
    rxnorm: '2670',
    hospitalCode: 'COD',
    text: 'Codeine',
    category: 'medication',
  },
  peanut: { key: 'peanut', snomed: '762952008', hospitalCode: 'PNUT', text: 'Peanut', category: 'food' },
  egg: { key: 'egg', snomed: '102263004', hospitalCode: 'EGG', text: 'Egg', category: 'food' },
  shellfish: { key: 'shellfish', snomed: '735029006', hospitalCode: 'SHELL', text: 'Shellfish', category: 'food' },
  latex: { key: 'latex', snomed: '111088007', hospitalCode: 'LTX', text: 'Latex', category: 'environment' },
  beeVenom: { key: 'beeVenom', snomed: '288328004', hospitalCode: 'BEE', text: 'Bee venom', category: 'environment' },
} as const satisfies Record<string, Allergen>;

export const REACTIONS: readonly Reaction[] = [
  { snomed: '247472004', text: 'Hives' },
  { snomed: '271807003', text: 'Rash' },
  { snomed: '422587007', text: 'Nausea' },
  { snomed: '56018004', text: 'Wheezing' },
  { snomed: '39579001', text: 'Anaphylaxis' },
];

export interface Severity {
  snomed: string;
  v2: 'MI' | 'MO' | 'SV';
  fhir: 'mild' | 'moderate' | 'severe';
  text: string;
}

export const SEVERITIES: readonly Severity[] = [
  { snomed: '255604002', v2: 'MI', fhir: 'mild', text: 'Mild' },
  { snomed: '6736007', v2: 'MO', fhir: 'moderate', text: 'Moderate' },
  { snomed: '24484000', v2: 'SV', fhir: 'severe', text: 'Severe' },
];
