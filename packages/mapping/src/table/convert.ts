/**
 * Rows of tables to FHIR, by the column map of their sender. A message is one row as JSON: `{ "table": "results",
 * "time": "2026-01-31T08:00:00Z", "row": { "MRN": "123", … } }`. The Patient has the id that it has in the sender's HL7 v2
 * messages, so that both tell of the same.
 */
import type { Resource } from '@medplum/fhirtypes';
import { addStandardCodes } from '../concepts.ts';
import type { Conversion, ConversionContext, Fact } from '../conversion.ts';
import { factId } from '../fact-id.ts';
import { encodePart } from '../v2/datatypes/identifier.ts';
import type { ColumnMap } from './column-map.ts';
import { patientOf } from './patient.ts';
import { Row } from './row.ts';
import { statements } from './statements.ts';

/** A row as it is kept. */
export interface TableMessage {
  /** Which of the sender's column maps it is read by. */
  table: string;
  /** When the sender said so, where the row itself does not tell: when the file was written. */
  time?: string;
  /** Where it stood. */
  file?: string;
  line?: number;
  row: { [column: string]: unknown };
}

/** @returns a sentence where the text is no row, or its sender has no map for it */
export function convertTable(text: string, context: ConversionContext): Conversion | string {
  let message: TableMessage;
  try {
    message = JSON.parse(text);
  } catch {
    return 'The message is no row of a table: it is not JSON.';
  }
  const { table, row: values } = message ?? {};
  if (typeof table !== 'string' || typeof values !== 'object' || values === null)
    return 'The message is no row of a table: it needs table and row.';
  const map = context.tables && Object.hasOwn(context.tables, table) ? context.tables[table] : undefined;
  if (map === undefined) return `The sender has no column map of the name ${table.slice(0, 100)}.`;
  return convertRow(message, map, context);
}

function convertRow(message: TableMessage, map: ColumnMap, context: ConversionContext): Conversion | string {
  const row = new Row(message.table, map, message.row, context);
  const number = row.peek('patient.id');
  const { issues } = row;
  if (number === undefined) {
    row.remark('error', 'required', 'patient.id', 'The row does not say whom it is about: it has no record number.');
    return { facts: [], identityEvents: [], ledger: row.ledger, issues };
  }
  const system = authority(row.systemNamed('patient.id'), context);
  const asOf = row.consumedDate('row.modified') ?? message.time ?? context.receivedAt;
  const patientId = factId(context.source, 'Patient', system, number);
  const patient = patientOf(row, { type: 'Patient', id: patientId }, system);
  const meta = { source: context.messageUri };
  const facts: Fact[] = [
    {
      resource: { resourceType: 'Patient', id: patientId, meta, ...patient.resource } as unknown as Resource,
      key: `Patient|${system}|${number}`,
      asOf,
      mode: patient.mode,
      ...(patient.adds && { adds: patient.adds }),
    },
  ];
  if (map.kind !== 'patient') {
    const { type, read, identity } = statements[map.kind];
    const own = row.consumed('row.id');
    const parts = ownIdentity(row, own, identity, message, patientId);
    const id = factId(context.source, type, ...parts);
    const stated = read(row, { type, id }, `Patient/${patientId}`);
    const identifier = own === undefined ? undefined : [{ system: rowSystem(message.table, context), value: own }];
    if (stated !== undefined) {
      const resource = { resourceType: type, id, meta, ...(identifier && { identifier }), ...stated };
      facts.push({
        resource: resource as unknown as Resource,
        key: `${type}|${parts.join('|')}`,
        asOf,
        mode: 'replace',
      });
    }
  }
  return addStandardCodes({ facts, identityEvents: [], ledger: row.ledger, issues }, context.concepts);
}

/** What makes the fact itself: its own number, else what tells rows of a patient apart, else the row as it is. */
function ownIdentity(
  row: Row,
  own: string | undefined,
  fields: readonly string[],
  { table, row: values }: TableMessage,
  patient: string,
): string[] {
  if (own !== undefined) return ['table', table, own];
  const told = fields.map((field) => row.peek(field) ?? '');
  return told.some((value) => value !== '')
    ? ['table', table, patient, ...told]
    : ['table', table, patient, JSON.stringify(values)];
}

function rowSystem(table: string, { source }: ConversionContext): string {
  return `urn:causeway:table:${source}:${encodePart(table)}`;
}

/** As HL7 v2 names authorities (see `systemOf`): by a URI, or a name that the sender's settings know. */
function authority(named: string | undefined, { source, identifierSystems }: ConversionContext): string {
  if (named === undefined) return `urn:causeway:authority:${source}:default`;
  if (identifierSystems && Object.hasOwn(identifierSystems, named)) return identifierSystems[named]!;
  return /^(https?:|urn:)\S+$/i.test(named) ? named : `urn:causeway:authority:${source}:${encodePart(named)}`;
}
