import { type SuiteResult, Verdicts } from '../result.ts';
export function runMpi(_cases: string): SuiteResult {
  return new Verdicts().result;
}
