/** The client of a route, by its dialect and transport. */
import type { Endpoint, V2Endpoint } from '../trust/index.ts';
import type { Answer, Client, Timeouts, V2Outgoing } from './answer.ts';
import { FhirClient } from './fhir-client.ts';
import { Hl7HttpClient } from './hl7-http-client.ts';
import { MllpClient } from './mllp-client.ts';

/** Sends HL7 v2: a Client that needs nothing else of what it sends. */
export interface V2Client extends Client {
  send(outgoing: V2Outgoing): Promise<Answer>;
}

type OnLate = (controlId: string, answer: Answer) => void;

/** @param onLate told of acknowledgements that came after their time */
export function clientOf(endpoint: Endpoint, timeouts: Timeouts, onLate?: OnLate): Client {
  return endpoint.dialect === 'hl7v2' ? v2ClientOf(endpoint, timeouts, onLate) : new FhirClient(endpoint, timeouts);
}

export function v2ClientOf(endpoint: V2Endpoint, timeouts: Timeouts, onLate?: OnLate): V2Client {
  return 'url' in endpoint ? new Hl7HttpClient(endpoint, timeouts) : new MllpClient(endpoint, timeouts, onLate);
}
