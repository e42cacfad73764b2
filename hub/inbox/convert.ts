/** From a message's bytes to facts, by the dialect's converter. For the threads of `conversion-pool.ts`. */
import { parseCda } from '@causeway/ccda';
import { isParseError, parseMessage } from '@causeway/hl7v2';
import {
  type Conversion,
  type ConversionContext,
  convertCcda,
  convertFhir,
  convertV2,
  type Fact,
  type IdentityEvent,
  type LedgerEntry,
} from '@causeway/mapping';
import { faultReason } from '../faults.ts';
import { account, type ConvertedMessage, noConversion, type StatedFact, type ToConvert } from './converted.ts';
import type { Dialect } from './receive.ts';

const shownIssues = 200;

/** Converts a message. Never throws: a converter that fails is told in `error`. */
export function convertMessage(message: ToConvert): ConvertedMessage {
  try {
    const conversion = conversionOf(message);
    if (typeof conversion === 'string') return noConversion(conversion);
    const { facts, identityEvents, ledger, issues } = conversion;
    return {
      facts: facts.map((fact) => stated(fact, message.source)),
      identityEvents: identityEvents.map(byId),
      ...account(ledger),
      issues: issues.slice(0, shownIssues),
      issueCount: issues.length,
      error: undefined,
    };
  } catch (error) {
    return noConversion(`The conversion failed: ${faultReason(error)}.`);
  }
}

/** The whole ledger of a message; empty where it cannot be converted, which the message itself says. */
export function ledgerOf(message: ToConvert): LedgerEntry[] {
  try {
    const conversion = conversionOf(message);
    return typeof conversion === 'string' ? [] : conversion.ledger;
  } catch {
    return [];
  }
}

function conversionOf({ id, dialect, bytes, charset, received, source }: ToConvert): Conversion | string {
  const context = {
    source: source.key,
    receivedAt: received,
    messageUri: `urn:causeway:message:${id}`,
    ...source.settings,
  };
  return convert(dialect, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), context, charset);
}

/**
 * Converts a message. A charset that the transport told counts for that of HL7 v2. Returns a sentence where its bytes cannot be read at all, which the gate refuses beforehand.
 */
function convert(dialect: Dialect, bytes: Buffer, context: ConversionContext, charset?: string): Conversion | string {
  switch (dialect) {
    case 'hl7v2': {
      const message = parseMessage(bytes, charset === undefined ? {} : { charset });
      return isParseError(message) ? message.message : convertV2(message, context);
    }
    case 'ccda': {
      const parsed = parseCda(bytes);
      return parsed.ok ? convertCcda(parsed.document, context) : parsed.error.message;
    }
    case 'fhir':
      return convertFhir(bytes.toString(), context);
    default:
      return 'The message is of no dialect that the hub reads: HL7 v2, C-CDA or FHIR R4.';
  }
}

/** A statement about identities with the ids of Patients where the converter gives references. */
function byId(event: IdentityEvent): IdentityEvent {
  const id = (value: unknown) => (typeof value === 'string' ? value.replace(/^Patient\//, '') : value);
  return Object.fromEntries(Object.entries(event).map(([name, value]) => [name, id(value)])) as IdentityEvent;
}

/** The fact's text, marked with the organisation it comes from. */
function stated(
  { resource, asOf, mode, clears, adds, defaults }: Fact,
  source: { key: string; name: string },
): StatedFact {
  const tag = { system: 'urn:causeway:source', code: source.key, display: source.name };
  const text = JSON.stringify({
    ...resource,
    meta: { ...resource.meta, tag: [...(resource.meta?.tag ?? []), tag] },
  });
  return { type: resource.resourceType, id: resource.id!, text, asOf, mode, clears, adds, defaults };
}
