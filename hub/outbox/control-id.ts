/** The control id under which a delivery travels: MSH-10 has room for 20 characters before HL7 v2.7. */

/** The same delivery gives the same id at every attempt; the id keeps the time and 55 random bits of the UUIDv7. */
export function controlIdOf(deliveryId: string): string {
  const bits = BigInt(`0x${deliveryId.replaceAll('-', '')}`) >> 25n;
  return bits.toString(36).toUpperCase().padStart(20, '0').slice(-20);
}

/** The ids of the deliveries that travel under a control id: from the first to the last; undefined where there are none. */
export function deliveriesOf(controlId: string): { first: string; last: string } | undefined {
  if (!/^[0-9A-Z]{20}$/.test(controlId)) return undefined;
  const bits = [...controlId].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n);
  if (bits >= 1n << 103n) return undefined;
  return { first: uuid(bits << 25n), last: uuid((bits << 25n) | ((1n << 25n) - 1n)) };
}

function uuid(bits: bigint): string {
  return bits
    .toString(16)
    .padStart(32, '0')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
