/** What a suite found: counts, figures, and each case that failed or was refused, with the reason. */

export interface CaseNote {
  id: string;
  reason: string;
}

export interface SuiteResult {
  total: number;
  passed: number;
  failed: number;
  /** Cases refused with a specific reason; they count as passed. */
  refused: number;
  /** Cases in which something was thrown; they count as failed. */
  crashed: number;
  /** Cases whose expectation contradicts their own input or the specification, by a rule; neither passed nor failed. */
  disputed: number;
  failures: CaseNote[];
  disputes: CaseNote[];
  refusals: CaseNote[];
  /** Further figures, by name. */
  [figure: string]: unknown;
}

/** The verdict on one case; no reasons means passed. */
export interface Verdict {
  refusal?: string;
  /** What the case expects that cannot be; everything else about it held. */
  dispute?: string;
  reasons: string[];
}

/** Collects verdicts. What a check throws is a crash of that case, never of the run. */
export class Verdicts {
  readonly result: SuiteResult = {
    total: 0,
    passed: 0,
    failed: 0,
    refused: 0,
    crashed: 0,
    disputed: 0,
    failures: [],
    disputes: [],
    refusals: [],
  };

  check(id: string, check: () => Verdict): void {
    const { result } = this;
    result.total++;
    let verdict: Verdict;
    try {
      verdict = check();
    } catch (error) {
      result.crashed++;
      verdict = { reasons: [`crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`] };
    }
    if (verdict.reasons.length > 0) {
      result.failed++;
      result.failures.push({ id, reason: verdict.reasons.join('; ') });
      return;
    }
    if (verdict.dispute !== undefined) {
      result.disputed++;
      result.disputes.push({ id, reason: verdict.dispute });
      return;
    }
    result.passed++;
    if (verdict.refusal === undefined) return;
    result.refused++;
    result.refusals.push({ id, reason: verdict.refusal });
  }
}

/** A share in percent with two decimals, rounded down so that 100 means all; 100 of nothing. */
export function percent(part: number, whole: number): number {
  return whole === 0 ? 100 : Math.floor((part / whole) * 10_000) / 100;
}
