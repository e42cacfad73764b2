/**
 * Suite `mutation`: one atom of a message or document is changed, and it is converted again. Where the ledger said that
 * the atom was mapped, something of the output or the ledger must have changed with it; else the claim is false.
 */
import { parseCda } from '@causeway/ccda';
import { editMessage, isParseError, parseMessage } from '@causeway/hl7v2';
import { type Conversion, type ConversionContext, convertCcda, convertV2, type Disposition } from '@causeway/mapping';
import { caseFiles } from './case-files.ts';
import { documentAtoms } from './ccda/atoms.ts';
import { decoded, readMarkup } from './ccda/markup.ts';
import { isCdaFile } from './ccda/suite.ts';
import { rawAtoms } from './hl7v2/atoms.ts';
import { isMessageFile, messagesIn } from './hl7v2/message-files.ts';
import { type SourceAtom, some } from './ledger-check.ts';
import { percent, type SuiteResult, Verdicts } from './result.ts';

const CONTEXT: ConversionContext = {
  source: 'conformance',
  receivedAt: '2026-01-01T00:00:00.000Z',
  messageUri: 'urn:causeway:message:conformance',
};

/** How many atoms of one message and of one document are changed, one after the other. */
const CHANGED = { message: 8, document: 4 };

interface Tally {
  mutated: number;
  noticed: number;
  /** Said to have driven a decision, and changed nothing: a value may mean the same as another, so this is told only. */
  used_unnoticed: number;
  used: number;
}

/** Runs the suite over `hl7v2` and `ccda` below the cases folder. */
export function runMutation(cases: string): SuiteResult {
  const verdicts = new Verdicts();
  const tally: Tally = { mutated: 0, noticed: 0, used_unnoticed: 0, used: 0 };
  for (const file of caseFiles(cases, ['hl7v2'])) {
    if (!isMessageFile(file)) continue;
    for (const { id, bytes } of messagesIn(file).messages)
      verdicts.check(id, () => ({ reasons: reasonsOf(mutateMessage(bytes, tally)) }));
  }
  for (const file of caseFiles(cases, ['ccda'])) {
    if (isCdaFile(file)) verdicts.check(file.id, () => ({ reasons: reasonsOf(mutateDocument(file.bytes, tally)) }));
  }
  return {
    ...verdicts.result,
    files: verdicts.result.total,
    ...tally,
    noticed_pct: percent(tally.noticed, tally.mutated),
  };
}

function reasonsOf(unnoticed: readonly string[]): string[] {
  return unnoticed.length === 0 ? [] : [`mapped, and a change of it changed nothing: ${some(unnoticed)}`];
}

/** The places said to be mapped of which a change goes unnoticed. */
function mutateMessage(bytes: Uint8Array, tally: Tally): string[] {
  const message = parseMessage(bytes);
  if (isParseError(message)) return [];
  const text = new TextDecoder(message.encoding).decode(bytes);
  return mutate(rawAtoms(text), CHANGED.message, convertV2(message, CONTEXT), tally, ({ path, value }) => {
    const edited = editMessage(message, [{ path: path.replaceAll('[1]', ''), value: otherThan(value) }]);
    return isParseError(edited) ? undefined : convertV2(edited, CONTEXT);
  });
}

function mutateDocument(bytes: Uint8Array, tally: Tally): string[] {
  const parsed = parseCda(bytes);
  const text = decoded(bytes);
  const root = readMarkup(text);
  if (!parsed.ok || root === undefined) return [];
  // A value that stands once in the text can be changed there without knowing its place.
  const single = documentAtoms(root).filter(
    ({ path, value }) => path.includes('/@') && /^[\w.:+-]+$/.test(value) && text.split(`"${value}"`).length === 2,
  );
  return mutate(single, CHANGED.document, convertCcda(parsed.document, CONTEXT), tally, ({ value }) => {
    const again = parseCda(Buffer.from(text.replace(`"${value}"`, `"${otherThan(value)}"`).replace(DECLARATION, '')));
    return again.ok ? convertCcda(again.document, CONTEXT) : undefined;
  });
}

/** The text is UTF-8 from here on. */
const DECLARATION = /^\uFEFF?\s*<\?xml[^>]*\?>/;

function mutate(
  atoms: readonly SourceAtom[],
  most: number,
  conversion: Conversion,
  tally: Tally,
  convertWithout: (atom: SourceAtom) => Conversion | undefined,
): string[] {
  const dispositions = new Map<string, Disposition>(
    conversion.ledger.map(({ source, disposition }) => [source, disposition]),
  );
  const candidates = atoms.filter(
    ({ path, value }) => ['mapped', 'consumed'].includes(dispositions.get(path) ?? '') && otherThan(value) !== value,
  );
  const before = stateOf(conversion);
  const unnoticed: string[] = [];
  // Spread over the message, the same in each run.
  for (let i = 0; i < most && i < candidates.length; i++) {
    const atom = candidates[Math.floor((i * candidates.length) / Math.min(most, candidates.length))]!;
    const other = convertWithout(atom);
    if (other === undefined) continue;
    const isNoticed = stateOf(other) !== before;
    if (dispositions.get(atom.path) === 'consumed') {
      tally.used++;
      if (!isNoticed) tally.used_unnoticed++;
      continue;
    }
    tally.mutated++;
    if (isNoticed) tally.noticed++;
    else unnoticed.push(atom.path);
  }
  return unnoticed;
}

/** All that a conversion says. */
function stateOf({ facts, identityEvents, ledger }: Conversion): string {
  return JSON.stringify([facts.map(({ resource, clears }) => [resource, clears]), identityEvents, ledger]);
}

/** The value with its last letter or digit another one. */
function otherThan(value: string): string {
  const at = value.search(/[A-Za-z0-9][^A-Za-z0-9]*$/);
  if (at < 0) return value;
  const last = value[at]!;
  const other = /\d/.test(last)
    ? String((Number(last) + 5) % 10)
    : last === 'z' || last === 'Z'
      ? 'a'
      : String.fromCharCode(last.charCodeAt(0) + 1);
  return value.slice(0, at) + other + value.slice(at + 1);
}
