/** What is wrong with a parameter of a search, as the one who searches is told. */
import { RecordError } from '../errors.ts';

/** @param what a sentence that goes on after the parameter's name, without its full stop */
export function wrong(name: string, what: string): RecordError {
  const shown = name.slice(0, 100);
  return new RecordError(400, 'invalid', `The parameter ${shown} ${what}.`, shown);
}

/** A search that would cost more than one answer may. */
export function tooCostly(name: string, what: string): RecordError {
  return new RecordError(400, 'too-costly', `The parameter ${name.slice(0, 100)} ${what}.`, name.slice(0, 100));
}
