/** Illnesses of the region: SNOMED CT and ICD-10-CM codes, in our own plain words. */

export interface Condition {
  key: string;
  snomed: string;
  icd10: string;
  text: string;
}

const condition = (key: string, snomed: string, icd10: string, text: string): Condition => ({
  key,
  snomed,
  icd10,
  text,
});

export const CONDITIONS = {
  diabetes: condition('diabetes', '44054006', 'E11.9', 'Type 2 diabetes'),
  hypertension: condition('hypertension', '59621000', 'I10', 'High blood pressure'),
  lipids: condition('lipids', '55822004', 'E78.5', 'Raised blood lipids'),
  asthma: condition('asthma', '195967001', 'J45.909', 'Asthma'),
  kidney: condition('kidney', '433144002', 'N18.30', 'Chronic kidney disease, stage 3'),
  copd: condition('copd', '13645005', 'J44.9', 'Chronic obstructive lung disease'),
  thyroid: condition('thyroid', '40930008', 'E03.9', 'Underactive thyroid'),
  depression: condition('depression', '35489007', 'F32.A', 'Depression'),
  fibrillation: condition('fibrillation', '49436004', 'I48.91', 'Atrial fibrillation'),
  reflux: condition('reflux', '235595009', 'K21.9', 'Acid reflux'),
  obesity: condition('obesity', '414916001', 'E66.9', 'Obesity'),
  heartFailure: condition('heartFailure', '84114007', 'I50.9', 'Heart failure'),
  pneumonia: condition('pneumonia', '233604007', 'J18.9', 'Pneumonia'),
  forearm: condition('forearm', '65966004', 'S52.90XA', 'Broken forearm'),
  ankle: condition('ankle', '16114001', 'S82.899A', 'Broken ankle'),
  appendicitis: condition('appendicitis', '85189001', 'K35.80', 'Acute appendicitis'),
  infarction: condition('infarction', '22298006', 'I21.9', 'Heart attack'),
  bronchitis: condition('bronchitis', '10509002', 'J20.9', 'Acute bronchitis'),
  urinary: condition('urinary', '68566005', 'N39.0', 'Urinary tract infection'),
  otitis: condition('otitis', '65363002', 'H66.90', 'Middle ear infection'),
  throat: condition('throat', '43878008', 'J02.0', 'Streptococcal sore throat'),
  gastroenteritis: condition('gastroenteritis', '25374005', 'K52.9', 'Gastroenteritis'),
  backPain: condition('backPain', '279039007', 'M54.50', 'Low back pain'),
  cellulitis: condition('cellulitis', '128045006', 'L03.90', 'Skin infection'),
  chestPain: condition('chestPain', '29857009', 'R07.9', 'Chest pain'),
  pregnancy: condition('pregnancy', '72892002', 'Z34.90', 'Pregnancy'),
  delivery: condition('delivery', '48782003', 'O80', 'Normal delivery'),
  newborn: condition('newborn', '133931009', 'Z38.00', 'Liveborn infant'),
  checkUp: condition('checkUp', '162673000', 'Z00.00', 'General check-up'),
  injury: condition('injury', '82271004', 'S09.90XA', 'Head injury'),
} as const satisfies Record<string, Condition>;

export type ConditionKey = keyof typeof CONDITIONS;
