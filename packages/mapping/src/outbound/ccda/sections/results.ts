/** Results: an organizer for each report and for each result that is of none. */
import type { DiagnosticReport, Observation } from '@medplum/fhirtypes';
import { choice, dayWords, wordsOf } from '../any-value.ts';
import { type CdaElement, el } from '../element.ts';
import { observation, specimen, statusOf, timeOf, timeWords, valueWords } from '../observation.ts';
import { observationsIn } from '../observation-sections.ts';
import { authors, performer } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { code, ids, interval, nameOf, ownId, primitiveFlavor } from '../values.ts';
import type { Writer } from '../writer.ts';

export const RESULTS: SectionKind = {
  template: ['.2.3.1', '2015-08-01'],
  code: '30954-2',
  display: 'Relevant diagnostic tests/laboratory data note',
  title: 'Results',
  none: 'There is no information about results.',
};

export function writeResults(
  writer: Writer,
  wanted: (resource: DiagnosticReport | Observation) => boolean,
): SectionBody {
  const body = emptyBody(['Test', 'Result', 'Interpretation', 'Reference range', 'Date', 'Status']);
  for (const report of writer.chart.all<DiagnosticReport>('DiagnosticReport')) {
    if (report.status === 'entered-in-error' || !wanted(report) || isNote(report) || writer.take(report)) continue;
    const children = writer.chart
      .childrenOf(report)
      .filter(
        (child): child is Observation => child.resourceType === 'Observation' && child.status !== 'entered-in-error',
      )
      .filter((child) => !writer.isTaken(child));
    const components = children.flatMap((child) => resultsOf(writer, child, body));
    body.entries.push(reportOrganizer(writer, report, components, body));
  }
  for (const single of observationsIn(writer, 'results')) {
    if (!wanted(single) || writer.isTaken(single)) continue;
    body.entries.push(panel(writer, single, body));
  }
  return body;
}

/** A report that is a document, without a single result: it is told of in the notes. */
export function isNote({ result = [], presentedForm = [], conclusion }: DiagnosticReport): boolean {
  return result.length === 0 && conclusion === undefined && presentedForm.length > 0;
}

function reportOrganizer(
  writer: Writer,
  report: DiagnosticReport,
  components: CdaElement[],
  body: SectionBody,
): CdaElement {
  const during = reportTime(report);
  const element = organizer(
    ids(report),
    code('code', report.code),
    statusOf(report),
    during,
    components.length > 0 ? components : [conclusionOf(writer, report, body)],
    [
      ...(report.specimen ?? []).map((one) => specimen(writer, one, report as unknown as Observation)),
      ...(report.performer ?? []).map((who) => performer(writer, who, report)),
      ...authors(writer, report, { who: undefined }),
    ],
  );
  return putBack(element, report);
}

function reportTime({ effectiveDateTime, effectivePeriod, issued }: DiagnosticReport): CdaElement | undefined {
  if (effectivePeriod !== undefined) {
    return interval('effectiveTime', {
      low: effectivePeriod.start,
      high: effectivePeriod.end,
      lowFlavor: primitiveFlavor(effectivePeriod, 'start'),
      highFlavor: 'UNK',
    });
  }
  const moment = effectiveDateTime ?? issued;
  return moment === undefined ? undefined : interval('effectiveTime', { low: moment, high: moment });
}

function organizer(
  own: readonly CdaElement[],
  kind: CdaElement,
  status: string,
  during: CdaElement | undefined,
  components: readonly CdaElement[],
  people: readonly (CdaElement | undefined)[] = [],
): CdaElement {
  return statement(
    'organizer',
    { classCode: 'BATTERY', moodCode: 'EVN' },
    template('resultOrganizer'),
    own,
    kind,
    statusCode(status),
    during,
    people,
    components.map((one) => el('component', {}, one)),
  );
}

/** A panel, or a result that is of no panel, as an organizer of its own. */
function panel(writer: Writer, single: Observation, body: SectionBody): CdaElement {
  const members = membersOf(writer, single);
  if (members.length === 0) {
    const inner = resultsOf(writer, single, body);
    return organizer([ownId(single)], code('code', single.code), statusOf(single), spanOf(single), inner);
  }
  writer.take(single);
  const components = members.flatMap((member) => resultsOf(writer, member, body));
  const element = organizer(
    ids(single),
    code('code', single.code),
    statusOf(single),
    spanOf(single),
    components,
    authors(writer, single),
  );
  return putBack(element, single);
}

function membersOf(writer: Writer, holder: Observation): Observation[] {
  if (choice(holder, 'value') !== undefined) return [];
  return writer.chart
    .childrenOf(holder)
    .filter((child): child is Observation => child.resourceType === 'Observation' && !writer.isTaken(child))
    .filter((child) => (holder.hasMember ?? []).some(({ reference }) => reference === `Observation/${child.id}`));
}

/** An organizer's time is an interval with both ends. */
function spanOf(single: Observation): CdaElement {
  const { effectivePeriod, effectiveDateTime, effectiveInstant } = single;
  const moment = effectiveDateTime ?? effectiveInstant;
  if (effectivePeriod === undefined) return interval('effectiveTime', { low: moment, high: moment, highFlavor: 'UNK' });
  return interval('effectiveTime', { low: effectivePeriod.start, high: effectivePeriod.end, highFlavor: 'UNK' });
}

/** Result Observations for an observation and for those beneath it. */
function resultsOf(writer: Writer, single: Observation, body: SectionBody): CdaElement[] {
  const row = writer.nextId('result');
  body.rows.push({ id: row, cells: resultCells(single) });
  return [
    observation(writer, single, { templates: template('resultObservation'), text: textReference(row), noValue: 'NI' }),
  ];
}

export function resultCells(single: Observation): string[] {
  const range = single.referenceRange?.[0];
  return [
    nameOf(single.code) ?? 'not stated',
    valueWords(single),
    (single.interpretation ?? []).map(nameOf).join(', '),
    range === undefined ? '' : (range.text ?? wordsOf({ type: 'Range', value: range })),
    timeWords(single),
    single.status ?? '',
  ];
}

/** A report without results still says that it was made, and what it came to. */
function conclusionOf(writer: Writer, report: DiagnosticReport, body: SectionBody): CdaElement {
  const row = writer.nextId('result');
  const words = report.conclusion;
  body.rows.push({
    id: row,
    cells: [
      nameOf(report.code) ?? 'not stated',
      words,
      '',
      '',
      dayWords(report.effectiveDateTime ?? report.issued),
      report.status,
    ],
  });
  const coded = report.conclusionCode?.[0];
  const value =
    coded !== undefined
      ? code('value', coded, { type: 'CD' })
      : words === undefined
        ? el('value', { 'xsi:type': 'CD', nullFlavor: 'NI' })
        : el('value', { 'xsi:type': 'ST' }, words);
  return statement(
    'observation',
    { classCode: 'OBS', moodCode: 'EVN' },
    template('resultObservation'),
    el('id', { nullFlavor: 'NI' }),
    code('code', report.code),
    textReference(row),
    statusCode(statusOf(report)),
    timeOf(report as unknown as Observation),
    value,
  );
}
