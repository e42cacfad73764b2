import { type SuiteResult, Verdicts } from '../result.ts';
export function runRegion(_people: number): SuiteResult {
  return new Verdicts().result;
}
