/** Values of elements in JSON, as an ElementDefinition names them. */

export type Fields = { [name: string]: unknown };

/** One value of an element, with what stands beside a primitive one, and its type where the name tells it. */
export interface Value {
  value: unknown;
  beside: Fields | undefined;
  type: string | undefined;
}

/** The values of an element; those of `value[x]` in all types. */
export function valuesOf(holder: Fields, name: string): Value[] {
  if (!name.endsWith('[x]')) return listed(holder, name, undefined);
  const stem = name.slice(0, -3);
  const names = new Set(
    Object.keys(holder)
      .map((key) => key.replace(/^_/, ''))
      .filter((key) => key.startsWith(stem) && /^[A-Z]/.test(key.slice(stem.length))),
  );
  return [...names].flatMap((key) => listed(holder, key, key.slice(stem.length)));
}

function listed(holder: Fields, name: string, type: string | undefined): Value[] {
  const [values, besides] = [holder[name], holder[`_${name}`]];
  if (values === undefined && besides === undefined) return [];
  if (!Array.isArray(values ?? besides)) return [{ value: values, beside: besides as Fields | undefined, type }];
  const [all, beside] = [(values ?? []) as unknown[], (besides ?? []) as (Fields | null)[]];
  return Array.from({ length: Math.max(all.length, beside.length) }, (_, i) => ({
    value: all[i] ?? undefined,
    beside: beside[i] ?? undefined,
    type,
  }));
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a value is as an object: a complex one, or the extensions of a primitive. */
export function fieldsOf({ value, beside }: Value): Fields {
  return isObject(value) ? value : (beside ?? {});
}

/** Whether a value says nothing but why it is not there. */
export function isAbsent(one: Value): boolean {
  const { extension, ...rest } = fieldsOf(one);
  const says = isObject(one.value) || one.value === undefined ? Object.keys(rest).length > 0 : true;
  return !says && hasReason(extension);
}

function hasReason(extension: unknown): boolean {
  const url = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
  return Array.isArray(extension) && extension.some((one) => isObject(one) && one.url === url);
}

/** Whether a value has all that a pattern has (https://hl7.org/fhir/R4/elementdefinition-definitions.html, pattern[x]). */
export function hasPattern(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern))
    return Array.isArray(value) && pattern.every((wanted) => value.some((one) => hasPattern(one, wanted)));
  if (isObject(pattern))
    return isObject(value) && Object.entries(pattern).every(([name, wanted]) => hasPattern(value[name], wanted));
  return value === pattern;
}

export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
