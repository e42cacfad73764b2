/**
 * Suite `hl7v2-back`: messages of the types that are written are converted and written back from the resources alone;
 * every mapped atom is looked for in its own field.
 */
import { isParseError, type Message, parseMessage } from '@causeway/hl7v2';
import {
  type Conversion,
  type ConversionContext,
  convertV2,
  type Envelope,
  restoreV2,
  writeV2,
} from '@causeway/mapping';
import type { Resource } from '@medplum/fhirtypes';
import { caseFiles } from '../case-files.ts';
import { percent, type SuiteResult, type Verdict, Verdicts } from '../result.ts';
import { MeaningCheck } from './equal-values.ts';
import { type AtomFate, giveBack } from './give-back.ts';
import { isMessageFile, messagesIn } from './message-files.ts';

const CONTEXT: ConversionContext = {
  source: 'conformance',
  receivedAt: '2026-01-01T00:00:00.000Z',
  messageUri: 'urn:causeway:message:conformance',
};
const ENVELOPE: Envelope = {
  controlId: 'BACK',
  deliveryId: '01890000-0000-7000-8000-000000000001',
  time: CONTEXT.receivedAt,
  kind: 'new',
  recipient: { patient: { resourceType: 'Patient' }, identifierSystem: '' },
  origin: { key: CONTEXT.source, name: CONTEXT.source },
  relayed: true,
};
const OWN: Envelope = {
  ...ENVELOPE,
  relayed: false,
  recipient: {
    patient: { resourceType: 'Patient', identifier: [{ system: 'urn:oid:2.999.1', value: 'D-1' }] },
    identifierSystem: 'urn:oid:2.999.1',
  },
};
const WRITTEN = new Set(['ADT', 'ORU', 'MDM', 'SIU', 'RDE', 'VXU', 'ORM', 'OMG', 'OML']);
const PLACES_SHOWN = 60;

interface Tally {
  messages: number;
  other_types: number;
  mapped: number;
  given: number;
  text: number;
  lost: number;
  unstable: number;
  /** With the ledger beside the resources. */
  restored: number;
  restored_text: number;
}

/** Runs the suite over `hl7v2` below the cases folder. */
export function runHl7v2Back(cases: string): SuiteResult {
  const verdicts = new Verdicts();
  const sources = new Map<string, Tally>();
  const lost = new Map<string, number>();
  const notRestored = new Map<string, number>();
  for (const file of caseFiles(cases, ['hl7v2'])) {
    if (!isMessageFile(file)) continue;
    const folder = file.id.split('/').slice(0, 2).join('/');
    const tally = sources.get(folder) ?? newTally();
    sources.set(folder, tally);
    for (const { id, bytes } of messagesIn(file).messages) {
      const message = parseMessage(bytes);
      if (isParseError(message) || !WRITTEN.has(message.type.code)) {
        tally.other_types++;
        continue;
      }
      verdicts.check(id, () => checkMessage(bytes, tally, lost, notRestored));
    }
  }
  const all = [...sources.values()].reduce(sumOf, newTally());
  return {
    ...verdicts.result,
    ...all,
    given_back_pct: percent(all.given, all.mapped),
    sources: Object.fromEntries(sources),
    lost_places: Object.fromEntries([...lost].sort(([, a], [, b]) => b - a)),
    restored_pct: percent(all.restored, all.mapped),
    summary: summaryOf(sources, all, lost, notRestored),
  };
}

