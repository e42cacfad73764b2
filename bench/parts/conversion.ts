/** The converters alone: bytes in, resources out, no hub and no database. */
import { parseCda } from '@causeway/ccda';
import { isParseError, parseMessage } from '@causeway/hl7v2';
import { type Conversion, convertCcda, convertV2 } from '@causeway/mapping';
import { messages } from '@causeway/region';
import { percentiles } from '../client/load.ts';

export interface PureResult {
  /** Messages or documents per second of this process's CPU time. */
  rate_per_s: number;
  cpu_ms_per_op: number;
  p50_ms: number;
  p99_ms: number;
  operations: number;
  /** Resources made per message or document. */
  resources_per_op: number;
  /** Mean size of what was read. */
  bytes_per_op: number;
}

const region = { people: 400, seed: 77 };

const context = {
  source: 'bench',
  receivedAt: '2026-07-01T08:00:00.000Z',
  messageUri: 'urn:causeway:message:019e0000-0000-7000-8000-000000000000',
};

/** HL7 v2 messages of the region, parsed and converted. */
export function v2Run(seconds: number): PureResult {
  return converting('hl7v2', 1_500, seconds, (bytes) => {
    const message = parseMessage(bytes);
    return isParseError(message) ? undefined : convertV2(message, context);
  });
}

/** C-CDA documents of the region, parsed and converted. */
export function ccdaRun(seconds: number): PureResult {
  return converting('ccda', 200, seconds, (bytes) => {
    const parsed = parseCda(bytes);
    return parsed.ok ? convertCcda(parsed.document, context) : undefined;
  });
}

function converting(
  dialect: 'hl7v2' | 'ccda',
  count: number,
  seconds: number,
  convert: (bytes: Buffer) => Conversion | undefined,
): PureResult {
  const corpus: Buffer[] = [];
  for (const message of messages(region)) {
    if (message.dialect === dialect) corpus.push(Buffer.from(message.body));
    if (corpus.length === count) break;
  }
  let resources = 0;
  let operations = 0;
  let bytes = 0;
  const latencies: number[] = [];
  const round = (until: number) => {
    for (const each of corpus) {
      const begun = performance.now();
      if (begun > until) return;
      const conversion = convert(each);
      if (!conversion) throw new Error('A message of the region cannot be read.');
      resources += conversion.facts.length;
      bytes += each.length;
      operations++;
      latencies.push(performance.now() - begun);
    }
  };
  round(performance.now() + Math.min(2_000, seconds * 500));
  [resources, operations, bytes, latencies.length] = [0, 0, 0, 0];
  const before = process.cpuUsage();
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) round(until);
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1000;
  return {
    rate_per_s: (operations / cpuMs) * 1000,
    cpu_ms_per_op: cpuMs / operations,
    ...percentiles(latencies),
    operations,
    resources_per_op: resources / operations,
    bytes_per_op: bytes / operations,
  };
}
