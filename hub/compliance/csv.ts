/** The register of refusals as a table for an auditor or the Office of Inspector General. */
import { csvText } from '../csv.ts';
import type { Refusal } from './refusals.ts';
import type { FiledRequest } from './requests.ts';

/** One line for each refusal and for each request that was filed. Who asked for what by letter is not in it. */
export function registerCsv(refusals: readonly Refusal[], requests: readonly FiledRequest[]): string {
  const lines: (string | number | undefined)[][] = [
    [
      'kind',
      'day',
      'organization',
      'requester',
      'what',
      'times',
      'exception',
      'citation',
      'decided by',
      'state',
      'late',
    ],
    ...refusals.map((one) => [
      one.kind,
      one.day,
      one.organization,
      one.requester,
      one.action,
      one.times,
      one.exception,
      one.citation,
      one.decided?.by ?? 'rule',
      'refused',
      '',
    ]),
    ...requests.map((one) => [
      'request',
      one.received,
      '',
      one.requester,
      one.id,
      1,
      one.exception,
      one.citation,
      one.steps.findLast(({ step }) => step === 'refused')?.by,
      one.state,
      one.clocks.some(({ isLate }) => isLate) ? 'yes' : 'no',
    ]),
  ];
  return csvText(lines.map((line) => line.map((cell) => (cell === undefined ? '' : String(cell)))));
}
