/** The routes by which an organisation is told: where to, in which form, and what of it. */
import type { V2MessageCode, V2Version } from '@causeway/mapping';
import type { AgreedPurpose } from './standing.ts';

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
  'allergy',
  'referral-answer',
  'consent',
  'linked',
] as const;
export type Topic = (typeof topics)[number];

/** Finer topics, and of which topic they are. */
export const fineTopics = {
  'critical-result': 'result',
  admitted: 'visit',
  transferred: 'visit',
  discharged: 'visit',
  death: 'person',
  merged: 'person',
  referral: 'order',
  'referral-closed': 'order',
  'referral-accepted': 'referral-answer',
  'referral-declined': 'referral-answer',
  'medication-started': 'prescription',
  'medication-changed': 'prescription',
  'medication-stopped': 'prescription',
  'appointment-changed': 'appointment',
  'appointment-cancelled': 'appointment',
} as const satisfies Readonly<Record<string, Topic>>;
export type FineTopic = keyof typeof fineTopics;

/** Topics of which a dialect has no message. */
export const untoldBy: Readonly<Record<Endpoint['dialect'], readonly Topic[]>> = {
  hl7v2: ['consent', 'referral-answer'],
  fhir: ['linked'],
  ccda: ['linked'],
};

/** One way to an organisation. What goes by it goes in order for each recipient, whatever becomes of other routes. */
export interface Route {
  /** Unique within the organisation; its deliveries are kept under it. */
  name: string;
  to: Endpoint;
  /** What it is told of; without it what the endpoint's messages tell of, else what its kind is told. */
  topics?: readonly (Topic | FineTopic)[];
  /** FHIR searches, as `DiagnosticReport?category=LAB`: of a type that has some, what none of them finds is not told. */
  filters?: readonly string[];
  /** What goes before the rest, and in quiet hours too; critical results always do. */
  urgent?: readonly (Topic | FineTopic)[];
  /** When only what is urgent is sent. */
  quiet?: QuietHours;
  /** The destination's codes for ours. */
  codes?: readonly CodeMap[];
  /**
   * `confirmed`: what is told was stated of a record that a steward or a source said is the destination's patient. Without
   * it the matcher's own decision suffices.
   */
  grade?: 'confirmed';
  /**
   * `introduce`: of whom it cares for and has no Patient of its own, it is told under the numbers of another organisation, the
   * Patient first. Without it that waits until it has one.
   */
  unknown?: 'introduce';
  /** What it is told for; without it for treatment. What the organisation’s agreement does not name is not sent. */
  purpose?: AgreedPurpose;
}

/** Times of a day, `HH:MM`, by the clock of a zone; over midnight where the first is the later. */
export interface QuietHours {
  zone: string;
  from: string;
  to: string;
}

export interface CodeMap {
  from: { system: string; code: string };
  to: { system: string; code: string; display?: string };
}

/** The route of an organisation that has one endpoint. */
export const mainRoute = 'main';

/** Where and in which form a route ends. */
export type Endpoint = V2Endpoint | FhirEndpoint | CcdaEndpoint;

/** A receiver of HL7 v2, over MLLP, HTTP, or as files, and which messages it wants in which form. */
export type V2Endpoint = MllpEndpoint | Hl7HttpEndpoint | (V2Wishes & FilePlace);

/** A FHIR server that takes transactions, or a receiver of Bundles of messages or documents. */
export type FhirEndpoint = { dialect: 'fhir'; form?: FhirForm } & HttpPlace;

export const fhirForms = ['transaction', 'message', 'document'] as const;
export type FhirForm = (typeof fhirForms)[number];

/** A receiver of C-CDA: each document is POSTed, put as a file, or written as mail. */
export type CcdaEndpoint = { dialect: 'ccda' } & (HttpPlace | FilePlace | MailPlace);

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
export type Hl7HttpEndpoint = V2Wishes & HttpPlace;

/** An address that is POSTed to, and how the hub shows who it is: by nothing, a header, a token, its certificate. */
export interface HttpPlace {
  url: string;
  /** Absolute path of a file with the value of the Authorization header, read anew at each message. */
  authorization?: string;
  /** SMART Backend Services: the id by which the receiver knows the hub, whose keys it finds at the hub's `jwks_uri`. */
  services?: ServicesClient;
  tls?: EndpointTls;
}

export interface ServicesClient {
  clientId: string;
  /** Default `system/*.cud`. */
  scope?: string;
  /** Where tokens are had; without it what `.well-known/smart-configuration` below the address says. */
  tokenUrl?: string;
}

/** Each message is a file, written under another name first, so that none is seen half. */
export type FilePlace = { folder: string } | { sftp: SftpPlace };

export interface SftpPlace {
  host: string;
  /** Default 22. */
  port?: number;
  username: string;
  /** SHA-256 of the server's host key, as `ssh-keygen -lf` shows it: `SHA256:…`. */
  fingerprint: string;
  /** Absolute paths, read anew at each connection. */
  passwordFile?: string;
  keyFile?: string;
  /** The folder on the server. */
  path: string;
}

/**
 * Each document is Direct mail, for the one who has the key of a certificate; or it waits on a page of the hub, and mail says
 * where.
 */
export type MailPlace = { direct: DirectPlace } | { pickup: PickupPlace };

export interface PickupPlace {
  address: string;
  /** Absolute path of the file with the PIN by which the page opens, read anew at each try. */
  pinFile: string;
}

export interface DirectPlace {
  address: string;
  /** Absolute path of the PEM file of the certificate, read anew at each mail. */
  certificate: string;
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
  return routes.some(
    ({ to, topics: named }) => named ?? (to.dialect === 'hl7v2' ? to.messages : to.dialect === 'ccda'),
  );
}
