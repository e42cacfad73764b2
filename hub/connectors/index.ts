/** Connectors: taking from sources that only answer. */
export { type ConnectorParts, Connectors, type Preview, type StatedConnector } from './connectors.ts';
export { type FhirProgress, fhirSource } from './fhir-source.ts';
export { localFolderSource } from './local-folder.ts';
export { SourceFault } from './run.ts';
export { type ConnectorKind, connectorKinds, readSecrets, readSettings } from './settings.ts';
export { sftpSource } from './sftp-folder.ts';
export { sqlSource } from './sql-source.ts';
export { type Connector, connectorSecretColumn } from './store.ts';
