/**
 * Suite `ccda`: every document or fragment is refused with a reason, or read and converted with each atom accounted
 * for, each coded value of its entries kept, and each resource valid.
 */
import { parseCda } from '@causeway/ccda';
import { type Conversion, type ConversionContext, convertCcda } from '@causeway/mapping';
import { type CaseFile, caseFiles } from '../case-files.ts';
import { addAccount, checkLedger, emptyAccount, reasonsOf, type SourceAtom, some } from '../ledger-check.ts';
import { leavesOf } from '../presence.ts';
import { checkResources } from '../resource-checks.ts';
import { percent, type SuiteResult, type Verdict, Verdicts } from '../result.ts';
import { type CodedAtom, documentAtoms, entryCodes } from './atoms.ts';
import { GuideRows } from './guide-rows.ts';
import { decoded, readMarkup } from './markup.ts';
import { Measures } from './measures.ts';

const CONTEXT: ConversionContext = {
  source: 'conformance',
  receivedAt: '2026-01-01T00:00:00.000Z',
  messageUri: 'urn:causeway:message:conformance',
};

/** Runs the suite over `ccda` below the cases folder. */
export function runCcda(cases: string): SuiteResult {
  const verdicts = new Verdicts();
  const tally = {
    ...emptyAccount(),
    skipped_files: 0,
    converted: 0,
    resources: 0,
    invalid: 0,
    dangling: 0,
    codes: 0,
    codes_kept: 0,
  };
  const measures = new Measures();
  const guide = new GuideRows(cases);
  for (const file of caseFiles(cases, ['ccda'])) {
    if (isCdaFile(file)) verdicts.check(file.id, () => checkDocument(file, tally, measures, guide));
    else tally.skipped_files++;
  }
  const { atoms, accounted, mapped, structural, codes, codes_kept } = tally;
  return {
    ...verdicts.result,
    ...tally,
    files: verdicts.result.total,
    fields: atoms,
    accounted_pct: percent(accounted, atoms),
    mapped_pct: percent(mapped, atoms - structural),
    used_or_mapped_pct: percent(mapped + tally.consumed, atoms - structural),
    codes_kept_pct: percent(codes_kept, codes),
    ...measures.figures,
    ...guide.figures,
    summary: tally.converted === 0 ? undefined : `${measures.summary}\n${guide.summary}`,
  };
}

/** XML of CDA's namespace or of none; FHIR, schemas and style sheets are another matter. */
export function isCdaFile({ id, bytes }: CaseFile): boolean {
  if (/\.(ccda|ccd|cda)$/i.test(id)) return true;
  if (!/\.xml$/i.test(id)) return false;
  const text = decoded(bytes).replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g, '');
  const root = /<([^\s!/>]+)([^>]*)>/.exec(text);
  if (root === null) return false;
  const [, name = '', attributes = ''] = root;
  const prefix = name.includes(':') ? `:${name.split(':')[0]}` : '';
  const namespace = new RegExp(`\\sxmlns${prefix}\\s*=\\s*["']([^"']*)["']`).exec(attributes)?.[1];
  return namespace === undefined ? prefix === '' && name !== 'html' : namespace === 'urn:hl7-org:v3';
}

type Tally = ReturnType<typeof emptyAccount> & {
  converted: number;
  resources: number;
  invalid: number;
  dangling: number;
  codes: number;
  codes_kept: number;
};

function checkDocument({ id, bytes }: CaseFile, tally: Tally, measures: Measures, guide: GuideRows): Verdict {
  const parsed = parseCda(bytes);
  if (!parsed.ok) {
    const { code, message, line } = parsed.error;
    const refusal = `${code}: ${message}${line === undefined ? '' : ` (line ${line})`}`;
    return { refusal, reasons: message.length > 10 ? [] : ['refused without a specific reason'] };
  }
  const conversion = convertCcda(parsed.document, CONTEXT);
  if (conversion.facts.length > 0) tally.converted++;
  tally.resources += conversion.facts.length;
  const root = readMarkup(decoded(bytes));
  if (root === undefined) return { reasons: ['this check finds no element in it'] };
  const atoms = documentAtoms(root);
  const ledger = checkLedger(atoms, conversion);
  addAccount(tally, ledger.account);
  const codes = entryCodes(root);
  const lost = lostCodes(codes, conversion, tally);
  measures.add(id, root, codes, conversion);
  guide.add(conversion);
  const { invalid, dangling } = checkResources(conversion);
  tally.invalid += invalid.length;
  tally.dangling += dangling.length;
  const reasons = reasonsOf(ledger);
  const ignored = ignoredNegations(atoms, conversion);
  if (ignored.length > 0) reasons.push(`a negation changed nothing: ${some(ignored)}`);
  if (lost.length > 0) reasons.push(`${lost.length} codes of entries lost: ${some(lost)}`);
  if (invalid.length > 0) reasons.push(`not valid R4: ${some(invalid)}`);
  if (dangling.length > 0) reasons.push(`dangling references: ${some(dangling)}`);
  return { reasons };
}

/** Statements said not to be so, of which the conversion took no notice: what is denied must not show as a fact. */
function ignoredNegations(atoms: readonly SourceAtom[], conversion: Conversion): string[] {
  const negations = new Set(
    atoms
      .filter(({ path, value }) => /@(negationInd|valueNegationInd|actionNegationInd)$/.test(path) && value === 'true')
      .map(({ path }) => path),
  );
  return conversion.ledger
    .filter(
      ({ source, disposition }) => negations.has(source) && disposition !== 'mapped' && disposition !== 'consumed',
    )
    .map(({ source }) => source);
}

/** Codes that are neither in the resources nor said to have driven a decision. */
function lostCodes(codes: readonly CodedAtom[], conversion: Conversion, tally: Tally): string[] {
  const leaves = new Set<string>();
  for (const { resource } of conversion.facts) for (const leaf of leavesOf(resource)) leaves.add(leaf);
  const used = new Set<string>();
  for (const { source, disposition } of conversion.ledger) if (disposition === 'consumed') used.add(source);
  const lost: string[] = [];
  for (const { code, paths } of codes) {
    tally.codes++;
    if (leaves.has(code) || paths.some((path) => used.has(path))) tally.codes_kept++;
    else lost.push(paths[0]!);
  }
  return lost;
}
