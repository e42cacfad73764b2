/** Vaccines (CVX), procedures (SNOMED CT, ICD-10-PCS) and smoking status of the region, in our own plain words. */

export interface Vaccine {
  key: string;
  cvx: string;
  text: string;
}

export interface ProcedureCode {
  key: string;
  snomed: string;
  pcs?: string;
  text: string;
}

export const VACCINES = {
  influenza: { key: 'influenza', cvx: '150', text: 'Influenza vaccine, injected' },
  tdap: { key: 'tdap', cvx: '115', text: 'Tetanus, diphtheria and whooping cough booster' },
  pneumococcal: { key: 'pneumococcal', cvx: '33', text: 'Pneumococcal vaccine, 23-valent' },
  zoster: { key: 'zoster', cvx: '187', text: 'Shingles vaccine, recombinant' },
  covid: { key: 'covid', cvx: '208', text: 'COVID-19 mRNA vaccine' },
  mmr: { key: 'mmr', cvx: '03', text: 'Measles, mumps and rubella vaccine' },
  dtap: { key: 'dtap', cvx: '20', text: 'Diphtheria, tetanus and whooping cough vaccine' },
  polio: { key: 'polio', cvx: '10', text: 'Polio vaccine, inactivated' },
  pcv13: { key: 'pcv13', cvx: '133', text: 'Pneumococcal vaccine, 13-valent' },
  hepatitisB: { key: 'hepatitisB', cvx: '08', text: 'Hepatitis B vaccine, child' },
  varicella: { key: 'varicella', cvx: '21', text: 'Chickenpox vaccine' },
  hpv: { key: 'hpv', cvx: '165', text: 'HPV vaccine, 9-valent' },
} as const satisfies Record<string, Vaccine>;

export const PROCEDURES = {
  appendectomy: { key: 'appendectomy', snomed: '80146002', pcs: '0DTJ4ZZ', text: 'Removal of the appendix' },
  stent: { key: 'stent', snomed: '415070008', pcs: '027034Z', text: 'Coronary stent' },
  cast: { key: 'cast', snomed: '274474001', pcs: '2W3CX2Z', text: 'Cast of a broken limb' },
  childbirth: { key: 'childbirth', snomed: '66348005', pcs: '10E0XZZ', text: 'Delivery of a child' },
  chestImage: { key: 'chestImage', snomed: '399208008', text: 'Chest X-ray' },
  electrocardiogram: { key: 'electrocardiogram', snomed: '29303009', text: 'Electrocardiogram' },
  spirometry: { key: 'spirometry', snomed: '127783003', text: 'Spirometry' },
  colonoscopy: { key: 'colonoscopy', snomed: '73761001', text: 'Colonoscopy' },
  mammogram: { key: 'mammogram', snomed: '71651007', text: 'Mammogram' },
} as const satisfies Record<string, ProcedureCode>;

export const SMOKING = [
  { snomed: '266919005', text: 'Never smoked' },
  { snomed: '8517006', text: 'Former smoker' },
  { snomed: '77176002', text: 'Smoker' },
] as const;
