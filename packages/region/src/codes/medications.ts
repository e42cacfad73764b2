/** Medicines of the region: RxNorm (and, where known, NDC) codes, in our own plain words. */

export interface Drug {
  key: string;
  rxnorm: string;
  ndc?: string;
  text: string;
  /** Plain instruction and its structure. */
  sig: string;
  doseValue: number;
  doseUnit: string;
  timesPerDay: number;
  route: 'oral' | 'inhaled' | 'subcutaneous';
  daysSupply: number;
  quantity: number;
}

const drug = (
  key: string,
  rxnorm: string,
  ndc: string | undefined,
  text: string,
  sig: string,
  timesPerDay: number,
  daysSupply: number,
  shape: Partial<Drug> = {},
): Drug => ({
  key,
  rxnorm,
  ndc,
  text,
  sig,
  doseValue: 1,
  doseUnit: '{tablet}',
  timesPerDay,
  route: 'oral',
  daysSupply,
  quantity: timesPerDay * daysSupply,
  ...shape,
});

const CAPSULE = { doseUnit: '{capsule}' } as const;
const INHALER = { doseUnit: '{puff}', doseValue: 2, route: 'inhaled', quantity: 1 } as const;

export const DRUGS = {
  metformin: drug('metformin', '861007', '0093-1048-01', 'Metformin 500 mg tablet', 'one twice a day with food', 2, 90),
  metformin1000: drug('metformin1000', '861004', undefined, 'Metformin 1000 mg tablet', 'one twice a day', 2, 90),
  glargine: drug('glargine', '311041', undefined, 'Insulin glargine 100 units/mL', '16 units at bedtime', 1, 30, {
    doseValue: 16,
    doseUnit: '[iU]',
    route: 'subcutaneous',
    quantity: 10,
  }),
  lisinopril10: drug('lisinopril10', '314076', '68180-980-01', 'Lisinopril 10 mg tablet', 'one every morning', 1, 90),
  lisinopril20: drug('lisinopril20', '314077', undefined, 'Lisinopril 20 mg tablet', 'one every morning', 1, 90),
  amlodipine: drug('amlodipine', '197361', '0069-1530-68', 'Amlodipine 5 mg tablet', 'one every day', 1, 90),
  thiazide: drug('thiazide', '310798', undefined, 'Hydrochlorothiazide 25 mg tablet', 'one every morning', 1, 90),
  losartan: drug('losartan', '979492', undefined, 'Losartan 50 mg tablet', 'one every day', 1, 90),
  atorvastatin: drug('atorvastatin', '617310', '0071-0156-23', 'Atorvastatin 20 mg tablet', 'one at bedtime', 1, 90),
  simvastatin: drug('simvastatin', '312961', undefined, 'Simvastatin 20 mg tablet', 'one at bedtime', 1, 90),
  albuterol: drug(
    'albuterol',
    '745679',
    undefined,
    'Albuterol 90 mcg inhaler',
    'two puffs when wheezing',
    4,
    50,
    INHALER,
  ),
  fluticasone: drug(
    'fluticasone',
    '895994',
    undefined,
    'Fluticasone 44 mcg inhaler',
    'two puffs twice a day',
    2,
    30,
    INHALER,
  ),
  levothyroxine: drug(
    'levothyroxine',
    '966222',
    undefined,
    'Levothyroxine 75 mcg tablet',
    'one before breakfast',
    1,
    90,
  ),
  sertraline: drug('sertraline', '312941', '0049-4900-66', 'Sertraline 50 mg tablet', 'one every morning', 1, 90),
  omeprazole: drug(
    'omeprazole',
    '198051',
    undefined,
    'Omeprazole 20 mg capsule',
    'one before breakfast',
    1,
    90,
    CAPSULE,
  ),
  aspirin: drug('aspirin', '243670', undefined, 'Aspirin 81 mg tablet', 'one every day', 1, 90),
  clopidogrel: drug('clopidogrel', '309362', undefined, 'Clopidogrel 75 mg tablet', 'one every day', 1, 90),
  metoprolol: drug('metoprolol', '866436', undefined, 'Metoprolol succinate 50 mg tablet', 'one every day', 1, 90),
  apixaban: drug('apixaban', '1364445', undefined, 'Apixaban 5 mg tablet', 'one twice a day', 2, 30),
  furosemide: drug('furosemide', '313988', undefined, 'Furosemide 40 mg tablet', 'one every morning', 1, 90),
  amoxicillin: drug(
    'amoxicillin',
    '308191',
    '0093-3109-01',
    'Amoxicillin 500 mg capsule',
    'one three times a day',
    3,
    10,
    CAPSULE,
  ),
  azithromycin: drug(
    'azithromycin',
    '308460',
    '0069-3060-75',
    'Azithromycin 250 mg tablet',
    'two today, then one a day',
    1,
    5,
    {
      quantity: 6,
    },
  ),
  ciprofloxacin: drug('ciprofloxacin', '309309', undefined, 'Ciprofloxacin 500 mg tablet', 'one twice a day', 2, 5),
  ibuprofen: drug(
    'ibuprofen',
    '197806',
    undefined,
    'Ibuprofen 600 mg tablet',
    'one three times a day with food',
    3,
    10,
  ),
  oxycodone: drug(
    'oxycodone',
    '1049221',
    undefined,
    'Acetaminophen 325 mg / oxycodone 5 mg tablet',
    'one every six hours if needed',
    4,
    5,
  ),
  prednisone: drug('prednisone', '312615', undefined, 'Prednisone 20 mg tablet', 'two every morning', 1, 5, {
    doseValue: 2,
    quantity: 10,
  }),
} as const satisfies Record<string, Drug>;

export type DrugKey = keyof typeof DRUGS;
