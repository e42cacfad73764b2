/** The errors a caller of the record is expected to act on; the gate renders them as an OperationOutcome. */

/** A code of http://hl7.org/fhir/issue-type. */
export type IssueCode =
  | 'invalid'
  | 'structure'
  | 'required'
  | 'value'
  | 'invariant'
  | 'code-invalid'
  | 'not-found'
  | 'deleted'
  | 'conflict'
  | 'duplicate'
  | 'multiple-matches'
  | 'not-supported'
  | 'too-long'
  | 'too-costly'
  | 'forbidden'
  | 'login'
  | 'business-rule'
  | 'processing'
  | 'exception'
  | 'timeout'
  | 'throttled'
  | 'transient'
  | 'incomplete'
  | 'no-store'
  | 'lock-error';

export interface Issue {
  severity: 'error' | 'warning' | 'information';
  code: IssueCode | string;
  /** A sentence that says what is wrong and what would be right, without personal data. */
  diagnostics: string;
  /** FHIRPath of the element, or the parameter's name. */
  expression?: string;
}

/** Something would be written into the record of a person whose record was erased. */
export const erasedText =
  'The record of this person was erased on lawful request: nothing is taken about them, unless a privacy officer lifts that.';

/** A request that cannot be carried out as it stands. `status` is the HTTP status that says so. */
export class RecordError extends Error {
  readonly status: number;
  readonly issues: Issue[];
  /** Headers that belong to the answer: the ETag of a deletion, `Allow`, `Retry-After`. */
  readonly headers: Record<string, string> = {};

  constructor(status: number, code: IssueCode, diagnostics: string, expression?: string) {
    super(diagnostics);
    this.status = status;
    this.issues = [{ severity: 'error', code, diagnostics, ...(expression ? { expression } : {}) }];
  }

  /** The same error with a header. */
  with(name: string, value: string): this {
    this.headers[name] = value;
    return this;
  }

  static of(status: number, issues: Issue[]): RecordError {
    const error = new RecordError(status, 'invalid', issues[0]?.diagnostics ?? 'The request is not valid.');
    error.issues.splice(0, 1, ...issues);
    return error;
  }
}

/** Something is about a person whose record was erased, and is not taken. */
export class ErasedPerson extends RecordError {
  constructor() {
    super(409, 'business-rule', erasedText);
  }
}