function checkMessage(
  bytes: Uint8Array,
  tally: Tally,
  lost: Map<string, number>,
  notRestored: Map<string, number>,
): Verdict {
  const message = parseMessage(bytes);
  if (isParseError(message)) return { reasons: ['not read'] };
  const conversion = convertV2(message, CONTEXT);
  const { code, event } = message.type;
  const bytesBack = writtenBack(code, event, conversion);
  if (typeof bytesBack === 'string') {
    tally.other_types++;
    return { refusal: bytesBack, reasons: [] };
  }
  const back = parseMessage(bytesBack);
  if (isParseError(back)) return { reasons: [`what is written is refused: ${back.code}`] };
  tally.messages++;
  const meaning = new MeaningCheck(message, conversion, CONTEXT);
  const fates = giveBack(message, conversion, back, meaning);
  for (const fate of fates) count(fate, tally, lost);
  const resources = conversion.facts.map(({ resource }) => resource);
  const restored = restoreV2({ code, event, resources }, conversion.ledger, ENVELOPE);
  const again = typeof restored === 'string' ? undefined : parseMessage(restored);
  if (again === undefined || isParseError(again)) return { reasons: ['what is restored is refused'] };
  const reasons = [...missingSegments(conversion, again), ...ownMessage(code, event, resources)];
  for (const { place, fate } of giveBack(message, conversion, again, meaning)) {
    if (fate === 'given') tally.restored++;
    else if (fate === 'text') tally.restored_text++;
    else notRestored.set(place, (notRestored.get(place) ?? 0) + 1);
  }
  const second = writtenBack(code, event, convertV2(back, CONTEXT));
  if (typeof second === 'string' || Buffer.compare(second, bytesBack) !== 0) tally.unstable++;
  return { reasons };
}

/** Every segment of which an atom is mapped stands in what is restored. */
function missingSegments({ ledger }: Conversion, restored: Message): string[] {
  const mapped = ledger
    .filter(({ disposition }) => disposition === 'mapped')
    .map(({ source }) => source.split('-')[0]!);
  const names = [...new Set(mapped)].map((segment) => segment.slice(0, 3));
  return [...new Set(names)]
    .filter((name) => restored.all(name).length < names.filter((other) => other === name).length)
    .map((name) => `a ${name} is missing in what is restored`);
}

/** The same facts as a message of the hub's own to a destination: read again, of version 2.5.1, about its own patient. */
function ownMessage(code: string, event: string, resources: Resource[]): string[] {
  const bytes = writeV2({ code, event, resources }, OWN);
  if (typeof bytes === 'string') return [`not written for a destination: ${bytes}`];
  const message = parseMessage(bytes);
  if (isParseError(message)) return [`what is written for a destination is refused: ${message.code}`];
  const about = [message.version, message.get('MSH-3'), message.get('PID-3.1')].join(' ');
  return about === '2.5.1 CAUSEWAY D-1' ? [] : ['a message to a destination is not about its own patient'];
}

function writtenBack(code: string, event: string, { facts }: Conversion): Uint8Array | string {
  return writeV2({ code, event, resources: facts.map(({ resource }) => resource) }, ENVELOPE);
}

function count({ place, fate }: AtomFate, tally: Tally, lost: Map<string, number>): void {
  tally.mapped++;
  tally[fate]++;
  if (fate === 'lost') lost.set(place, (lost.get(place) ?? 0) + 1);
}

function newTally(): Tally {
  return {
    messages: 0,
    other_types: 0,
    mapped: 0,
    given: 0,
    text: 0,
    lost: 0,
    unstable: 0,
    restored: 0,
    restored_text: 0,
  };
}

function sumOf(sum: Tally, more: Tally): Tally {
  for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += more[key];
  return sum;
}

function summaryOf(
  sources: ReadonlyMap<string, Tally>,
  all: Tally,
  lost: ReadonlyMap<string, number>,
  notRestored: ReadonlyMap<string, number>,
): string {
  const lines = [...sources, ['all', all] as const].map(([name, tally]) => {
    const { messages, mapped, given, text, lost: gone, unstable, restored, restored_text } = tally;
    return (
      `  ${name}: ${messages} messages, ${mapped} atoms mapped; ${given} given back (${percent(given, mapped)} %), ` +
      `${text} within a text, ${gone} lost; with the ledger ${restored} (${percent(restored, mapped)} %), ` +
      `${restored_text} within a text; ${unstable} written otherwise the second time`
    );
  });
  return [
    'Written back from the resources alone, and with the ledger beside them:',
    ...lines,
    `Lost, by field and component: ${most(lost)}`,
    `Lost with the ledger: ${most(notRestored)}`,
  ].join('\n');
}

function most(places: ReadonlyMap<string, number>): string {
  const sorted = [...places].sort(([, a], [, b]) => b - a).slice(0, PLACES_SHOWN);
  return sorted.map(([place, times]) => `${place} ${times}`).join(', ');
}
