/**
 * Results in PostgreSQL's binary format, for the connections of the readers: bytes arrive as they are stored, numbers
 * and times without being spelt out and read again. The driver reads results as text only, so rows are taken out of
 * what arrives before it; all else of the protocol stays the driver's.
 *
 * The first time that a connection carries out a named statement its result is described, and comes as text. From then
 * on, where its columns are all of types that are known here, it comes in binary and is not described again.
 */
import type { EventEmitter } from 'node:events';
import pg from 'pg';

/** Reads the value of a column that lies in `bytes`. */
type Decoder = (bytes: Buffer, at: number, length: number) => unknown;

interface Column {
  name: string;
  decode: Decoder;
}

/** The driver's connection and query, as far as their types do not tell of them. */
interface Wire {
  stream: EventEmitter;
  emit(event: string, message: unknown): boolean;
  bind(what: { portal: string; statement: string; values: unknown[]; binary: true; valueMapper: unknown }): void;
  execute(what: object): void;
  sync(): void;
}
interface DriverQuery {
  name?: string;
  values?: unknown[];
  _accumulateRows: boolean;
  _result: { parseRow(fields: unknown): unknown };
  prepare(connection: Wire): void;
  handleRowDescription(message: RowDescription): void;
  handleDataRow(message: { fields: unknown }): void;
}
interface RowDescription {
  fields: { name: string; dataTypeID: number }[];
}

const driver = {
  query: pg.Query.prototype as unknown as DriverQuery,
  ...(pg as unknown as { utils: { prepareValue: unknown } }).utils,
};

/** The columns of the statements that a connection has carried out. */
const described = new WeakMap<Wire, Map<string, Column[]>>();

/** Readies a connection, once it is connected, for `BinaryQuery`. */
export function readBinary(client: pg.ClientBase): void {
  const { connection } = client as unknown as { connection: Wire };
  described.set(connection, new Map());
  const driverReads = connection.stream.listeners('data');
  const messages = new Messages(
    (row) => connection.emit('dataRow', row),
    (bytes) => {
      for (const read of driverReads) read(bytes);
    },
  );
  connection.stream.removeAllListeners('data');
  connection.stream.on('data', (bytes: Buffer) => messages.take(bytes));
}

/** A statement whose result comes in binary where it can; on a connection that `readBinary` readied. */
export class BinaryQuery extends pg.Query {
  #connection: Wire | undefined;
  #isBinary = false;

  prepare(connection: Wire): void {
    const self = this as unknown as DriverQuery;
    const { name } = self;
    const columns = name === undefined ? undefined : described.get(connection)?.get(name);
    this.#connection = connection;
    if (name === undefined || !columns) {
      driver.query.prepare.call(self, connection);
      return;
    }
    this.#isBinary = true;
    self._accumulateRows = true;
    self._result.parseRow = (row) => rowOf(columns, row as RowMessage);
    const values = self.values ?? [];
    connection.bind({ portal: '', statement: name, values, binary: true, valueMapper: driver.prepareValue });
    connection.execute({});
    connection.sync();
  }

