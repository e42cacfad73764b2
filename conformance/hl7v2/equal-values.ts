/**
 * Whether a leaf that was written says what the source's leaf says: the same text, number or time; or, put into the
 * source in its place, something that converts to the same facts (`M` and `Male`, `LN` and `LOINC`).
 */
import { editMessage, isParseError, type Message } from '@causeway/hl7v2';
import { type Conversion, type ConversionContext, convertV2 } from '@causeway/mapping';

/** Texts, numbers, and times of the same precision. */
export function sameText(source: string, given: string): boolean {
  const [a, b] = [cleaned(source), cleaned(given)];
  return a === b || (isNumber(a) && isNumber(b) && Number(a) === Number(b)) || sameTime(a, b);
}

/** Without control characters, each run of white space one blank. */
export function cleaned(value: string): string {
  return value
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Asks the converter whether a leaf can stand for another. */
export class MeaningCheck {
  readonly #message: Message;
  readonly #context: ConversionContext;
  readonly #facts: string;

  constructor(message: Message, conversion: Conversion, context: ConversionContext) {
    this.#message = message;
    this.#context = context;
    this.#facts = textOf(conversion);
  }

  /** @param source where the leaf stands, in the ledger's notation */
  same(source: string, given: string): boolean {
    const edited = editMessage(this.#message, [{ path: pathOf(source), value: given }]);
    return !isParseError(edited) && textOf(convertV2(edited, this.#context)) === this.#facts;
  }
}

/** Identity is by the letter: a code in other letters is another fact, which is not what is asked here. */
function textOf({ facts }: Conversion): string {
  const ids = new Map(facts.map(({ resource }, index) => [resource.id!, `#${index}`]));
  return JSON.stringify(facts.map(({ resource }) => resource)).replace(
    /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g,
    (id) => ids.get(id) ?? id,
  );
}

/** `PID[1]-5[1].1.1` as an edit names it. */
function pathOf(source: string): string {
  return source.replace(/^([A-Z0-9]{3})\[1\]/, '$1');
}

const DTM = /^(\d{4})(\d{2})?(\d{2})?(?:(\d{2})(\d{2})?(\d{2})?(\.\d+)?)?(Z|[+-]\d{4})?$/;

/** The same year, month or day; or the same instant, minutes and seconds not given being zero and no zone being UTC. */
function sameTime(a: string, b: string): boolean {
  const [x, y] = [DTM.exec(a), DTM.exec(b)];
  if (x === null || y === null || (x[4] === undefined) !== (y[4] === undefined)) return false;
  if (x[4] === undefined) return x[1] === y[1] && x[2] === y[2] && x[3] === y[3];
  return instantOf(x) === instantOf(y);
}

function instantOf(parts: RegExpExecArray): number {
  const [, year, month, day, hour, minute = '00', second = '00', fraction = '', zone = 'Z'] = parts;
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction.slice(0, 4)}${offset}`);
}

function isNumber(value: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(value);
}
