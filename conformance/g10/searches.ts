/**
 * The searches that US Core asks of servers: each combination of parameters that SHALL be supported, for each profile, with
 * values of a resource that is there, in every form that a client may write them. What is found has to be what
 * looking at all resources of the type says.
 */
import { isMatch, type Json, valuesOf } from './matches.ts';
import type { Profile, SearchDefinition } from './us-core.ts';

export interface Asking {
  /** All resources of a type that may be seen. */
  all(type: string): Promise<Json[]>;
  /** What a search finds, over all its pages. */
  search(type: string, query: URLSearchParams, method: 'GET' | 'POST'): Promise<Json[]>;
}

type Asked = [name: string, value: string][];

/** Why a search does not hold; nothing where it does. */
export async function trySearch(asking: Asking, profile: Profile, names: readonly string[]): Promise<string[]> {
  const { resource, definitions } = profile;
  const all = await asking.all(resource);
  const example = exampleOf(all, profile, names);
  if (!example) return [`no ${resource} has what ${names.join(' and ')} look for`];
  const reasons: string[] = [];
  let dueInAll = 0;
  for (const [i, asked] of formsOf(example, profile, names).entries()) {
    const found = await asking.search(resource, new URLSearchParams(asked), i === 0 ? 'POST' : 'GET');
    const due = all.filter((one) =>
      asked.every(([name, values]) => {
        const definition = definitions.get(name)!;
        const own = valuesOf(one, definition);
        return values.split(',').some((value) => own.some((each) => isMatch(each, value, definition)));
      }),
    );
    dueInAll += due.length;
    reasons.push(...difference(asked, found, due));
  }
  return dueInAll > 0 ? reasons : [`nothing is there to be found by ${names.join(' and ')}`];
}

function difference(asked: Asked, found: readonly Json[], due: readonly Json[]): string[] {
  const [own, wanted] = [new Set(found.map(({ id }) => id)), new Set(due.map(({ id }) => id))];
  const missing = [...wanted].filter((id) => !own.has(id));
  const beside = [...own].filter((id) => !wanted.has(id));
  if (missing.length === 0 && beside.length === 0) return [];
  const shown = (ids: unknown[]) => `${ids.length} (${ids.slice(0, 3).join(', ')})`;
  return [`${new URLSearchParams(asked)}: ${shown(missing)} not found, ${shown(beside)} found beside`];
}

/** A resource of the profile, if there is one, that has a value for each parameter. */
function exampleOf(all: readonly Json[], { definitions }: Profile, names: readonly string[]): Json | undefined {
  const able = all.filter((one) => names.every((name) => usable(one, definitions.get(name)!).length > 0));
  const coded = ['category', 'code', 'type'].flatMap((name) => definitions.get(name) ?? []);
  const isOfProfile = (one: Json) =>
    coded.every(
      (definition) =>
        definition.values.length === 0 ||
        valuesOf(one, definition).some((value) => definition.values.some((code) => isMatch(value, code, definition))),
    );
  return able.find(isOfProfile) ?? able[0];
}

function usable(resource: Json, definition: SearchDefinition): string[] {
  return valuesOf(resource, definition).flatMap((value) => writtenOf(value, definition).slice(0, 1));
}

/** A value as clients may write it, the fullest form first. */
function writtenOf(value: Json, { type }: SearchDefinition): string[] {
  switch (type) {
    case 'Reference': {
      const { reference = '' } = value;
      return /^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.test(reference) ? [reference, reference.split('/')[1]] : [];
    }
    case 'CodeableConcept':
      return tokens(value.coding?.[0]?.system, value.coding?.[0]?.code);
    case 'Coding':
      return tokens(value.system, value.code);
    case 'Identifier':
      return tokens(value.system, value.value);
    case 'HumanName':
      return [value.family ?? value.given?.[0] ?? value.text].filter(isPlain);
    case 'Address':
      return [value.city, value.state, value.postalCode].filter(isPlain);
    case 'Period':
      return value.start === undefined ? [] : [value.start];
    default:
      return isPlain(value) ? [value] : [];
  }
}

function tokens(system: string | undefined, code: string | undefined): string[] {
  if (!isPlain(code)) return [];
  return system === undefined ? [code] : [`${system}|${code}`, code];
}

/** What stands in a query as it is. */
function isPlain(text: unknown): text is string {
  return typeof text === 'string' && !/[,$|\\]/.test(text);
}

/** One search in each form: values as they are, their short forms, each comparator, several values. */
function formsOf(example: Json, { definitions }: Profile, names: readonly string[]): Asked[] {
  const written = names.map((name) => {
    const definition = definitions.get(name)!;
    const value = valuesOf(example, definition).find((one) => writtenOf(one, definition).length > 0);
    return { name, definition, forms: writtenOf(value, definition) };
  });
  const plain: Asked = written.map(({ name, forms }) => [name, forms[0]!]);
  const short: Asked = written.map(({ name, forms }) => [name, forms.at(-1)!]);
  const withOne = (name: string, value: string): Asked =>
    plain.map((pair) => (pair[0] === name ? [name, value] : pair));
  const compared = written.flatMap(({ name, definition, forms }) =>
    definition.comparators.map((comparator) => withOne(name, `${comparator}${forms[0]}`)),
  );
  const several = written.flatMap(({ name, definition }) =>
    definition.takesSeveral && definition.values.length > 1 ? [withOne(name, definition.values.join(','))] : [],
  );
  const forms = [plain, short, ...compared, ...several];
  return [...new Map(forms.map((form) => [String(new URLSearchParams(form)), form])).values()];
}
