/**
 * Suite `hl7v2`: every message is refused with a reason, or read, written back byte for byte, and converted with each
 * atom accounted for and each resource valid.
 */
import { editMessage, isParseError, type Message, parseMessage } from '@causeway/hl7v2';
import { type ConversionContext, convertV2 } from '@causeway/mapping';
import { caseFiles } from '../case-files.ts';
import { addAccount, checkLedger, emptyAccount, reasonsOf, some } from '../ledger-check.ts';
import { checkResources } from '../resource-checks.ts';
import { percent, type SuiteResult, type Verdict, Verdicts } from '../result.ts';
import { rawAtoms } from './atoms.ts';
import { isMessageFile, messagesIn } from './message-files.ts';
import { addPresence, emptyPresence, expectedBundle, type PresenceTally } from './value-presence.ts';
import { addWork, type Work, workList } from './work-list.ts';

const CONTEXT: ConversionContext = {
  source: 'conformance',
  receivedAt: '2026-01-01T00:00:00.000Z',
  messageUri: 'urn:causeway:message:conformance',
};

/** Runs the suite over `hl7v2` below the cases folder. */
export function runHl7v2(cases: string): SuiteResult {
  const verdicts = new Verdicts();
  const tally = { ...emptyAccount(), files: 0, skipped_files: 0, converted: 0, resources: 0, invalid: 0, dangling: 0 };
  const sources = new Map<string, Source>();
  for (const file of caseFiles(cases, ['hl7v2'])) {
    if (!isMessageFile(file)) {
      tally.skipped_files++;
      continue;
    }
    tally.files++;
    const { messages, refusal, lost } = messagesIn(file);
    if (refusal !== undefined || lost !== undefined) {
      verdicts.check(file.id, () => ({ refusal, reasons: lost === undefined ? [] : [lost] }));
    }
    const source = sourceOf(sources, file.id);
    const expected = messages.length === 1 ? expectedBundle(cases, file.id) : undefined;
    for (const { id, bytes } of messages) verdicts.check(id, () => checkMessage(bytes, tally, source, expected));
  }
  const { atoms, accounted, mapped, structural } = tally;
  return {
    ...verdicts.result,
    ...tally,
    fields: atoms,
    accounted_pct: percent(accounted, atoms),
    mapped_pct: percent(mapped, atoms - structural),
    sources: Object.fromEntries([...sources].map(([name, source]) => [name, figuresOf(source)])),
    summary: summaryOf(sources),
  };
}

/** What is told of the messages of one folder below `hl7v2`. */
interface Source {
  account: ReturnType<typeof emptyAccount>;
  presence: PresenceTally;
  work: Map<string, Work>;
}

function sourceOf(sources: Map<string, Source>, id: string): Source {
  const name = id.split('/')[1]!;
  const known = sources.get(name);
  if (known !== undefined) return known;
  const source = { account: emptyAccount(), presence: emptyPresence(), work: new Map<string, Work>() };
  sources.set(name, source);
  return source;
}

function figuresOf({ account, presence, work }: Source) {
  const { atoms, structural, mapped, consumed } = account;
  return {
    ...account,
    mapped_or_used_pct: percent(mapped + consumed, atoms - structural),
    ...(presence.messages > 0 && {
      presence: {
        ...presence,
        found_pct: percent(presence.found, presence.values),
        expected_found_pct: percent(presence.expected_found, presence.values),
      },
    }),
    work: workList(work),
  };
}

function summaryOf(sources: ReadonlyMap<string, Source>): string {
  const lines = [...sources].map(([name, source]) => {
    const { mapped_or_used_pct, presence } = figuresOf(source);
    const found =
      presence === undefined
        ? ''
        : `; of the values of ${presence.messages} messages ${presence.found_pct} % are found in the output ` +
          `(${presence.expected_found_pct} % in the bundles that the source itself expects)`;
    return `hl7v2/${name}: ${mapped_or_used_pct} % mapped or used${found}`;
  });
  return lines.join('\n');
}

type Tally = ReturnType<typeof emptyAccount> & {
  converted: number;
  resources: number;
  invalid: number;
  dangling: number;
};

function checkMessage(bytes: Uint8Array, tally: Tally, source: Source, expected: unknown): Verdict {
  const message = parseMessage(bytes);
  if (isParseError(message)) {
    const { code, message: sentence } = message;
    const specific = code.length > 0 && sentence.length > 10;
    return { refusal: `${code}: ${sentence}`, reasons: specific ? [] : ['refused without a specific reason'] };
  }
  const reasons = checkWriteBack(message, bytes);
  const conversion = convertV2(message, CONTEXT);
  if (conversion.facts.length > 0) tally.converted++;
  tally.resources += conversion.facts.length;
  const text = new TextDecoder(message.encoding).decode(bytes);
  const atoms = rawAtoms(text);
  const ledger = checkLedger(atoms, conversion);
  for (const account of [tally, source.account]) addAccount(account, ledger.account);
  addWork(source.work, conversion.ledger);
  if (expected !== undefined) {
    const resources = conversion.facts.map(({ resource }) => resource);
    addPresence(source.presence, atoms, resources, expected);
  }
  const { invalid, dangling } = checkResources(conversion);
  tally.invalid += invalid.length;
  tally.dangling += dangling.length;
  reasons.push(...reasonsOf(ledger));
  if (invalid.length > 0) reasons.push(`not valid R4: ${some(invalid)}`);
  if (dangling.length > 0) reasons.push(`dangling references: ${some(dangling)}`);
  return { reasons };
}

/** The bytes as kept, as written by an edit that changes nothing, and as the segments' own text add up. */
function checkWriteBack(message: Message, bytes: Uint8Array): string[] {
  const reasons: string[] = [];
  if (Buffer.compare(message.toBytes(), bytes) !== 0) reasons.push('not written back byte for byte');
  if (!/^iso-2022/.test(message.encoding)) {
    const edited = editMessage(message, []);
    if (isParseError(edited)) reasons.push(`an empty edit is refused: ${edited.code}`);
    else if (Buffer.compare(edited.toBytes(), bytes) !== 0) reasons.push('an empty edit changes bytes');
  }
  const whole = message.toString();
  if (message.segments.some(({ raw, offset }) => whole.slice(offset, offset + raw.length) !== raw))
    reasons.push('a segment is not the text it was read from');
  return reasons;
}