  handleRowDescription(message: RowDescription): void {
    const self = this as unknown as DriverQuery;
    const columns = message.fields.map((field) => ({ name: field.name, decode: decoders.get(field.dataTypeID) }));
    if (self.name !== undefined && columns.every((column): column is Column => column.decode !== undefined)) {
      described.get(this.#connection!)?.set(self.name, columns);
    }
    driver.query.handleRowDescription.call(self, message);
  }

  handleDataRow(message: RowMessage): void {
    driver.query.handleDataRow.call(this as unknown as DriverQuery, this.#isBinary ? { fields: message } : message);
  }
}

const dataRow = 'D'.charCodeAt(0);
/** A message begins with its kind, a byte, and its length, which counts itself. */
const headBytes = 5;

/** Takes apart what arrives: rows, and whatever lies between them. */
class Messages {
  readonly #row: (row: RowMessage) => void;
  readonly #others: (bytes: Buffer) => void;
  /** The beginning of a message whose end has not arrived. */
  #pieces: Buffer[] = [];
  #held = 0;
  #wanted = headBytes;

  constructor(row: (row: RowMessage) => void, others: (bytes: Buffer) => void) {
    this.#row = row;
    this.#others = others;
  }

  take(piece: Buffer): void {
    let bytes = piece;
    if (this.#held > 0) {
      this.#pieces.push(piece);
      this.#held += piece.length;
      if (this.#held < this.#wanted) return;
      bytes = Buffer.concat(this.#pieces, this.#held);
      this.#pieces = [];
      this.#held = 0;
    }
    let at = 0;
    let others = 0;
    this.#wanted = headBytes;
    while (at + headBytes <= bytes.length) {
      const next = at + 1 + bytes.readUInt32BE(at + 1);
      if (next > bytes.length) {
        this.#wanted = next - at;
        break;
      }
      if (bytes[at] === dataRow) {
        if (others < at) this.#others(bytes.subarray(others, at));
        this.#row(new RowMessage(bytes, at + headBytes, next - at - 1));
        others = next;
      }
      at = next;
    }
    if (others < at) this.#others(bytes.subarray(others, at));
    if (at === bytes.length) return;
    this.#pieces = [bytes.subarray(at)];
    this.#held = bytes.length - at;
  }
}

/** A row as it arrived. */
class RowMessage {
  readonly name = 'dataRow';
  readonly length: number;
  readonly bytes: Buffer;
  /** Where its fields begin: their number, then each after its length. */
  readonly at: number;

  constructor(bytes: Buffer, at: number, length: number) {
    this.length = length;
    this.bytes = bytes;
    this.at = at;
  }

  /** The fields as the driver has them, which reads all as text. */
  get fields(): (string | null)[] {
    const { bytes } = this;
    const texts: (string | null)[] = [];
    let at = this.at + 2;
    for (let left = bytes.readInt16BE(this.at); left > 0; left--) {
      const length = bytes.readInt32BE(at);
      at += 4;
      texts.push(length < 0 ? null : text(bytes, at, length));
      if (length > 0) at += length;
    }
    return texts;
  }
}

function rowOf(columns: readonly Column[], { bytes, at: start }: RowMessage): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  let at = start + 2;
  for (const { name, decode } of columns) {
    const length = bytes.readInt32BE(at);
    at += 4;
    row[name] = length < 0 ? null : decode(bytes, at, length);
    if (length > 0) at += length;
  }
  return row;
}

/** By the number of the type. Values are as those that come as text; see `pool.ts`. */
const decoders = new Map<number, Decoder>([
  [16, (bytes, at) => bytes[at] === 1],
  [17, (bytes, at, length) => bytes.subarray(at, at + length)],
  [20, int8],
  [21, (bytes, at) => bytes.readInt16BE(at)],
  [23, (bytes, at) => bytes.readInt32BE(at)],
  [25, text],
  [701, (bytes, at) => bytes.readDoubleBE(at)],
  [1007, arrayOf((bytes, at) => bytes.readInt32BE(at))],
  [1016, arrayOf(int8)],
  [1043, text],
  [1082, date],
  [1184, timestamp],
  [2950, uuid],
]);

/** Whether columns of a type, by its number, come in binary. */
export function isReadInBinary(type: number): boolean {
  return decoders.has(type);
}

function text(bytes: Buffer, at: number, length: number): string {
  return bytes.toString('utf8', at, at + length);
}

const dayMs = 24 * 3600 * 1000;
const firstDay = Date.UTC(2000, 0, 1);

/** Days since 2000; as the driver's text has them, in years of four digits. */
function date(bytes: Buffer, at: number): string {
  const days = bytes.readInt32BE(at);
  if (days === 0x7fffffff) return 'infinity';
  if (days === -0x80000000) return '-infinity';
  return new Date(firstDay + days * dayMs).toISOString().slice(0, 10);
}

const beyond = 2 ** 32;

function int8(bytes: Buffer, at: number): number {
  const value = bytes.readInt32BE(at) * beyond + bytes.readUInt32BE(at + 4);
  if (!Number.isSafeInteger(value)) {
    throw new RangeError('An int8 beyond 2^53 was selected: select it ::text, so that it keeps its digits.');
  }
  return value;
}

/** Dimensions, whether there are nulls, type; then of each dimension size and first index; then the elements. */
function arrayOf<T>(element: (bytes: Buffer, at: number) => T): Decoder {
  return (bytes, start) => {
    const dimensions = bytes.readInt32BE(start);
    if (dimensions === 0) return [];
    if (dimensions > 1) throw new RangeError('An array of several dimensions was selected.');
    const values: (T | null)[] = [];
    let at = start + 20;
    for (let left = bytes.readInt32BE(start + 12); left > 0; left--) {
      const length = bytes.readInt32BE(at);
      at += 4;
      values.push(length < 0 ? null : element(bytes, at));
      if (length > 0) at += length;
    }
    return values;
  };
}

const year2000 = Date.UTC(2000, 0, 1);

/** Microseconds since the year 2000; infinity as a number, as the driver has it. */
function timestamp(bytes: Buffer, at: number): Date | number {
  const high = bytes.readInt32BE(at);
  const low = bytes.readUInt32BE(at + 4);
  if (high === 0x7fffffff && low === 0xffffffff) return Number.POSITIVE_INFINITY;
  if (high === -0x80000000 && low === 0) return Number.NEGATIVE_INFINITY;
  return new Date(year2000 + Math.floor((high * beyond + low) / 1000));
}

function uuid(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
