/** The settings of a route as a form has them: texts by the name of the setting; see docs/outbound.md. */
import type { Route } from '../api/contract.ts';

export interface Field {
  label: string;
  description?: string;
  isRequired?: boolean;
  choices?: Record<string, string>;
}

/** The settings of where a route ends, by their place in `to`. */
export const FIELDS: Record<string, Field> = {
  host: { label: 'Host', isRequired: true },
  port: { label: 'Port', isRequired: true },
  url: { label: 'Address', isRequired: true },
  folder: { label: 'Folder', description: 'Absolute path on the hub', isRequired: true },
  form: {
    label: 'Form',
    choices: { transaction: 'Transactions', message: 'Messages ($process-message)', document: 'Documents' },
  },
  version: {
    label: 'HL7 version',
    choices: Object.fromEntries(
      ['2.3', '2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.7.1', '2.8', '2.8.1', '2.8.2'].map((one) => [one, one]),
    ),
  },
  acknowledgement: {
    label: 'Acknowledgement',
    choices: { original: 'Original: AA when it is done', enhanced: 'Enhanced: CA, then AA' },
  },
  application: { label: 'Receiving application (MSH-5)' },
  facility: { label: 'Receiving facility (MSH-6)' },
  authorization: { label: 'File of the Authorization header', description: 'Or Backend Services below, not both' },
  'services.clientId': { label: 'Backend Services: client id' },
  'services.scope': { label: 'Backend Services: scope' },
  'services.tokenUrl': { label: 'Backend Services: token address' },
  'tls.ca': { label: 'TLS: file of the authorities', description: 'PEM; left out: those of the system' },
  'tls.certificate': { label: 'TLS: file of the hub’s certificate' },
  'tls.key': { label: 'TLS: file of its key' },
  'tls.serverName': { label: 'TLS: name in the receiver’s certificate' },
  'sftp.host': { label: 'SFTP host', isRequired: true },
  'sftp.port': { label: 'SFTP port' },
  'sftp.username': { label: 'User', isRequired: true },
  'sftp.fingerprint': { label: 'Fingerprint of the host key', description: 'SHA256:…', isRequired: true },
  'sftp.passwordFile': { label: 'File of the password', description: 'Or of a key, not both' },
  'sftp.keyFile': { label: 'File of the key' },
  'sftp.path': { label: 'Folder on the server', isRequired: true },
  'direct.address': { label: 'Direct address', isRequired: true },
  'direct.certificate': { label: 'File of the receiver’s certificate', description: 'PEM', isRequired: true },
  'pickup.address': { label: 'Mail address', description: 'Gets a link, and nothing of whom', isRequired: true },
  'pickup.pinFile': { label: 'File of the PIN', description: '8 characters or more', isRequired: true },
};

const tls = ['tls.ca', 'tls.certificate', 'tls.key', 'tls.serverName'];
const http = ['url', 'authorization', 'services.clientId', 'services.scope', 'services.tokenUrl', ...tls];
const sftp = ['host', 'port', 'username', 'fingerprint', 'passwordFile', 'keyFile', 'path'].map((one) => `sftp.${one}`);
const v2 = ['version', 'acknowledgement', 'application', 'facility'];

interface WayOf {
  label: string;
  dialect: 'hl7v2' | 'fhir' | 'ccda';
  fields: string[];
  /** What tells the way from others of its dialect. */
  mark: string;
}

