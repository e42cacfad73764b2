/** From a message's bytes to facts, by the dialect's converter. For the threads of `conversion-pool.ts`. */
import { parseCda } from '@causeway/ccda';
import { isParseError, parseMessage } from '@causeway/hl7v2';
import {
  type Conversion,
  type ConversionContext,
  type ConversionSink,
  convertCcdaInto,
  convertFhir,
  convertTable,
  convertV2,
  type Fact,
  type IdentityEvent,
  type LedgerEntry,
} from '@causeway/mapping';
import { faultReason } from '../faults.ts';
import { Account, type ConvertedMessage, noConversion, type StatedFact, type ToConvert } from './converted.ts';

const shownIssues = 200;

/** Converts a message. Never throws: a converter that fails is told in `error`. */
export function convertMessage(message: ToConvert): ConvertedMessage {
  try {
    const facts: StatedFact[] = [];
    const account = new Account();
    const said = convert(message, {
      fact: (fact) => facts.push(stated(fact, message.source)),
      atom: (entry) => account.note(entry),
    });
    if (typeof said === 'string') return noConversion(said);
    const { identityEvents, issues, document } = said;
    return {
      facts,
      identityEvents: identityEvents.map(byId),
      counts: account.counts,
      notMapped: account.notMapped,
      issues: issues.slice(0, shownIssues),
      issueCount: issues.length,
      document,
      error: undefined,
    };
  } catch (error) {
    return noConversion(`The conversion failed: ${faultReason(error)}.`);
  }
}

/** The whole ledger of a message; empty where it cannot be converted, which the message itself says. */
export function ledgerOf(message: ToConvert): LedgerEntry[] {
  try {
    const ledger: LedgerEntry[] = [];
    const said = convert(message, { fact: () => {}, atom: (entry) => ledger.push(entry) });
    return typeof said === 'string' ? [] : ledger;
  } catch {
    return [];
  }
}

/** What a conversion says beside its facts and its ledger. */
type Said = Omit<Conversion, 'facts' | 'ledger'>;

/**
 * Converts a message, whose facts and atoms are told one after the other: a large document has millions. A charset that
 * the transport told counts for that of HL7 v2. Returns a sentence where its bytes cannot be read at all.
 */
function convert({ id, dialect, bytes, charset, received, source }: ToConvert, sink: ConversionSink): Said | string {
  const context: ConversionContext = {
    source: source.key,
    receivedAt: received,
    messageUri: `urn:causeway:message:${id}`,
    ...source.settings,
  };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dialect) {
    case 'hl7v2': {
      const message = parseMessage(buffer, charset === undefined ? {} : { charset });
      return isParseError(message) ? message.message : tell(convertV2(message, context), sink);
    }
    case 'ccda': {
      const parsed = parseCda(buffer);
      if (parsed.ok) return convertCcdaInto(parsed.document, context, sink);
      const { line, column, message } = parsed.error;
      return line === undefined ? message : `Line ${line}, column ${column}: ${message}`;
    }
    case 'fhir': {
      const conversion = convertFhir(buffer.toString(), context);
      return typeof conversion === 'string' ? conversion : tell(conversion, sink);
    }
    case 'table': {
      const conversion = convertTable(buffer.toString(), context);
      return typeof conversion === 'string' ? conversion : tell(conversion, sink);
    }
    default:
      return 'The message is of no dialect that the hub reads: HL7 v2, C-CDA, FHIR R4 or a row of a table.';
  }
}

function tell({ facts, ledger, ...said }: Conversion, sink: ConversionSink): Said {
  for (const fact of facts) sink.fact(fact);
  for (const entry of ledger) sink.atom(entry);
  return said;
}

/** A statement about identities with the ids of Patients where the converter gives references. */
function byId(event: IdentityEvent): IdentityEvent {
  const id = (value: unknown) => (typeof value === 'string' ? value.replace(/^Patient\//, '') : value);
  return Object.fromEntries(Object.entries(event).map(([name, value]) => [name, id(value)])) as IdentityEvent;
}

/** The fact's text, marked with the organisation it comes from; its resource is nobody else's, and marked too. */
function stated(
  { resource, asOf, mode, clears, adds, defaults }: Fact,
  source: { key: string; name: string },
): StatedFact {
  const tag = { system: 'urn:causeway:source', code: source.key, display: source.name };
  resource.meta = { ...resource.meta, tag: [...(resource.meta?.tag ?? []), tag] };
  const text = JSON.stringify(resource);
  return { type: resource.resourceType, id: resource.id!, text, asOf, mode, clears, adds, defaults };
}
