/**
 * What is wrong with a text or a resource, and how it is told to a client: FHIR R4 OperationOutcome
 * (https://hl7.org/fhir/R4/operationoutcome.html). Texts name the place and what would be right; they never repeat
 * a value, since a value may be personal data.
 */
import type { OperationOutcome } from '@medplum/fhirtypes';

/** A code of http://hl7.org/fhir/issue-type, as far as this package uses it. */
export type IssueCode =
  | 'invalid'
  | 'structure'
  | 'required'
  | 'value'
  | 'invariant'
  | 'code-invalid'
  | 'too-long'
  | 'too-costly'
  | 'duplicate'
  | 'multiple-matches'
  | 'not-supported'
  | 'not-found';

/** One finding about a resource. */
export interface Issue {
  severity: 'fatal' | 'error' | 'warning' | 'information';
  code: IssueCode;
  /** A sentence which says what is wrong and what would be right. */
  diagnostics: string;
  /** FHIRPath of the element, e.g. `Patient.contact[0].gender`. */
  expression?: string;
}

/** A text that is not JSON of one resource. `line` and `column` count from 1, `offset` from 0 in the text given. */
export interface FhirError {
  error: string;
  code: IssueCode;
  offset: number;
  line: number;
  column: number;
  /** Where in the document, e.g. `Bundle.entry[3].resource.name[0]`; empty at the root. */
  path: string;
}

/** Whether a result is the error value. */
export function isFhirError(result: object): result is FhirError {
  return 'error' in result && 'offset' in result;
}

/** Renders findings, or the error value of a scan, as an OperationOutcome; none gives the all-OK outcome. */
export function operationOutcome(issues: readonly Issue[] | FhirError): OperationOutcome {
  if ('error' in issues) {
    const place = `Line ${issues.line}, column ${issues.column}${issues.path === '' ? '' : `, at ${issues.path}`}`;
    return {
      resourceType: 'OperationOutcome',
      issue: [
        {
          severity: 'error',
          code: issues.code,
          diagnostics: `${place}: ${issues.error}`,
          ...(issues.path === '' ? {} : { expression: [issues.path] }),
        },
      ],
    };
  }
  if (issues.length === 0) {
    return {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'information', code: 'informational', diagnostics: 'All OK' }],
    };
  }
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map((issue) => ({
      severity: issue.severity,
      code: issue.code,
      diagnostics: issue.diagnostics,
      ...(issue.expression === undefined ? {} : { expression: [issue.expression] }),
    })),
  };
}

/** Makes the error value for an offset in a text; line and column are counted here, only when something is wrong. */
export function fhirError(text: string, offset: number, code: IssueCode, error: string, path = ''): FhirError {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { error, code, offset, line, column: offset - lineStart + 1, path };
}
