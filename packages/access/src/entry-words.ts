/**
 * What an entry of the audit log says, in plain words: for the screens, the page that checks proofs offline, and accountings
 * on paper. It stands alone, so that it runs anywhere.
 */

/** The public text of an entry, as far as it is looked at. */
export interface LogEntry {
  at?: string;
  action?: string;
  status?: number;
  outcome?: string;
  /** The versions of what it was decided by. */
  policy?: number;
  agreements?: number;
  consents?: number;
  type?: string;
  who?: string;
  role?: string;
  organization?: string;
  purpose?: string;
  client?: string;
  emergency?: unknown;
  relationship?: string;
  part?: number;
  parts?: number;
  private?: string;
  patients?: unknown;
}

const actionWords: { [action: string]: string } = {
  read: 'opened',
  vread: 'opened an earlier version of',
  history: 'looked through the versions of',
  search: 'searched for',
  everything: 'took the whole record',
  graph: 'looked at',
  graphql: 'looked at',
  lastn: 'looked at the latest',
  docref: 'looked for documents',
  match: 'looked the person up',
  'ihe-pix': 'looked up numbers of the person',
  query: 'asked by a message',
  create: 'added',
  update: 'changed',
  patch: 'changed',
  delete: 'deleted',
  'bulk-delete': 'deleted',
  expunge: 'removed for good',
  export: 'exported records',
  'bulk-file': 'fetched an exported file',
  import: 'imported records',
  deliver: 'sent on',
  notify: 'sent a notification',
  events: 'fetched notifications',
  'open-person': 'opened the identity',
  'open-message': 'opened an original message',
  'open-panel': 'opened a list of people',
  'list-care': 'looked at who gives care',
  'list-consents': 'looked at who may see the record',
  'list-accesses': 'looked at this record of accesses',
  'destroy-audit-key': 'closed what is private of a month of this record for good',
  'open-receipt': 'took the proof of an access',
  'list-disclosures': 'took an account of disclosures',
  'pick-up': 'picked up a document',
  'pick-up-download': 'picked up a document',
  'explain-access': 'asked why somebody may see the record',
  'emergency-begin': 'began an emergency access',
  'emergency-end': 'ended an emergency access',
  'review-emergency': 'reviewed an emergency access',
  'emergency-lookup': 'looked the person up in an emergency',
  'ask-hubs': 'asked other networks about the person',
  'ask-hub': 'asked another network about the person',
  'see-hubs': 'looked at which networks know the person',

  token: 'was let in as an app',
  summary: 'took a summary of the record',
  'make-health-link': 'made a link that shares the record',
  'fill-health-link': 'put documents behind a link that shares the record',
  'revoke-health-link': 'took back a link that shares the record',
  'list-health-links': 'looked at the links that share the record',
  'open-health-link-elsewhere': 'opened a link of another server',
  'open-health-link': 'opened a link that shares the record',
  link: 'joined records of the person',
  unlink: 'took joined records apart',
  merge: 'joined records of the person',
  split: 'took joined records apart',
  'decide-same': 'decided that records are of one person',
  'decide-different': 'decided that records are of different people',
  relationship: 'said to be treating the person',
  attest: 'said to be treating the person',

  'sign-in': 'signed in',
  send: 'sent messages in',
  transaction: 'stored a transaction',
  'answer-app': 'decided what an app may see',
  'open-app': 'opened an app',
  'disconnect-app': 'disconnected an app',
  'register-client': 'registered an app',
  'connect-provider': 'connected an account to a sign-in elsewhere',
  'disconnect-provider': 'disconnected an account from a sign-in elsewhere',
  'unbind-account': 'took an account from a person',
  'list-bindings': 'looked at whose account is whose',
  'list-users': 'looked at the users',
  'list-loops': 'looked at open loops',
  'list-reviews': 'looked at records to be reviewed',
  'list-messages': 'looked at the messages',
  'list-emergencies': 'looked at emergency accesses',
  'list-erasures': 'looked at erasures',
  'preview-erasure': 'looked at what an erasure would take',
  'list-unproven': 'looked at who treats whom',
  'review-unproven': 'reviewed who treats whom',
  'list-information-requests': 'looked at refusals',
  'file-information-request': 'filed a request for records',
  'list-accounting-holds': 'looked at suspended accountings',
  'hold-accounting': 'suspended an accounting',
  'end-accounting-hold': 'ended the suspension of an accounting',
  'audit-entries': 'looked at the audit log',
  'audit-proof': 'took a proof of the audit log',
  'log-growth': 'took a proof that the audit log only grew',
  'list-log-keys': 'looked at the keys of the audit log',
  'list-keys': 'looked at the keys',
  'rotate-keys': 'asked for new keys',
  'rotate-audit-key': 'took up a new key of the audit log',
  'preview-consent': 'looked at what a consent would show',
  'preview-redaction': 'looked at what hiding an element would change',
  'read-label-rules': 'looked at what counts as sensitive',
  'change-label-rules': 'changed what counts as sensitive',
  'read-network-policy': 'looked at the network’s policy',
  'change-network-policy': 'changed the network’s policy',
  'list-subscriptions': 'looked at the subscriptions',
  'open-subscription': 'opened a subscription',
  'change-subscription': 'changed a subscription',
  'list-notices': 'looked at notices',
  'read-notices': 'read notices',
  retention: 'removed what is kept no longer',
  refused: 'asked for something',

  'file-consent': 'filed who may see the record',
  'revoke-consent': 'took back a decision on who may see the record',
  'bind-account': 'said that an account is of the person',
  'preview-panel': 'looked at what a list of people would be',
  'take-panel': 'took a list of the people cared for',
  'open-recall': 'looked at what was taken back',
  'open-loop': 'opened an open loop',
  'note-loop': 'noted something on an open loop',
  'assign-loop': 'gave an open loop to somebody',
  'acknowledge-loop': 'acknowledged a critical result',
  'close-loop': 'closed an open loop',
  'open-reviews': 'looked at records to be reviewed',

  'list-deliveries': 'looked at the deliveries',
  'replay-delivery': 'had a delivery sent again',
  'replay-deliveries': 'had deliveries sent again',
  'replay-message': 'had a message processed again',
  'preview-reprocess': 'looked at what converting anew would change',
  reprocess: 'had messages converted anew',
  'cancel-reprocess': 'stopped the converting anew',
  'test-route': 'tried a route',
  'try-filters': 'tried the filters of a route',
  'list-connectors': 'looked at the connectors',
  'open-connector': 'opened a connector',
  'change-connector': 'changed a connector',
  'change-connector-map': 'changed the map of a connector',
  'try-connector': 'tried a connector',
  'run-connector': 'had a connector run',
  'retry-connector': 'had a connector try again',
  'remove-connector': 'removed a connector',
  'list-participants': 'looked at the organisations',
  'open-participant': 'opened an organisation',
  'change-participant': 'changed an organisation',
  'list-standings': 'looked at how the organisations stand',
  'open-standing': 'looked at how an organisation stands',
  'invite-participant': 'invited an organisation',
  'decide-participant': 'decided on an organisation',
  'write-agreement': 'wrote an agreement',
  'sign-agreement': 'signed an agreement',
  onboarding: 'took a step onto the network',
  'list-certificates': 'looked at the certificates',
  'add-certificate': 'added a certificate',
  'list-peers': 'looked at the other networks',
  'change-peer': 'changed what is agreed with another network',
  'remove-peer': 'removed another network',
  'change-brand': 'changed a brand',
  'remove-brand': 'removed a brand',
  'change-user': 'changed a user',
  'make-user': 'made a user',
  'make-account': 'made an account',
  'reset-user': 'gave a user a new password',
  'change-password': 'changed their password',
  'add-passkey': 'added a passkey',
  'remove-passkey': 'removed a passkey',
  'add-totp': 'set up an authenticator app',
  'remove-totp': 'removed an authenticator app',
  'make-recovery-codes': 'made recovery codes',
  'forget-provider': 'removed a way to sign in elsewhere',
  'list-refusals': 'looked at refusals',
  'decide-refusal': 'decided what covers a refusal',
  'note-information-request': 'noted something on a request for records',
  'list-safeguards': 'looked at the safeguards',
  'attest-safeguard': 'vouched for a safeguard',
  'erasure-maintenance': 'had the files of the database cleared of what was erased',
  'accept-restore': 'accepted the audit log of a back-up',
};

