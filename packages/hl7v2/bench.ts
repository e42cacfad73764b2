/**
 * Parse rate with every leaf decoded, on an ADT of 2.5 KB and an ORU of 7.5 KB, per second of CPU time, beside MLLP
 * framing. Run: `npx causeway-node packages/hl7v2/bench.ts`.
 */
import {
  encodeFrame,
  forEachAtom,
  isParseError,
  MessageBuilder,
  MllpDecoder,
  parseMessage,
  repetitions,
} from './src/index.ts';

const header = (type: string[]) => ({
  sendingApplication: 'REGISTRATION',
  sendingFacility: ['RIVERSIDE', '2.16.840.1.113883.19.7', 'ISO'],
  receivingApplication: 'HUB',
  receivingFacility: 'REGION',
  time: '20240229134500.123+0000',
  type,
  controlId: 'BENCH0000001',
  version: '2.5.1',
});

const identifier = (value: string, type: string) => [
  value,
  '',
  '',
  ['RIVERSIDE', '2.16.840.1.113883.19.7', 'ISO'],
  type,
];

function patient(message: MessageBuilder): MessageBuilder {
  const address = [['77 Quarry Rise', 'Quarry Rise', '77'], 'Flat 2 & 3', 'Northwater', 'WA', '98000', 'USA', 'H'];
  return message.segment('PID', {
    1: '1',
    3: repetitions(identifier('4471920', 'MR'), identifier('900-11-2233', 'SS'), identifier('PA-55', 'PI')),
    5: repetitions(['Ōkerlund', 'Maris', 'T', '', 'Dr', '', 'L'], ['Vane', 'Maris', '', '', '', '', 'M']),
    7: '19610417',
    8: 'F',
    10: ['2106-3', 'White', 'CDCREC'],
    11: repetitions(address, address),
    13: repetitions(['', 'PRN', 'PH', '', '1', '206', '5550143'], ['', 'NET', 'Internet', 'maris@mail.example']),
    15: ['eng', 'English', 'ISO6392'],
    16: ['M', 'Married', 'HL70002'],
    18: identifier('ACC-8812', 'AN'),
  });
}

function admission(): Uint8Array {
  const doctor = ['1093', 'Thorne', 'Ilya', 'B', '', 'Dr', 'MD', '', ['NPI', '2.16.840.1.113883.4.6', 'ISO']];
  const message = patient(
    new MessageBuilder(header(['ADT', 'A01', 'ADT_A01'])).segment('EVN', { 1: 'A01', 2: '20240229134500' }),
  );
  for (const n of [1, 2]) {
    message.segment('NK1', {
      1: n,
      2: ['Ōkerlund', 'Jon'],
      3: ['SPO', 'Spouse', 'HL70063'],
      5: ['', 'PRN', 'PH', '', '1', '206', '5550199'],
    });
  }
  message.segment('PV1', {
    1: '1',
    2: 'I',
    3: ['4E', '412', 'B', ['RIVERSIDE', '2.16.840.1.113883.19.7', 'ISO']],
    7: doctor,
    8: doctor,
    10: 'MED',
    17: doctor,
    19: identifier('V-33019', 'VN'),
    44: '20240229134000',
  });
  for (let n = 1; n <= 5; n++) {
    message.segment('AL1', {
      1: n,
      2: ['DA', 'Drug allergy', 'HL70127'],
      3: ['7980', 'Penicillin G & salts', 'RXNORM', 'PCN', 'Penicillin', 'LOCAL'],
      4: 'SV',
      5: 'Hives',
      6: '20080312',
    });
  }
  for (let n = 1; n <= 4; n++) {
    message.segment('DG1', {
      1: n,
      3: ['I10', 'Essential (primary) hypertension', 'I10C', '38341003', 'Hypertensive disorder', 'SCT'],
      5: '20240229',
      6: 'A',
      16: doctor,
    });
  }
  return message.toBytes();
}

function results(): Uint8Array {
  const message = patient(new MessageBuilder(header(['ORU', 'R01', 'ORU_R01'])));
  message.segment('OBR', {
    1: '1',
    2: 'P-1',
    3: 'F-1',
    4: ['24323-8', 'Comprehensive metabolic panel', 'LN'],
    7: '20240229080000',
    22: '20240229120000',
    25: 'F',
  });
  for (let n = 1; n <= 42; n++) {
    message.segment('OBX', {
      1: n,
      2: 'NM',
      3: ['2345-7', 'Glucose [Mass/volume] in Serum or Plasma', 'LN', 'GLU', 'Glucose', 'LOCAL'],
      5: 90 + n,
      6: ['mg/dL', 'mg/dL', 'UCUM'],
      7: '70 - 99',
      8: 'H',
      11: 'F',
      14: '20240229080000',
      19: '20240229113000',
    });
    if (n % 6 === 0)
      message.segment('NTE', { 1: '1', 3: 'Fasting sample; repeated & confirmed.\nSee the laboratory handbook.' });
  }
  return message.toBytes();
}

/** Runs for about two seconds; answers operations per second of CPU. */
function rate(operation: () => void): number {
  for (let i = 0; i < 3000; i++) operation();
  const begin = process.cpuUsage();
  let [count, spent] = [0, 0];
  while (spent < 2e6) {
    for (let i = 0; i < 500; i++) operation();
    count += 500;
    const { user, system } = process.cpuUsage(begin);
    spent = user + system;
  }
  return Math.round((count * 1e6) / spent);
}

function leaves(bytes: Uint8Array): number {
  const message = parseMessage(bytes);
  if (isParseError(message)) throw new Error(message.message);
  let length = 0;
  forEachAtom(message, (atom) => {
    length += atom.value.length;
  });
  return length;
}

const rows = [];
for (const [name, bytes] of [
  ['ADT^A01', admission()],
  ['ORU^R01', results()],
] as const) {
  const frame = encodeFrame(bytes);
  const decoder = new MllpDecoder();
  rows.push({
    message: name,
    bytes: bytes.length,
    'parse, all leaves /s': rate(() => leaves(bytes)),
    'parse, 20 paths /s': rate(() => {
      const message = parseMessage(bytes);
      if (isParseError(message)) throw new Error(message.message);
      for (let i = 1; i <= 20; i++) message.get(`PID-${i}.1`);
    }),
    'unframe /s': rate(() => void decoder.push(frame)),
  });
}
console.table(rows);
