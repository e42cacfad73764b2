/**
 * Arrays of numbers in the form in which PostgreSQL takes them without parsing (array_send and array_recv): a Buffer is
 * sent as a binary parameter. Written out as digits and read again they cost several times as much, on both sides.
 */

const headerBytes = 20;
const elementBytes = 12;
const int8 = 20;
const float8 = 701;
const upper = 2 ** 32;

/** A bigint[]; `undefined` is NULL. */
export function int8Array(values: readonly (number | bigint | undefined)[]): Buffer {
  const { buffer, view } = allocated(int8, values);
  let at = headerBytes;
  for (const value of values) {
    if (value === undefined) {
      view.setInt32(at, -1);
      at += 4;
      continue;
    }
    view.setInt32(at, 8);
    if (typeof value === 'bigint') view.setBigInt64(at + 4, value);
    else {
      view.setInt32(at + 4, Math.floor(value / upper));
      view.setUint32(at + 8, value >>> 0);
    }
    at += elementBytes;
  }
  return buffer.subarray(0, at);
}

/** A float8[]. */
export function float8Array(values: readonly number[]): Buffer {
  const { buffer, view } = allocated(float8, values);
  let at = headerBytes;
  for (const value of values) {
    view.setInt32(at, 8);
    view.setFloat64(at + 4, value);
    at += elementBytes;
  }
  return buffer;
}

/** Room for an array of one dimension, its header written; without elements it has none. */
function allocated(type: number, { length }: readonly unknown[]): { buffer: Buffer; view: DataView } {
  const buffer = Buffer.allocUnsafe(headerBytes + length * elementBytes);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  view.setInt32(0, 1);
  view.setInt32(4, 1);
  view.setInt32(8, type);
  view.setInt32(12, length);
  view.setInt32(16, 1);
  return { buffer, view };
}
