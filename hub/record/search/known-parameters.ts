/** Which search parameters and modifiers there are (FHIR R4 §3.1.1.4), and what to say of those there are not. */
import { isResourceType, type SearchParameter, searchParameters } from '@causeway/fhir';
import { RecordError } from '../errors.ts';
import { wrong } from './wrong.ts';

/** The parameter of a type. @throws RecordError 400 with the names that are near, 503 while it is not complete yet */
export function findParameter(type: string, code: string): SearchParameter {
  const all = searchParameters(type);
  const found = all.find((parameter) => parameter.code === code);
  const refusal = found?.refusal?.();
  if (refusal !== undefined) throw new RecordError(503, 'incomplete', refusal, code).with('retry-after', '5');
  if (found) return found;
  const near = all
    .filter(({ code: other }) => Math.abs(other.length - code.length) <= 2 && distance(other, code) <= 2)
    .map(({ code: other }) => other);
  throw wrong(
    code,
    `is not a search parameter of ${type}${near.length > 0 ? `; did you mean ${near.join(' or ')}?` : ''}`,
  );
}

/** @throws RecordError 400 for a modifier that parameters of this kind do not have */
export function checkModifier(parameter: SearchParameter, modifier: string | undefined, name: string): void {
  if (modifier === undefined) return;
  const known = modifiers[parameter.type] ?? [];
  if (known.includes(modifier)) return;
  if (parameter.type === 'reference' && isResourceType(modifier)) return;
  const understood = known.map((one) => `:${one}`).join(', ') || 'none';
  throw wrong(name, `has the modifier :${modifier}; understood here: ${understood}`);
}

const modifiers: Record<string, string[]> = {
  token: ['missing', 'not', 'text', 'in', 'not-in', 'above', 'below', 'of-type'],
  string: ['missing', 'exact', 'contains'],
  reference: ['missing', 'identifier'],
  uri: ['missing', 'above', 'below'],
  date: ['missing'],
  number: ['missing'],
  quantity: ['missing'],
  special: ['missing'],
};

/** The number of single-character edits between two names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
