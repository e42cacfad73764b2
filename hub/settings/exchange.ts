/** Whom the hub tells, asks and takes from. */
import type { Setting } from './settings.ts';

const mebibyte = 1024 * 1024;

export const exchange: readonly Setting[] = [
  {
    key: 'sendTo',
    option: 'send-to',
    variable: 'CAUSEWAY_SEND_TO',
    kind: 'addresses',
    fallback: [],
    says: 'addresses in private networks, or of plain http, below which organisations are sent to, with commas between (none)',
  },
  {
    key: 'notifyTo',
    option: 'notify-to',
    variable: 'CAUSEWAY_NOTIFY_TO',
    kind: 'addresses',
    fallback: [],
    says: 'addresses in private networks, or of plain http, below which subscribers are told, with commas between (none)',
  },
  {
    key: 'peersAt',
    option: 'peers-at',
    variable: 'CAUSEWAY_PEERS_AT',
    kind: 'addresses',
    fallback: [],
    says: 'addresses in private networks, or with plain http, below which other hubs are asked, with commas between (none)',
  },
  {
    key: 'serverRevocation',
    option: 'server-revocation',
    variable: 'CAUSEWAY_SERVER_REVOCATION',
    kind: 'choice',
    fallback: 'named',
    choices: ['required', 'named', 'reachable', 'off'],
    says: 'which certificates of servers that the hub connects to (HTTPS, MLLP) must be told not to be revoked; see docs/transport.md',
  },
  {
    key: 'serverCrls',
    option: 'server-crls',
    variable: 'CAUSEWAY_SERVER_CRLS',
    kind: 'sources',
    fallback: [],
    says: 'files and addresses of revocation lists of the authorities of these, with commas between (none)',
  },
  {
    key: 'connectorFolders',
    option: 'connector-folders',
    variable: 'CAUSEWAY_CONNECTOR_FOLDERS',
    kind: 'paths',
    fallback: [],
    says: 'folders below which connectors may take files, with commas between (none)',
  },
  {
    key: 'importFrom',
    option: 'import-from',
    variable: 'CAUSEWAY_IMPORT_FROM',
    kind: 'addresses',
    fallback: [],
    says: 'addresses below which $import may fetch files, with commas between (none)',
  },
  {
    key: 'importBytes',
    option: 'import-bytes',
    variable: 'CAUSEWAY_IMPORT_BYTES',
    kind: 'bytes',
    fallback: 10 * 1024 * mebibyte,
    least: 1024,
    most: 1024 * 1024 * mebibyte,
    says: 'largest file of an import, decompressed (10GB)',
  },
  {
    key: 'bulkHours',
    option: 'bulk-hours',
    variable: 'CAUSEWAY_BULK_HOURS',
    kind: 'integer',
    fallback: 24,
    least: 1,
    most: 720,
    says: 'hours for which exports and imports are kept',
  },
];