export const WAYS = {
  mllp: { label: 'HL7 v2 over MLLP', dialect: 'hl7v2', fields: ['host', 'port', ...v2, ...tls], mark: 'host' },
  'hl7-http': { label: 'HL7 v2 over HTTP', dialect: 'hl7v2', fields: [...http, ...v2], mark: 'url' },
  'hl7-folder': { label: 'HL7 v2 into a folder', dialect: 'hl7v2', fields: ['folder', ...v2], mark: 'folder' },
  'hl7-sftp': { label: 'HL7 v2 by SFTP', dialect: 'hl7v2', fields: [...sftp, ...v2], mark: 'sftp' },
  fhir: { label: 'FHIR', dialect: 'fhir', fields: ['form', ...http], mark: 'url' },
  'ccda-http': { label: 'C-CDA over HTTP', dialect: 'ccda', fields: http, mark: 'url' },
  'ccda-folder': { label: 'C-CDA into a folder', dialect: 'ccda', fields: ['folder'], mark: 'folder' },
  'ccda-sftp': { label: 'C-CDA by SFTP', dialect: 'ccda', fields: sftp, mark: 'sftp' },
  direct: {
    label: 'C-CDA by Direct mail',
    dialect: 'ccda',
    fields: ['direct.address', 'direct.certificate'],
    mark: 'direct',
  },
  pickup: {
    label: 'C-CDA to pick up on a page',
    dialect: 'ccda',
    fields: ['pickup.address', 'pickup.pinFile'],
    mark: 'pickup',
  },
} satisfies Record<string, WayOf>;
export type Way = keyof typeof WAYS;
const ways = Object.entries(WAYS) as [Way, WayOf][];

/** The topics of routes, the finer ones after what they are part of. */
export const TOPICS = [
  { group: 'Results and documents', items: ['result', 'critical-result', 'discharge-summary', 'document'] },
  {
    group: 'Visits and people',
    items: ['visit', 'admitted', 'transferred', 'discharged', 'person', 'death', 'merged', 'linked'],
  },
  {
    group: 'Medicines, allergies, immunizations',
    items: [
      'prescription',
      'medication-started',
      'medication-changed',
      'medication-stopped',
      'allergy',
      'immunization',
    ],
  },
  {
    group: 'Orders, referrals, appointments, consents',
    items: [
      'order',
      'referral',
      'referral-closed',
      'referral-answer',
      'referral-accepted',
      'referral-declined',
      'appointment',
      'appointment-changed',
      'appointment-cancelled',
      'consent',
    ],
  },
];

/** By which way a route goes. */
export function wayOf(to: Route['to']): Way {
  const found = ways.find(([, { dialect, mark }]) => to.dialect === dialect && mark in to);
  return found?.[0] ?? 'mllp';
}

/** The settings that a route has, as texts. */
export function textsOf(to: Route['to']): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const name of Object.keys(FIELDS)) {
    const value = name
      .split('.')
      .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], to);
    if (value !== undefined) texts[name] = String(value);
  }
  return texts;
}

/** Where a route of a way ends; what belongs to another way, and what is empty, is left out. */
export function placeOf(way: Way, texts: Record<string, string>): Route['to'] {
  const { dialect, fields } = WAYS[way] as WayOf;
  const to: Record<string, unknown> = { dialect };
  for (const name of fields) {
    const text = texts[name]?.trim() ?? '';
    if (text === '') continue;
    const [head, rest] = name.split('.') as [string, string | undefined];
    const value = (rest ?? head) === 'port' ? Number(text) : text;
    if (rest === undefined) to[head] = value;
    else to[head] = { ...(to[head] as object | undefined), [rest]: value };
  }
  return to as Route['to'];
}

type CodeMap = NonNullable<Route['codes']>[number];

/** One line a code: what is stated, the destination's, and how that is called: `system|code = system|code|display`. */
export function codeLines(codes: readonly CodeMap[] = []): string {
  return codes
    .map(
      ({ from, to }) => `${from.system}|${from.code} = ${[to.system, to.code, to.display].filter(Boolean).join('|')}`,
    )
    .join('\n');
}

/** @returns the maps, or the number of the first line that is none */
export function readCodeLines(text: string): CodeMap[] | number {
  const codes: CodeMap[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [from, to, ...more] = line.split(' = ').map((side) => side.split('|').map((part) => part.trim()));
    const [system, code] = [from?.[0], from?.[1]];
    const [toSystem, toCode, display] = to ?? [];
    if (!system || !code || !toSystem || !toCode || more.length > 0 || from!.length > 2 || to!.length > 3) return i + 1;
    codes.push({ from: { system, code }, to: { system: toSystem, code: toCode, ...(display ? { display } : {}) } });
  }
  return codes;
}
