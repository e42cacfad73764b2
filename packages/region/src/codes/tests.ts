/**
 * Laboratory tests of the region. The hospital measures in conventional units under codes of its own with LOINC beside
 * them; the independent laboratory in SI units under other codes, with LOINC for only some of them.
 */

export interface LabTest {
  key: string;
  text: string;
  /** LOINC and UCUM unit of the conventional measurement (also what the practice files). */
  loinc: string;
  unit: string;
  hospitalCode: string;
  /** The laboratory's own code, unit, LOINC (kept out where it sends none) and factor from the conventional value. */
  labCode: string;
  labUnit: string;
  labLoinc?: string;
  labFactor: number;
  labDigits: number;
  digits: number;
  /** Reference range in conventional units. */
  low?: number;
  high?: number;
  /** A healthy value and its spread. */
  usual: number;
  spread: number;
}

export interface Panel {
  key: string;
  text: string;
  loinc: string;
  hospitalCode: string;
  labCode: string;
  tests: readonly LabTest[];
}

type Row = [
  key: string,
  text: string,
  loinc: string,
  unit: string,
  hospitalCode: string,
  labCode: string,
  labUnit: string,
  labLoinc: string | undefined,
  labFactor: number,
  labDigits: number,
  digits: number,
  low: number | undefined,
  high: number | undefined,
  usual: number,
  spread: number,
];

const ROWS: readonly Row[] = [
  ['a1c', 'Haemoglobin A1c', '4548-4', '%', 'A1C', 'HB1C', '%', '4548-4', 1, 1, 1, 4, 5.6, 5.3, 0.2],
  ['glucose', 'Glucose', '2345-7', 'mg/dL', 'GLU', 'GLUC', 'mmol/L', '14749-6', 0.0555, 1, 0, 70, 99, 90, 7],
  [
    'creatinine',
    'Creatinine',
    '2160-0',
    'mg/dL',
    'CREAT',
    'KREA',
    'umol/L',
    '14682-9',
    88.4,
    0,
    2,
    0.6,
    1.2,
    0.9,
    0.12,
  ],
  ['urea', 'Urea nitrogen', '3094-0', 'mg/dL', 'BUN', 'UREA', 'mmol/L', undefined, 0.357, 1, 0, 7, 20, 14, 3],
  [
    'egfr',
    'Estimated filtration rate',
    '33914-3',
    'mL/min/{1.73_m2}',
    'GFR',
    'EGFR',
    'mL/min',
    undefined,
    1,
    0,
    0,
    60,
    undefined,
    92,
    10,
  ],
  ['sodium', 'Sodium', '2951-2', 'mmol/L', 'NA', 'SOD', 'mmol/L', '2951-2', 1, 0, 0, 135, 145, 140, 2],
  ['potassium', 'Potassium', '2823-3', 'mmol/L', 'K', 'POT', 'mmol/L', '2823-3', 1, 1, 1, 3.5, 5.1, 4.2, 0.3],
  [
    'cholesterol',
    'Cholesterol',
    '2093-3',
    'mg/dL',
    'CHOL',
    'CHO',
    'mmol/L',
    '14647-2',
    0.02586,
    2,
    0,
    undefined,
    200,
    180,
    18,
  ],
  [
    'hdl',
    'HDL cholesterol',
    '2085-9',
    'mg/dL',
    'HDL',
    'HDLC',
    'mmol/L',
    '14646-4',
    0.02586,
    2,
    0,
    40,
    undefined,
    54,
    9,
  ],
  [
    'ldl',
    'LDL cholesterol',
    '13457-7',
    'mg/dL',
    'LDL',
    'LDLC',
    'mmol/L',
    '39469-2',
    0.02586,
    2,
    0,
    undefined,
    130,
    104,
    16,
  ],
  [
    'triglyceride',
    'Triglycerides',
    '2571-8',
    'mg/dL',
    'TRIG',
    'TRI',
    'mmol/L',
    undefined,
    0.01129,
    2,
    0,
    undefined,
    150,
    112,
    25,
  ],
  ['haemoglobin', 'Haemoglobin', '718-7', 'g/dL', 'HGB', 'HB', 'g/L', undefined, 10, 0, 1, 12, 16.5, 14, 0.8],
  ['leukocytes', 'White cells', '6690-2', '10*3/uL', 'WBC', 'LEUC', '10*9/L', undefined, 1, 1, 1, 4, 11, 7, 1.3],
  ['platelets', 'Platelets', '777-3', '10*3/uL', 'PLT', 'THR', '10*9/L', undefined, 1, 0, 0, 150, 400, 250, 40],
  ['tsh', 'Thyrotropin', '3016-3', 'm[iU]/L', 'TSH', 'TSH3', 'mU/L', '3016-3', 1, 2, 2, 0.4, 4.5, 2, 0.7],
  ['alt', 'Alanine aminotransferase', '1742-6', 'U/L', 'ALT', 'GPT', 'U/L', '1742-6', 1, 0, 0, 7, 45, 24, 8],
  ['crp', 'C-reactive protein', '1988-5', 'mg/L', 'CRP', 'CRPQ', 'mg/L', '1988-5', 1, 0, 1, undefined, 8, 3, 1.5],
  [
    'troponin',
    'Troponin I',
    '10839-9',
    'ng/mL',
    'TROP',
    'TNI',
    'ug/L',
    '10839-9',
    1,
    2,
    2,
    undefined,
    0.04,
    0.02,
    0.008,
  ],
  [
    'albuminRatio',
    'Urine albumin to creatinine',
    '9318-7',
    'mg/g',
    'UACR',
    'ACR',
    'mg/mmol',
    undefined,
    0.113,
    1,
    0,
    undefined,
    30,
    12,
    6,
  ],
];

