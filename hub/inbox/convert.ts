/** From a message's bytes to facts, by the dialect's converter. */
import { parseCda } from '@causeway/ccda';
import { isParseError, parseMessage } from '@causeway/hl7v2';
import { type Conversion, type ConversionContext, convertCcda, convertFhir, convertV2 } from '@causeway/mapping';
import type { Dialect } from './receive.ts';

/**
 * Converts a message. A charset that the transport told counts for that of HL7 v2. Returns a sentence where its bytes cannot be read at all, which the gate refuses beforehand.
 */
export function convert(
  dialect: Dialect,
  bytes: Buffer,
  context: ConversionContext,
  charset?: string,
): Conversion | string {
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
