/** Observations of the summary: of each kind the latest, and the reports that hold it. */
import type { DiagnosticReport, Observation, Resource } from '@medplum/fhirtypes';
import { type Chart, latestOfEach, newestFirst, timeOf } from './chart.ts';
import {
  ALCOHOL,
  categoryCodes,
  DELIVERY_DATES,
  hasLoinc,
  PREGNANCY_OUTCOMES,
  PREGNANCY_STATUS,
  TOBACCO,
} from './codes.ts';
import type { Told } from './told.ts';
import { choice, conceptKey, conceptWords, dayWords, valueWords } from './words.ts';

type Place = 'results' | 'vital-signs' | 'social-history' | 'functional-status' | 'pregnancy' | 'none';

/** States in which a result stands. */
const STANDING = ['final', 'amended', 'corrected', 'appended'];

const PLACES: Readonly<Record<string, Place>> = {
  'vital-signs': 'vital-signs',
  'social-history': 'social-history',
  sdoh: 'social-history',
  laboratory: 'results',
  imaging: 'results',
  procedure: 'results',
  'functional-status': 'functional-status',
  'disability-status': 'functional-status',
  survey: 'functional-status',
};
/** Categories that say more than those beside them. */
const FIRST = ['sdoh', 'social-history', 'vital-signs', 'laboratory', 'imaging'];

export function vitalSigns(chart: Chart): Told {
  return latest(chart, 'vital-signs');
}

export function socialHistory(chart: Chart): Told {
  return latest(chart, 'social-history');
}

/** An estimated date of delivery is told with the state that names it, too. */
export function pregnancy(chart: Chart): Told {
  return latest(chart, 'pregnancy');
}

/** The guide has no room for observations in this section: they are told in its narrative. */
export function functionalStatus(chart: Chart): string[][] {
  return latestOfEach(placed(chart, 'functional-status'), keyOf).map((one) => row(one));
}

/**
 * Of each kind of result the latest, in the report that holds it, with the other results of that report; of reports without
 * results the latest of their kind.
 */
export function results(chart: Chart): Told {
  const reports = chart.all<DiagnosticReport>('DiagnosticReport').filter(({ status }) => STANDING.includes(status));
  const holders = new Map<Resource, DiagnosticReport>();
  for (const report of reports) {
    for (const one of resultsOf(chart, report)) if (!holders.has(one)) holders.set(one, report);
  }
  const own = placed(chart, 'results');
  const members = new Set(own.flatMap((one) => membersOf(chart, one)));
  const chosen = latestOfEach(own, keyOf);
  const bare = reports.filter((report) => (report.result ?? []).length === 0 && tellsSomething(report));
  const shown = new Set([
    ...chosen.flatMap((one) => holders.get(one) ?? []),
    ...latestOfEach(bare, ({ code }) => conceptKey(code)),
  ]);
  const alone = chosen.filter((one) => !holders.has(one) && !members.has(one));
  return {
    entries: [
      ...newestFirst([...shown]).map((report) => ({ resource: report, rows: reportRows(chart, report) })),
      ...alone.map((one) => ({ resource: one, rows: rowsWith(chart, one) })),
    ],
  };
}

/** Observations that a summary may tell of, in no matter which section. */
export function isStanding({ status }: Observation): boolean {
  return STANDING.includes(status);
}

function latest(chart: Chart, place: Place): Told {
  const entries = latestOfEach(placed(chart, place), keyOf).map((resource) => ({ resource, rows: [row(resource)] }));
  return { entries };
}

function placed(chart: Chart, place: Place): Observation[] {
  return chart.all<Observation>('Observation').filter((one) => isStanding(one) && placeOf(one) === place);
}

function placeOf(observation: Observation): Place {
  const { code } = observation;
  if (hasLoinc(code, PREGNANCY_STATUS, ...DELIVERY_DATES, ...PREGNANCY_OUTCOMES)) return 'pregnancy';
  if (hasLoinc(code, TOBACCO, ALCOHOL)) return 'social-history';
  const categories = categoryCodes(observation);
  if (categories.length === 0) return 'results';
  const told = FIRST.find((one) => categories.includes(one)) ?? categories.find((one) => Object.hasOwn(PLACES, one));
  return told === undefined ? 'none' : PLACES[told]!;
}

function keyOf({ code }: Observation): string | undefined {
  for (const one of [TOBACCO, ALCOHOL]) if (hasLoinc(code, one)) return one;
  return conceptKey(code);
}

function resultsOf(chart: Chart, { result = [] }: DiagnosticReport): Observation[] {
  return result.flatMap((one) => chart.find<Observation>(one) ?? []).filter(isStanding);
}

function membersOf(chart: Chart, { hasMember = [] }: Observation): Observation[] {
  return hasMember
    .flatMap((one) => chart.find<Resource>(one) ?? [])
    .filter((one): one is Observation => one.resourceType === 'Observation' && isStanding(one));
}

function tellsSomething(report: DiagnosticReport): boolean {
  return report.conclusion !== undefined || report.conclusionCode !== undefined || report.presentedForm !== undefined;
}

function reportRows(chart: Chart, report: DiagnosticReport): string[][] {
  const { code, conclusion, conclusionCode = [], status } = report;
  const words = [conclusion, ...conclusionCode.map(conceptWords)].filter(Boolean).join('; ');
  const held = resultsOf(chart, report);
  const head = [conceptWords(code) || 'not stated', words || below(held), '', '', dayWords(timeOf(report)), status];
  return [head, ...held.flatMap((one) => rowsWith(chart, one))];
}

/** An observation's row and those of its members, once each, whatever circle they make. */
function rowsWith(chart: Chart, observation: Observation, seen = new Set<Observation>()): string[][] {
  if (seen.has(observation)) return [];
  seen.add(observation);
  const members = membersOf(chart, observation);
  return [row(observation, members), ...members.flatMap((one) => rowsWith(chart, one, seen))];
}

/** What a panel says in the place of a value. */
function below({ length }: readonly Observation[]): string {
  return length === 0 ? '' : `${length} ${length === 1 ? 'result' : 'results'} below`;
}

/** @param members those whose rows follow */
function row(observation: Observation, members: readonly Observation[] = []): string[] {
  const { code, interpretation = [], referenceRange = [], status } = observation;
  const [range] = referenceRange;
  return [
    conceptWords(code) || 'not stated',
    observed(observation) || below(members),
    interpretation.map(conceptWords).join(', '),
    range === undefined ? '' : (range.text ?? valueWords({ type: 'Range', value: range })),
    dayWords(timeOf(observation)),
    status,
  ];
}

function observed(observation: Observation): string {
  const { component = [], dataAbsentReason } = observation;
  const value = choice(observation, 'value');
  if (value !== undefined) return valueWords(value);
  const parts = component.map((one) => `${conceptWords(one.code)}: ${valueWords(choice(one, 'value'))}`);
  return parts.length > 0 ? parts.join('; ') : conceptWords(dataAbsentReason);
}
