/** Under which addresses the hub and its authorization server are known. */
import { isLoopback } from './client-rules.ts';
import { mountPath } from './handler.ts';

/** Where the hub is known. */
export interface Addresses {
  /** Of the authorization server: its issuer. */
  issuer: string;
  fhir: string;
  /** Whether an address is the FHIR base, by any name that it has. */
  isFhir(address: string): boolean;
}

/** @param url where the hub is reached: scheme, host and port */
export function addressesOf(url: string): Addresses {
  const { origin, port, protocol, hostname } = new URL(url);
  const names = isLoopback(hostname) ? ['localhost', '127.0.0.1', '[::1]'] : [];
  const bases = [origin, ...names.map((name) => new URL(`${protocol}//${name}:${port}`).origin)].map(
    (one) => `${one}/fhir`,
  );
  return {
    issuer: `${origin}${mountPath}`,
    fhir: `${origin}/fhir`,
    isFhir: (address) => bases.includes(address.replace(/\/$/, '')),
  };
}
