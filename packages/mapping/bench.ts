/**
 * Conversions of HL7 v2 into facts and ledger per second of CPU time, from bytes on, of an ADT of 2.5 KB and an ORU of
 * 7.5 KB. Run: `npx causeway-node packages/mapping/bench.ts`.
 */
import { isParseError, parseMessage } from '@causeway/hl7v2';
import { convertV2 } from './src/index.ts';

const AUTHORITY = 'RIVERSIDE&2.16.840.1.113883.19.7&ISO';
const DOCTOR = '1093^Thorne^Ilya^B^^Dr^MD^^NPI&2.16.840.1.113883.4.6&ISO';
const PATIENT =
  `PID|1||4471920^^^${AUTHORITY}^MR~900-11-2233^^^${AUTHORITY}^SS~PA-55^^^${AUTHORITY}^PI||` +
  'Ōkerlund^Maris^T^^Dr^^L~Vane^Maris^^^^^M||19610417|F||2106-3^White^CDCREC|' +
  '77 Quarry Rise&Quarry Rise&77^Flat 2^Northwater^WA^98000^USA^H~1 Mill Lane^^Northwater^WA^98000^USA^B||' +
  '^PRN^PH^^1^206^5550143~^NET^Internet^maris@mail.example||eng^English^ISO6392|M^Married^HL70002||' +
  `ACC-8812^^^${AUTHORITY}^AN`;

const header = (type: string) =>
  `MSH|^~\\&|REGISTRATION|${AUTHORITY}|HUB|REGION|20240229134500.123+0000||${type}|BENCH0000001|P|2.5.1`;

function admission(): string {
  const lines = [header('ADT^A01^ADT_A01'), 'EVN|A01|20240229134500', PATIENT];
  for (const n of [1, 2, 3, 4, 5]) lines.push(`NK1|${n}|Ōkerlund^Jon${n}|SPO^Spouse^HL70063||^PRN^PH^^1^206^5550199`);
  lines.push(
    `PV1|1|I|4E^412^B^${AUTHORITY}||||${DOCTOR}|${DOCTOR}||MED|||||||${DOCTOR}||V-33019^^^${AUTHORITY}^VN${'|'.repeat(25)}20240229134000`,
  );
  for (let n = 1; n <= 5; n++)
    lines.push(
      `AL1|${n}|DA^Drug allergy^HL70127|798${n}^Penicillin G \\T\\ salts^RXNORM^PCN${n}^Penicillin^LOCAL|SV|Hives|20080312`,
    );
  for (let n = 1; n <= 4; n++)
    lines.push(
      `DG1|${n}||I1${n}^Essential (primary) hypertension^I10C^38341003^Hypertensive disorder^SCT||20240229|A||||||||||${DOCTOR}`,
    );
  return lines.join('\r');
}

function results(): string {
  const lines = [
    header('ORU^R01^ORU_R01'),
    PATIENT,
    'OBR|1|P-1|F-1|24323-8^Comprehensive metabolic panel^LN|||20240229080000|||||||||||||||20240229120000|||F',
  ];
  for (let n = 1; n <= 42; n++) {
    lines.push(
      `OBX|${n}|NM|23${n}-7^Glucose [Mass/volume] in Serum or Plasma^LN^GLU^Glucose^LOCAL||${90 + n}|mg/dL^mg/dL^UCUM|` +
        '70 - 99|H|||F|||20240229080000|||||20240229113000',
    );
    if (n % 6 === 0) lines.push('NTE|1||Fasting sample; repeated \\T\\ confirmed.\\.br\\See the laboratory handbook.');
  }
  return lines.join('\r');
}

/** Runs for about three seconds; answers operations per second of CPU. */
function rate(operation: () => void): number {
  for (let i = 0; i < 1000; i++) operation();
  const begin = process.cpuUsage();
  let [count, spent] = [0, 0];
  while (spent < 3e6) {
    for (let i = 0; i < 100; i++) operation();
    count += 100;
    const { user, system } = process.cpuUsage(begin);
    spent = user + system;
  }
  return Math.round((count * 1e6) / spent);
}

let number = 0;

function convert(bytes: Uint8Array): number {
  const message = parseMessage(bytes);
  if (isParseError(message)) throw new Error(message.message);
  const { facts, ledger } = convertV2(message, {
    source: 'bench',
    receivedAt: '2024-02-29T13:45:01Z',
    messageUri: `urn:causeway:message:${number++}`,
  });
  return facts.length + ledger.length;
}

const rows = [];
for (const [name, text] of [
  ['ADT^A01', admission()],
  ['ORU^R01', results()],
] as const) {
  const bytes = Buffer.from(text);
  rows.push({ message: name, bytes: bytes.length, 'v2 → FHIR /s': rate(() => void convert(bytes)) });
}
console.table(rows);
