/** The routes by which an organisation is told: where to, in which form, and what of it. */
import type { V2MessageCode, V2Version } from '@causeway/mapping';

/** What a delivery tells of. */
export const topics = [
  'result',
  'discharge-summary',
  'document',
  'person',
  'visit',
  'appointment',
  'prescription',
  'immunization',
  'order',
] as const;
export type Topic = (typeof topics)[number];

/** One way to an organisation. What goes by it goes in order for each recipient, whatever becomes of other routes. */
export interface Route {
  /** Unique within the organisation; its deliveries are kept under it. */
  name: string;
  to: Endpoint;
  /** What it is told of; without it what the endpoint's messages tell of, else what its kind is told. */
  topics?: readonly Topic[];
}

/** The route of an organisation that has one endpoint. */
export const mainRoute = 'main';

/** Where and in which form a route ends. */
export type Endpoint = V2Endpoint | FhirEndpoint;

export interface FhirEndpoint {
  dialect: 'fhir';
  url: string;
}

/** A receiver of HL7 v2, over MLLP or HTTP, and which messages it wants in which form. */
export type V2Endpoint = MllpEndpoint | Hl7HttpEndpoint;

interface V2Wishes {
  dialect: 'hl7v2';
  /** `enhanced`: it says CA when it has a message, and AA, AE or AR when it is done with it. Default original. */
  acknowledgement?: 'original' | 'enhanced';
  /** Which messages it wants; without it ORU, and MDM of discharge summaries for a practice. */
  messages?: readonly V2MessageCode[];
  /** Default 2.5.1. */
  version?: V2Version;
  /** MSH-5 and MSH-6, where it receives under other names than it sends under. */
  application?: string;
  facility?: string;
}

export interface MllpEndpoint extends V2Wishes {
  host: string;
  port: number;
  /** With TLS, 1.2 or newer; the receiver's certificate is always verified. */
  tls?: EndpointTls;
}

/** HL7 over HTTP: each message is POSTed, and answered by its acknowledgement. */
export interface Hl7HttpEndpoint extends V2Wishes {
  url: string;
  /** Absolute path of a file with the value of the Authorization header, read anew at each message. */
  authorization?: string;
}

/** Absolute paths of PEM files, read anew at each connection. */
export interface EndpointTls {
  /** The authorities that may have signed the receiver's certificate; without it those that the system trusts. */
  ca?: string;
  /** The hub's own certificate with its chain, and its key, for a receiver that asks for one. */
  certificate?: string;
  key?: string;
  /** The name that the receiver's certificate must be for, where that is not the host. */
  serverName?: string;
}

/** The routes of an organisation with one endpoint, or none. */
export function routesTo(endpoint: Endpoint | undefined): Route[] {
  return endpoint ? [{ name: mainRoute, to: endpoint }] : [];
}

/** Whether an organisation of these routes says itself what it wants, and does not leave that to its kind. */
export function asks(routes: readonly Route[] = []): boolean {
  return routes.some(({ to, topics: named }) => named ?? (to.dialect === 'hl7v2' && to.messages));
}