/** What is done to a kind of resource. */
const takeType = new Set([
  'sent on',
  'opened',
  'opened an earlier version of',
  'looked through the versions of',
  'looked at',
  'looked at the latest',
  'searched for',
  'added',
  'changed',
  'deleted',
  'removed for good',
]);

/** Types whose own names would mislead: a Patient is the person’s details, not its record. */
const typeWords: { [type: string]: string | undefined } = {
  Patient: 'the person’s details',
  AuditEvent: 'entries of the audit log',
};

/** Codes of v3-ActReason. */
export const purposeWords: { [purpose: string]: string } = {
  TREAT: 'treatment',
  ETREAT: 'emergency treatment',
  BTG: 'an emergency',
  HPAYMT: 'payment',
  HOPERAT: 'running the organisation',
  HCOMPL: 'looking after privacy',
  PATRQT: 'the person’s own request',
  FAMRQT: 'the request of those who act for the person',
  PUBHLTH: 'public health',
  HRESCH: 'research',
  HSYSADMIN: 'administering the system',
  HLEGAL: 'a legal matter',
};

export const roleWords: { [role: string]: string } = {
  clinician: 'clinician',
  patient: 'the patient',
  proxy: 'acts for the patient',
  steward: 'data steward',
  'integration-engineer': 'integration engineer',
  'privacy-officer': 'privacy officer',
  auditor: 'auditor',
  'public-health': 'public health',
  researcher: 'researcher',
  administrator: 'administrator',
  system: 'a computer system',
};

