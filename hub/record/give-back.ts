/**
 * Gives the memory of bytes back without waiting for the garbage collector, which does not look after them before tens of
 * megabytes are gone. Bytes that have memory of their own are none afterwards; others stay as they are.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength > 0 && buffer.byteLength === byteLength) buffer.transfer(0);
}
