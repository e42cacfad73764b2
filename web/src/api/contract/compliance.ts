/** The register of refusals, requests that came by letter, and the safeguards. */

export interface Refusal {
  day: string;
  kind: string;
  organization: string;
  requester: string;
  action: string;
  times: number;
  firstAt: string;
  lastAt: string;
  says: string;
  exception: string;
  citation?: string;
  decided?: { by: string; at: string; note: string };
}

export interface RefusalList {
  from: string;
  to: string;
  refusals: Refusal[];
  exceptions: BlockingException[];
}

export interface BlockingException {
  code: string;
  citation: string;
  name: string;
}

export interface InformationRequest {
  id: string;
  received: string;
  requester: string;
  patient?: string;
  filedAt: string;
  filedBy: string;
  about?: { name: string; asked: string; manner: string };
  state: 'open' | 'fulfilled' | 'refused' | 'withdrawn';
  exception?: string;
  citation?: string;
  clocks: { what: string; by: string; citation: string; met?: string; isLate: boolean }[];
  steps: { at: string; by: string; step: string; day: string; note?: string }[];
}

export interface InformationRequestList {
  requests: InformationRequest[];
  late: number;
}

export interface Safeguard {
  id: string;
  name: string;
  group: 'administrative' | 'physical' | 'technical';
  isRequired: boolean;
  state: 'met' | 'attention' | 'not-met' | 'unknown' | 'due' | 'not-applicable';
  checks: { name: string; state: 'good' | 'attention' | 'bad' | 'unknown'; says: string }[];
  attestation?: { state: string; by: string; at: string; note: string; until: string };
}