/** What was done, as the rest of a sentence: `opened a Condition`. */
export function doneWords({ action = '', type }: Pick<LogEntry, 'action' | 'type'>): string {
  const done = Object.hasOwn(actionWords, action) ? actionWords[action]! : `did “${action}”`;
  if (takeType.has(done)) return `${done} ${type ? (typeWords[type] ?? spaced(type)) : 'the record'}`;
  return type === undefined || type === '' || type === 'Patient' ? done : `${done} (${spaced(type)})`;
}

/** A time of the log to the second, in UTC. */
export function timeWords(at: string | undefined): string {
  return at === undefined ? 'at an unknown time' : `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
}

/** Whether the access was let through. */
export function isRefused({ status = 200 }: LogEntry): boolean {
  return status >= 400;
}

function words(of: { [key: string]: string }, key: string | undefined): string {
  return key !== undefined && Object.hasOwn(of, key) ? `${of[key]}, ` : '';
}

function decidedWords({ policy, agreements, consents }: LogEntry): string | undefined {
  const parts = [
    policy === undefined ? undefined : `version ${policy} of the network’s policy`,
    agreements === undefined ? undefined : `agreements as of step ${agreements}`,
    consents === undefined ? undefined : `consents as of change ${consents}`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

/** `AllergyIntolerance` as `allergy intolerance`. */
export function spaced(type: string): string {
  return type.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

const outcomeWords: { [outcome: string]: string } = {
  success: 'done',
  refused: 'refused',
  failed: 'not done: not as it was asked for',
  error: 'not done: a fault of the hub',
};

/** The lines of an entry, label and value. */
export function entryLines(entry: LogEntry): [label: string, value: string][] {
  const { who, role, organization, purpose, client, status, emergency, relationship, part, parts } = entry;
  const lines: [string, string | undefined][] = [
    ['When', timeWords(entry.at)],
    ['Who', who === undefined ? 'not told in the open' : `${who}${role ? ` (${roleWords[role] ?? role})` : ''}`],
    ['Organisation', organization],
    ['What', `${doneWords(entry)}${isRefused(entry) ? ' — it was refused' : ''}`],
    ['Why', purpose && `${purposeWords[purpose] ?? 'another purpose'} (${purpose})`],
    ['Emergency', emergency === undefined ? undefined : 'yes, beyond what is open otherwise'],
    ['App', client],
    ['Shown to be treating the person by', relationship],
    ['Answer', status === undefined ? undefined : `${words(outcomeWords, entry.outcome)}status ${status}`],
    ['Decided by', decidedWords(entry)],
    ['Part', parts === undefined ? undefined : `${part} of ${parts}`],
  ];
  return lines.filter((line): line is [string, string] => line[1] !== undefined && line[1] !== '');
}
