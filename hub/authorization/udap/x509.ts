/** Certificates and revocation lists. The library needs reflection to be there before it. */
import 'reflect-metadata';

export * from '@peculiar/x509';
