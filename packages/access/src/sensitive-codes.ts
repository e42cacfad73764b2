/**
 * Which clinical codes are sensitive. ICD codes by their beginnings, others one by one. A network widens the table by value
 * sets of its own; it decides what is labelled, never what a label opens.
 */
import { label } from './label-bits.ts';

const icd10 = [
  'http://hl7.org/fhir/sid/icd-10-cm',
  'http://hl7.org/fhir/sid/icd-10',
  'http://hl7.org/fhir/sid/icd-10-de',
];
const icd9 = ['http://hl7.org/fhir/sid/icd-9-cm'];
const snomed = 'http://snomed.info/sct';
const loinc = 'http://loinc.org';
const rxnorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';

/** Beginnings of ICD-10(-CM) codes, without the dot. */
const icd10Beginnings: Record<string, number> = beginnings([
  [
    label.substanceUse,
    'F10 F11 F12 F13 F14 F15 F16 F18 F19 K70 G621 I426 K860 O9931 O9932 R780 Z7141 Z7142 Z7151 Z7152',
  ],
  [label.hiv, 'B20 B21 B22 B23 B24 Z21 R75 O987 B9735 Z717 Z114'],
  [label.sexuallyTransmitted, 'A50 A51 A52 A53 A54 A55 A56 A57 A58 A59 A60 A63 A64 O982 O983 Z202 Z113'],
  [
    label.mentalHealth,
    'F20 F21 F22 F23 F24 F25 F28 F29 F30 F31 F32 F33 F34 F39 F40 F41 F42 F43 F44 F45 F48 F50 F53 F60 F63 F68 F69 F91 F92 R4585 T1491 Z915',
  ],
  [label.violence, 'T74 T76 Y07 Z69 O9A3 O9A4 O9A5 Z0441 Z0442 Z0471 Z0472 Z6281'],
  [label.reproduction, 'O00 O01 O02 O03 O04 O07 O08 Z30 Z31 Z32 Z33 Z640 N96 N97 N46'],
  [label.genetics, 'Z14 Z15 Z137 Q90 Q91 Q92 Q93 Q95 Q96 Q97 Q98 Q99 E84 D57 G10'],
]);

/** Beginnings of ICD-9-CM codes, without the dot. */
const icd9Beginnings: Record<string, number> = beginnings([
  [label.substanceUse, '291 292 303 304 3050 3052 3053 3054 3055 3056 3057 3059'],
  [label.hiv, '042 V08 07953'],
  [label.sexuallyTransmitted, '090 091 092 093 094 095 096 097 098 099 0541'],
  [label.mentalHealth, '295 296 297 298 300 301 309 311'],
  [label.violence, '9955 9958 E967'],
  [label.reproduction, '632 634 635 637 V25 V26 V72.4 606 628'],
  [label.genetics, 'V83 V84 758'],
]);

const single: Record<string, Record<string, number>> = {
  [snomed]: codes([
    [label.substanceUse, '66214007 7200002 191816009 75544000 6525002 361055000 10939881000119105 15167005 5602001'],
    [label.hiv, '86406008 62479008 165816005 91947003'],
    [label.sexuallyTransmitted, '8098009 15628003 76272004 240589008 240480009'],
    [label.mentalHealth, '35489007 370143000 58214004 13746004 47505003 36923009 197480006 48694002 69322001'],
    [label.violence, '706893006 95922009 371775004'],
    [label.reproduction, '386639001 57797005 72892002 77386006 17369002 35999006'],
  ]),
  [loinc]: codes([
    [label.substanceUse, '75626-2 82667-7'],
    [label.hiv, '7917-8 29893-5 56888-1 25836-8 20447-9 24012-7 48345-3 75622-1 5220-9 68961-2'],
    [label.mentalHealth, '44261-6 70274-6 44249-1 69737-5'],
    [label.violence, '76501-6 76499-3'],
  ]),
  // Ingredients that treat opioid or alcohol use disorder.
  [rxnorm]: codes([[label.substanceUse, '1819 3554 82819 7243']]),
};

/** Codes that a network labels beside the table: `system|code` → labels. */
export type WidenedCodes = ReadonlyMap<string, number>;

/** The labels of a code; 0 for one that is not sensitive. */
export function sensitivityOf(system: string, code: string, widened?: WidenedCodes): number {
  let labels = single[system]?.[code] ?? 0;
  if (icd10.includes(system)) labels |= beginning(icd10Beginnings, code);
  else if (icd9.includes(system)) labels |= beginning(icd9Beginnings, code);
  if (widened && widened.size > 0) labels |= widened.get(`${system}|${code}`) ?? 0;
  return labels;
}

function beginning(known: Record<string, number>, code: string): number {
  const bare = code.replace('.', '').toUpperCase();
  let labels = 0;
  for (let length = 3; length <= Math.min(5, bare.length); length++) labels |= known[bare.slice(0, length)] ?? 0;
  return labels;
}

function beginnings(lists: [number, string][]): Record<string, number> {
  return codes(lists.map(([bit, list]) => [bit, list.replaceAll('.', '')]));
}

function codes(lists: [number, string][]): Record<string, number> {
  const found: Record<string, number> = Object.create(null);
  for (const [bit, list] of lists) for (const code of list.split(' ')) found[code] = (found[code] ?? 0) | bit;
  return found;
}

/** How many codes, and beginnings of codes, of the table have a label, by its bit. */
export function tableSize(bit: number): number {
  const tables = [icd10Beginnings, icd9Beginnings, ...Object.values(single)];
  return tables.reduce((sum, table) => sum + Object.values(table).filter((labels) => labels & bit).length, 0);
}
