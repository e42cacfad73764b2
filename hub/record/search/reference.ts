/** Reference parameters (FHIR R4 §3.1.1.4.12). An id of a person finds what refers to any of its source patients. */
import { isResourceType, type SearchParameter } from '@causeway/fhir';
import { logicalHash, logicalSystemHash } from '../index-entries.ts';
import { referenceHash, ridOf, tokenHash } from '../keys.ts';
import { hashed, type Predicate, type SearchContext } from './predicate.ts';
import type { Filter } from './request.ts';
import { splitAt, unescaped } from './values.ts';
import { wrong } from './wrong.ts';

type ValueFilter = Extract<Filter, { kind: 'value' }>;

export async function reference(context: SearchContext, type: string, filter: ValueFilter): Promise<Predicate> {
  const { parameter } = filter;
  const { code } = parameter;
  if (filter.modifier === 'identifier') return identified(context, type, filter);
  const hashes: bigint[] = [];
  let homes: number[] | undefined = namesHome(parameter) ? [] : undefined;
  for (const value of filter.values.map(unescaped)) {
    const target = targetOf(filter, value);
    if ('url' in target) {
      hashes.push(tokenHash(type, code, target.url));
      homes = undefined;
      continue;
    }
    for (const targetType of target.types) {
      if (targetType !== 'Patient') {
        hashes.push(referenceHash(type, code, targetType, ridOf(target.id)));
        continue;
      }
      const resolved = await context.resolvePatient(target.id);
      for (const rid of resolved.rids) hashes.push(referenceHash(type, code, 'Patient', rid));
      homes?.push(...resolved.homes);
    }
    if (target.types.some((one) => one !== 'Patient')) homes = undefined;
  }
  const found = hashed(context, hashes);
  return homes ? { ...found, homes } : found;
}

/**
 * Whether a parameter's Patient is always the one in whose home the resource lives; see `homePatient`. Of several subjects
 * (those of an Account, or a Contract) it is the first alone.
 */
export function namesHome(parameter: SearchParameter): boolean {
  return /^(?!Account\.|Contract\.)[A-Z][A-Za-z]+\.(?:subject|patient)(?:$|\.where\(resolve\(\) is Patient\)$)/.test(
    parameter.expression,
  );
}

/** What a value names. @throws RecordError 400 where it does not say of which type */
export function targetOf(filter: ValueFilter, value: string): { types: string[]; id: string } | { url: string } {
  const { parameter, modifier } = filter;
  const relative = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/.exec(value);
  if (relative && isResourceType(relative[1]!)) {
    if (modifier !== undefined && modifier !== relative[1]) {
      throw wrong(parameter.code, `has the modifier :${modifier} and names a ${relative[1]}`);
    }
    return { types: [relative[1]!], id: relative[2]! };
  }
  if (!/^[A-Za-z0-9\-.]{1,64}$/.test(value)) return { url: value };
  if (modifier !== undefined) return { types: [modifier], id: value };
  // A parameter named `patient` finds Patients, even where the definition names others beside them.
  const types = parameter.code === 'patient' ? ['Patient'] : (parameter.target ?? []);
  if (types.length === 0) throw wrong(parameter.code, `needs the type of what it refers to: ${parameter.code}=Type/id`);
  return { types, id: value };
}

/** References by an identifier: `system|value`, `|value` or the value alone. */
function identified(context: SearchContext, type: string, { parameter: { code }, values }: ValueFilter): Predicate {
  const asked = values.map((value) => {
    const [first, ...rest] = splitAt(value, '|').map(unescaped) as [string, ...string[]];
    return rest.length === 0 ? { value: first } : { system: first, value: rest.join('|') };
  });
  return hashed(
    context,
    asked.map(({ system, value }) =>
      system === undefined ? logicalHash(type, code, value) : logicalSystemHash(type, code, system, value),
    ),
    asked.map(({ value }) => logicalHash(type, code, value)),
  );
}