export const TESTS: Readonly<Record<string, LabTest>> = Object.fromEntries(ROWS.map((row) => [row[0], testOf(row)]));

export const PANELS = {
  glycaemia: panel('glycaemia', 'Diabetes control', '4548-4', 'A1CP', 'P-HB1C', ['a1c', 'glucose']),
  metabolic: panel('metabolic', 'Basic metabolic panel', '51990-0', 'BMP', 'P-BAS', [
    'glucose',
    'urea',
    'creatinine',
    'egfr',
    'sodium',
    'potassium',
  ]),
  lipids: panel('lipids', 'Lipid panel', '57698-3', 'LIPID', 'P-LIP', ['cholesterol', 'hdl', 'ldl', 'triglyceride']),
  bloodCount: panel('bloodCount', 'Blood count', '58410-2', 'CBC', 'P-CBC', ['haemoglobin', 'leukocytes', 'platelets']),
  thyroid: panel('thyroid', 'Thyroid function', '3016-3', 'TFT', 'P-THY', ['tsh']),
  kidney: panel('kidney', 'Kidney check', '24362-6', 'RENAL', 'P-REN', [
    'creatinine',
    'egfr',
    'potassium',
    'albuminRatio',
  ]),
  liver: panel('liver', 'Liver enzymes', '24325-3', 'LFT', 'P-LIV', ['alt']),
  cardiac: panel('cardiac', 'Cardiac markers', '10839-9', 'CARD', 'P-CAR', ['troponin', 'creatinine', 'potassium']),
  infection: panel('infection', 'Infection markers', '1988-5', 'INFX', 'P-INF', ['crp', 'leukocytes', 'haemoglobin']),
} as const;

export type PanelKey = keyof typeof PANELS;

/** The value in the laboratory's own unit, with its digits. */
export function labValue(test: LabTest, value: number): string {
  return (value * test.labFactor).toFixed(test.labDigits);
}

/** `70-99`, `<200`, `>60`: the reference range as a laboratory prints it. */
export function rangeText(low: number | undefined, high: number | undefined, factor = 1, digits?: number): string {
  const print = (value: number): string => (digits === undefined ? String(value) : (value * factor).toFixed(digits));
  if (low !== undefined && high !== undefined) return `${print(low)}-${print(high)}`;
  if (high !== undefined) return `<${print(high)}`;
  return low === undefined ? '' : `>${print(low)}`;
}

/** `H`, `L`, `HH`, `LL` or `N` against the conventional range. */
export function abnormalFlag(test: LabTest, value: number): string {
  if (test.high !== undefined && value > test.high) return value > test.high * 2.5 ? 'HH' : 'H';
  if (test.low !== undefined && value < test.low) return value < test.low * 0.5 ? 'LL' : 'L';
  return 'N';
}

function panel(
  key: string,
  text: string,
  loinc: string,
  hospitalCode: string,
  labCode: string,
  tests: readonly string[],
): Panel {
  return { key, text, loinc, hospitalCode, labCode, tests: tests.map((test) => TESTS[test]!) };
}

function testOf(row: Row): LabTest {
  const [key, text, loinc, unit, hospitalCode, labCode, labUnit, labLoinc, labFactor, labDigits] = row;
  const [, , , , , , , , , , digits, low, high, usual, spread] = row;
  return {
    key,
    text,
    loinc,
    unit,
    hospitalCode,
    labCode,
    labUnit,
    labLoinc,
    labFactor,
    labDigits,
    digits,
    low,
    high,
    usual,
    spread,
  };
}
