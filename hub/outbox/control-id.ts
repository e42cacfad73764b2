/** The control id under which a delivery travels: MSH-10 has room for 20 characters before HL7 v2.7. */

/** The same delivery gives the same id at every attempt; the id keeps the time and 55 random bits of the UUIDv7. */
export function controlIdOf(deliveryId: string): string {
  const bits = BigInt(`0x${deliveryId.replaceAll('-', '')}`) >> 25n;
  return bits.toString(36).toUpperCase().padStart(20, '0').slice(-20);
}
