/** What a connector of each kind is told: fields of a form, and the settings that they make. */
import type { ConnectorKind } from '../api/contract.ts';

export interface ConnectorField {
  name: string;
  label: string;
  description?: string;
  /** Choices: their labels by value. */
  input: 'text' | 'number' | 'list' | 'long' | 'flag' | 'secret' | { choices: Record<string, string> };
  required?: true;
  preset?: string;
  /** Only where another field has this value. */
  when?: [name: string, value: string];
}

const every: ConnectorField = {
  name: 'everyMinutes',
  label: 'How often, in minutes',
  input: 'number',
  required: true,
  preset: '15',
};
const rate: ConnectorField = {
  name: 'perSecond',
  label: 'At most so many a second',
  description: 'Requests, messages or rows; empty: as many as come',
  input: 'number',
};

const files: ConnectorField[] = [
  {
    name: 'content',
    label: 'What the files hold',
    input: {
      choices: {
        messages: 'Messages: HL7 v2, C-CDA or FHIR',
        table: 'Rows: CSV or another delimited text',
      },
    },
    preset: 'messages',
  },
  { name: 'pattern', label: 'Which files', description: 'Such as *.hl7; empty: all', input: 'text' },
  {
    name: 'delimiter',
    label: 'Between columns',
    input: {
      choices: {
        ',': 'Comma',
        ';': 'Semicolon',
        '\t': 'Tab',
        '|': 'Bar',
      },
    },
    preset: ',',
    when: ['content', 'table'],
  },
  { name: 'encoding', label: 'Encoding', input: 'text', preset: 'utf-8', when: ['content', 'table'] },
  {
    name: 'columns',
    label: 'Names of the columns',
    description: 'With commas between; empty where the first line has them',
    input: 'list',
    when: ['content', 'table'],
  },
  {
    name: 'after',
    label: 'Files that were taken',
    input: {
      choices: {
        move: 'Move to done or failed',
        remember: 'Leave and remember',
      },
    },
    preset: 'move',
  },
  { name: 'stableSeconds', label: 'Wait until a file is unchanged for, in seconds', input: 'number', preset: '30' },
];

const server: ConnectorField = { name: 'host', label: 'Server', input: 'text', required: true };
const secret = { description: 'Sealed, and never shown again', input: 'secret' } as const;
const password: ConnectorField = { ...secret, name: 'password', label: 'Password' };

export const CONNECTOR_FIELDS: Record<ConnectorKind, ConnectorField[]> = {
  fhir: [
    {
      name: 'url',
      label: 'Address of the server',
      description: 'The base of its FHIR R4 interface',
      input: 'text',
      required: true,
    },
    {
      name: 'types',
      label: 'Types of resources',
      description: 'With commas between',
      input: 'list',
      required: true,
      preset: 'Patient, Encounter, Condition, AllergyIntolerance, MedicationRequest, Observation, DiagnosticReport',
    },
    {
      name: 'sign',
      label: 'How the hub shows who it is',
      input: {
        choices: {
          backend: 'SMART Backend Services, with the hub’s own key',
          token: 'A token',
          none: 'Not at all',
        },
      },
      preset: 'backend',
    },
    {
      name: 'clientId',
      label: 'The hub’s id there',
      description: 'The server has to know it, with the keys at /oauth/jwks of this hub',
      input: 'text',
      when: ['sign', 'backend'],
    },
    { ...secret, name: 'token', label: 'Token', when: ['sign', 'token'] },
    { name: 'group', label: 'Group', description: 'Its id, where only one group is exported', input: 'text' },
    {
      name: 'deletions',
      label: 'How deletions are noticed',
      input: {
        choices: {
          compare: 'By comparing ids once a day',
          history: 'By the history of each type',
          none: 'Not',
        },
      },
      preset: 'compare',
    },
    every,
    rate,
  ],
  sftp: [
    server,
    { name: 'port', label: 'Port', input: 'number', preset: '22' },
    {
      name: 'fingerprint',
      label: 'Fingerprint of its host key',
      description: 'SHA256:…, as ssh-keygen -lf shows it',
      input: 'text',
      required: true,
    },
    { name: 'username', label: 'User', input: 'text', required: true },
    password,
    { ...secret, name: 'privateKey', label: 'Or a private key', input: 'long' },
    { name: 'path', label: 'Folder there', input: 'text', required: true },
    ...files,
    every,
    rate,
  ],
  folder: [
    {
      name: 'path',
      label: 'Folder',
      description: 'Below one that the operator allowed (--connector-folders)',
      input: 'text',
      required: true,
    },
    ...files,
    every,
    rate,
  ],
  sql: [
    {
      name: 'engine',
      label: 'Database',
      input: {
        choices: {
          postgresql: 'PostgreSQL',
          mysql: 'MySQL or MariaDB',
          sqlserver: 'SQL Server',
        },
      },
      preset: 'postgresql',
    },
    server,
    { name: 'port', label: 'Port', description: 'Empty: the usual one', input: 'number' },
    { name: 'database', label: 'Name of the database', input: 'text', required: true },
    { name: 'username', label: 'User', description: 'One who may do nothing but read', input: 'text', required: true },
    password,
    { name: 'tls', label: 'Encrypted, and its certificate verified', input: 'flag', preset: 'true' },
    { name: 'query', label: 'Query', description: 'One SELECT', input: 'long', required: true },
    {
      name: 'watermark',
      label: 'Column that only grows',
      description: 'A number, or the time of the last change',
      input: 'text',
      required: true,
    },
    { name: 'key', label: 'Column that tells rows apart', input: 'text', required: true },
    {
      name: 'overlapSeconds',
      label: 'Reach back, in seconds',
      description: 'For rows that were committed late',
      input: 'number',
      preset: '0',
    },
    every,
    rate,
  ],
};

const SECRETS = ['password', 'privateKey', 'token'];
const OF_TABLE = ['delimiter', 'encoding', 'columns'];

export type FieldValues = Record<string, string>;

export function presetsOf(kind: ConnectorKind): FieldValues {
  return Object.fromEntries(CONNECTOR_FIELDS[kind].map(({ name, preset }) => [name, preset ?? '']));
}

export function isShown({ when }: ConnectorField, values: FieldValues): boolean {
  return when === undefined || values[when[0]] === when[1];
}

/** Whether what it takes are rows, which need a map. */
export function hasRows(kind: ConnectorKind, values: FieldValues): boolean {
  return kind === 'sql' || values.content === 'table';
}

/** The settings and secrets of what was filled in; what is empty is left out. */
export function statedOf(kind: ConnectorKind, values: FieldValues): { settings: object; secrets?: object } {
  const [settings, table, secrets]: Record<string, unknown>[] = [{}, {}, {}];
  for (const field of CONNECTOR_FIELDS[kind]) {
    const text = values[field.name] ?? '';
    if (text === '' || !isShown(field, values)) continue;
    const target = SECRETS.includes(field.name) ? secrets : OF_TABLE.includes(field.name) ? table : settings;
    target![field.name] = toSetting(field, text);
  }
  const isTable = values.content === 'table' && kind !== 'sql';
  return {
    settings: { ...settings, ...(isTable && { table }) },
    ...(Object.keys(secrets!).length > 0 && { secrets }),
  };
}

function toSetting({ input }: ConnectorField, text: string): unknown {
  if (input === 'number') return Number(text);
  if (input === 'flag') return text === 'true';
  if (input === 'list')
    return text
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
  return text;
}
