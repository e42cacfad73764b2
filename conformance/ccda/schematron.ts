/** HL7's Schematron releases among the cases, with counts of what fired. */
import { compileSchematron, type DocumentIndex, loadSchematron, type SchematronFinding } from '@causeway/ccda';
import { caseFiles } from '../case-files.ts';

export interface Release {
  /** `3.0` of a file that is named so, else the file's name. */
  name: string;
  asserts: number;
  compile_ms: number;
  documents: number;
  /** Documents without an error. */
  clean: number;
  errors: number;
  warnings: number;
  check_ms: number;
  /** How often each assert of phase errors fired. */
  fired: Map<string, number>;
  /** Checks a document, and gives its errors. */
  check(document: DocumentIndex): SchematronFinding[];
}

/** Every `.sch` below `ccda`, compiled; one that cannot be compiled whole ends the run. */
export function releases(cases: string): Release[] {
  const found: Release[] = [];
  for (const { id, bytes } of caseFiles(cases, ['ccda'])) if (id.endsWith('.sch')) found.push(release(id, bytes));
  return found;
}

function release(id: string, bytes: Buffer): Release {
  const began = performance.now();
  const schematron = loadSchematron(compileSchematron(bytes));
  const result: Release = {
    name: /(\d+\.\d+)\.sch$/.exec(id)?.[1] ?? id,
    asserts: schematron.asserts,
    compile_ms: performance.now() - began,
    documents: 0,
    clean: 0,
    errors: 0,
    warnings: 0,
    check_ms: 0,
    fired: new Map(),
    check(document) {
      // Asking for CPU time would take as long as many checks.
      const start = performance.now();
      const errors = schematron.validate(document, 'errors');
      const warnings = schematron.validate(document, 'warnings');
      result.check_ms += performance.now() - start;
      result.documents++;
      result.errors += errors.length;
      result.warnings += warnings.length;
      if (errors.length === 0) result.clean++;
      for (const { rule, message } of errors) {
        const key = `${rule}: ${message}`;
        result.fired.set(key, (result.fired.get(key) ?? 0) + 1);
      }
      return errors;
    },
  };
  return result;
}

/** The most frequent, with their counts. */
export function worst(fired: ReadonlyMap<string, number>, most: number): string[] {
  return [...fired]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([key, count]) => `${count} × ${key.slice(0, 160)}`);
}
