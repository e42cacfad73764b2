/** Changes of HL7 v2 in its own terms: segments, fields, repetitions, components, delimiters, header. */
import type { Random } from './random.ts';
import { anyValue } from './values.ts';

const names = ['PID', 'PV1', 'OBR', 'OBX', 'NTE', 'MRG', 'ORC', 'RXA', 'SCH', 'TXA', 'FT1', 'IN1', 'Z99', 'MSH', 'BHS'];
names.push('BTS', 'FHS', 'FTS', 'DG1', 'AL1', 'NK1', 'GT1', 'SPM', 'MFE', 'QPD', 'ERR', 'DSC', 'ADD', 'pid', '');
const types = ['ADT^A01', 'ADT^A08', 'ADT^A17', 'ADT^A40', 'ADT^A24', 'ADT^A31', 'ORU^R01', 'ORM^O01', 'OML^O21'];
types.push(
  'MDM^T02',
  'SIU^S12',
  'VXU^V04',
  'RDE^O11',
  'DFT^P03',
  'BAR^P01',
  'MFN^M02',
  'REF^I12',
  'PPR^PC1',
  'QBP^Q22',
);
types.push('ACK', 'ADT', '^A01', 'XYZ^Q99', 'RSP^K22', 'ORU^R30', 'ADT^A43', 'ADT^A47', 'MFN^M08');
const charsets = [
  'UNICODE UTF-8',
  '8859/1',
  '8859/15',
  'ASCII',
  'ISO IR87',
  'UNICODE',
  'UNICODE UTF-16',
  'GB 18030-2000',
];
charsets.push('BIG-5', 'KS X 1001', '~ISO IR87', 'latin-1', '');
const versions = ['2.1', '2.2', '2.3', '2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.8', '2.9', '3', ''];
const valueTypes = ['NM', 'ST', 'CE', 'CWE', 'SN', 'TS', 'DTM', 'DT', 'TM', 'ED', 'RP', 'FT', 'TX', 'CX', 'XPN', 'XAD'];
valueTypes.push('XTN', 'NA', 'MA', 'CP', 'PN', 'DR', 'ID', 'IS', 'ZZ', '');
const marks = [...'|^~\\&#!@%*$;<>\'"/ \tA1é\r\0'];

/** The header's fields by their place in a line cut at the field separator. */
const header = { type: 8, version: 11, charset: 17 };

type Lines = string[][];
type Er7Mutation = (lines: Lines, random: Random, other: Lines) => void;

const mutations: readonly Er7Mutation[] = [
  (lines, random) => lines.splice(random.below(lines.length), random.few(4)),
  (lines, random) => lines.splice(random.below(lines.length), 0, [...random.pick(lines)]),
  (lines, random) => {
    const line = random.pick(lines);
    for (let left = random.few(200); left > 0; left--) lines.push([...line]);
  },
  (lines, random) => swap(lines, random),
  (lines, random) => lines.reverse().splice(0, random.below(2)),
  (lines, random, other) => lines.splice(random.below(lines.length + 1), 0, ...other.slice(random.below(other.length))),
  (lines, random) => {
    random.pick(lines)[0] = random.pick(names);
  },
  (lines, random) => random.pick(lines).splice(1 + random.below(20), random.few(3)),
  (lines, random) => {
    const line = random.pick(lines);
    line.splice(1 + random.below(line.length), 0, random.pick(line));
  },
  (lines, random) => swap(random.pick(lines), random),
  (lines, random) => setField(random.pick(lines), random, anyValue(random)),
  (lines, random, other) => setField(random.pick(lines), random, random.pick(random.pick(other)) ?? ''),
  (lines, random) => setField(random.pick(lines), random, parts(random)),
  (lines, random) => changeParts(random.pick(lines), random),
  (lines, random) => changeParts(random.pick(lines), random),
  (lines, random) => {
    const line = random.pick(lines);
    const at = random.below(line.length);
    line[at] = `${line[at]}~`.repeat(random.few(60));
  },
  (lines, random) => setHeader(lines, header.type, random.pick(types)),
  (lines, random) => setHeader(lines, header.version, random.pick(versions)),
  (lines, random) => setHeader(lines, header.charset, random.pick(charsets)),
  (lines, random) => {
    const results = lines.filter(([name]) => name === 'OBX');
    if (results.length > 0) random.pick(results)[2] = random.pick(valueTypes);
  },
  (lines, random) => random.pick(lines).push(...Array.from({ length: random.few(400) }, () => anyValue(random))),
];

/** Changes a text that is, or once was, a message. */
export function mutateEr7(text: string, random: Random, otherText: string): string {
  const separator = separatorOf(text);
  const lines = linesOf(text, separator);
  const other = linesOf(otherText, separatorOf(otherText));
  random.pick(mutations)(lines, random, other);
  let changed = lines
    .map((line) => line.join(separator))
    .join(random.once(12) ? random.pick(['\n', '\r\n', '\n\r', '\r\r']) : '\r');
  if (random.once(12)) changed = changed.replaceAll(random.pick([...'|^~\\&']), random.pick(marks));
  if (random.once(12)) changed = changed.slice(0, 3) + marksOf(random) + changed.slice(3 + random.below(8));
  return changed;
}

/** Several messages as a file of them, more or less as the standard has it. */
export function batched(messages: readonly string[], random: Random): string {
  const maybe = (line: string) => (random.once(6) ? '' : `${line}\r`);
  const count = random.once(3) ? anyValue(random) : String(messages.length);
  const marks = random.once(8) ? marksOf(random) : '|^~\\&';
  const body = messages.map((one) => (random.once(6) ? one : `${one}\r`)).join('');
  const batch = `${maybe(`BHS${marks}|A|B`)}${body}${maybe(`BTS|${count}`)}`;
  return `${maybe(`FHS${marks}|A|B`)}${batch.repeat(random.few(3))}${maybe(`FTS|${random.once(2) ? '1' : anyValue(random)}`)}`;
}

function separatorOf(text: string): string {
  return text.charAt(Math.max(0, text.indexOf('MSH')) + 3) || '|';
}

function linesOf(text: string, separator: string): Lines {
  return text.split(/[\r\n]+/).map((line) => line.split(separator));
}

function swap<T>(items: T[], random: Random): void {
  const [a, b] = [random.below(items.length), random.below(items.length)];
  [items[a], items[b]] = [items[b]!, items[a]!];
}

function setField(line: string[], random: Random, value: string): void {
  line[1 + random.below(Math.max(line.length, 8))] = value;
  for (let i = 0; i < line.length; i++) line[i] ??= '';
}

function setHeader(lines: Lines, field: number, value: string): void {
  const line = lines.find(([name]) => name === 'MSH');
  if (line && line.length > 1) line[field] = value;
  if (line) for (let i = 0; i < line.length; i++) line[i] ??= '';
}

/** Drops, doubles, swaps or replaces a part of a field, at any level. */
function changeParts(line: string[], random: Random): void {
  const at = random.below(line.length);
  const mark = random.pick(['^', '~', '&']);
  const found = line[at]!.split(mark);
  const part = random.below(found.length);
  const change = random.below(5);
  if (change === 0) found.splice(part, 1);
  else if (change === 1) found.splice(part, 0, found[part]!);
  else if (change === 2) swap(found, random);
  else if (change === 3) found[part] = anyValue(random);
  else found.push(...Array.from({ length: random.few(30) }, () => anyValue(random)));
  line[at] = found.join(mark);
}

function parts(random: Random): string {
  const mark = random.pick(['^', '~', '&', '\\']);
  return Array.from({ length: random.few(40) }, () => anyValue(random)).join(mark);
}

function marksOf(random: Random): string {
  return Array.from({ length: 3 + random.below(4) }, () => random.pick(marks)).join('');
}
