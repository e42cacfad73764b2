/**
 * Suite `graphql`: the cases of a manifest, those of a server by their addresses, and texts that have to be read. What a
 * case refers to and searches for are the resources beside it, but for those that another case brings along as its own
 * (`resource=`); a case may also start from one of the XML examples.
 */
import { isDeepStrictEqual } from 'node:util';
import { extract, jsonFromXml } from '@causeway/fhir';
import {
  executeGraphql,
  type GraphqlAnswer,
  type GraphqlRequest,
  type Resource,
  type SearchPage,
} from '@causeway/graphql';
import { type CaseFile, caseFiles } from './case-files.ts';
import { type SuiteResult, type Verdict, Verdicts } from './result.ts';

const FOLDER = 'fhir/graphql';
const EXAMPLES = 'fhir/xml-json';

interface Case {
  id: string;
  request: GraphqlRequest;
  /** The name of the file, without its ending, whose resource the query starts from. */
  start: string | undefined;
  /** The data that are expected; undefined for an error. */
  expected: object | undefined;
}

/** Runs the suite over `fhir/graphql`. */
export async function runGraphql(cases: string): Promise<SuiteResult> {
  const files = [...caseFiles(cases, [FOLDER])];
  const manifest = files.map(textOf).find((text) => text.includes('<graphql-tests>')) ?? '';
  const own = new Set([...manifest.matchAll(/\bresource="([^"]+)"/g)].map(([, name]) => `${FOLDER}/${name}.xml`));
  const store = files.filter(({ id }) => !own.has(id)).flatMap(resourcesIn);
  const examples = [...files, ...caseFiles(cases, [EXAMPLES])];
  const verdicts = new Verdicts();
  const manifestCases = casesIn(manifest, files);
  const serverCases = files.flatMap(serverCasesIn);
  for (const one of [...manifestCases, ...serverCases]) {
    const start = examples.filter(({ id }) => id.endsWith(`/${one.start}.xml`)).flatMap(resourcesIn)[0];
    const answer = await run(one, store, start);
    const held = JSON.stringify([start, ...store]);
    verdicts.check(one.id, () => judged(one, start, answer, held));
  }
  const texts = files.flatMap(textsIn);
  for (const { id, query } of texts) {
    const answer = await run({ id, request: { query }, start: undefined, expected: {} }, store, undefined);
    verdicts.check(id, () => ({ reasons: isUnreadable(answer) ? ['the text is not read as GraphQL'] : [] }));
  }
  const figures = { manifest_cases: manifestCases.length, server_cases: serverCases.length, texts: texts.length };
  return { ...verdicts.result, files: files.length, ...figures };
}

/** The answer to a case, or what was thrown. */
async function run(one: Case, store: Resource[], start: Resource | undefined): Promise<GraphqlAnswer | Error> {
  const source = {
    read: async (type: string, id: string) => store.find((stored) => stored.resourceType === type && stored.id === id),
    search: async (type: string, parameters: readonly [string, string][]) =>
      told(found(store, type, parameters), one.expected, `${type}Connection`),
  };
  return executeGraphql(one.request, source, start).catch((error) => error as Error);
}

/** Resources of a type that every parameter finds, by the values that search indexes. */
function found(store: Resource[], type: string, parameters: readonly [string, string][]): Resource[] {
  const wanted = parameters.filter(([name]) => name !== '_count' && name !== '_total');
  return store
    .filter(({ resourceType }) => resourceType === type)
    .filter((resource) => {
      const values = extract(resource as never);
      return wanted.every(([name, value]) =>
        values.some(
          (one) =>
            one.param === name &&
            ((one.kind === 'token' && one.code === value) ||
              (one.kind === 'reference' && `${one.type}/${one.id}` === value)),
        ),
      );
    })
    .sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
}

/**
 * What a search tells of itself (total, mode, score, cursors) is any server's own; a case that expects some is given just
 * that, so that only its way into the answer is judged.
 */
function told(resources: Resource[], expected: object | undefined, name: string): SearchPage {
  const page = (expected as Record<string, Record<string, unknown>> | undefined)?.[name];
  if (!page) return { entries: resources.map((resource) => ({ resource })) };
  const { count, pagesize, edges, ...rest } = page as { count?: number; pagesize?: number; edges?: object[] };
  const entries = resources.map((resource, index) => ({ ...edges?.[index], resource }));
  return { ...rest, total: count, pageSize: pagesize, entries };
}

/** @param held the text of all resources that the case may find */
function judged(
  { start: named, expected }: Case,
  start: Resource | undefined,
  answer: GraphqlAnswer | Error,
  held: string,
): Verdict {
  if (answer instanceof Error) throw answer;
  if (named !== undefined && !start) return { reasons: [`${named} is not among the cases`] };
  if (expected === undefined) return { reasons: answer.errors ? [] : ['an error is expected'] };
  if (answer.errors) return { reasons: [answer.errors[0]!.message] };
  const data = JSON.parse(JSON.stringify(answer.data));
  if (isDeepStrictEqual(data, expected)) return { reasons: [] };
  if (isDeepStrictEqual(data, mergedLists(expected, data))) {
    const dispute = 'a field asked for twice is expected as a list of two; GraphQL (October 2021, 6.3.2) merges them';
    return { reasons: [], dispute };
  }
  const nowhere: unknown[] = [];
  const isHeld = (leaf: unknown) => held.includes(JSON.stringify(leaf)) || nowhere.push(leaf) === 0;
  if (isDeepStrictEqual(data, withoutUnheld(expected, data, isHeld))) {
    return { reasons: [], dispute: `expects ${nowhere.join(', ')}, which none of the case’s resources holds` };
  }
  return { reasons: [`expected ${JSON.stringify(expected)}, got ${JSON.stringify(data)}`] };
}

/** What is expected, with what was answered wherever the expected value is one that no resource holds. */
function withoutUnheld(expected: unknown, data: unknown, isHeld: (leaf: unknown) => boolean): unknown {
  if (typeof expected !== 'object' || expected === null) return isHeld(expected) ? expected : data;
  const of = (value: unknown, name: string | number) =>
    withoutUnheld(value, (data as Record<string | number, unknown> | undefined)?.[name], isHeld);
  if (Array.isArray(expected)) return expected.map(of);
  return Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, of(value, name)]));
}

/** What is expected, with a list merged into one object wherever the answer has an object. */
function mergedLists(expected: unknown, data: unknown): unknown {
  if (Array.isArray(expected) && !Array.isArray(data)) return mergedLists(expected.reduce(merge, {}), data);
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) return expected;
  return Object.fromEntries(
    Object.entries(expected).map(([name, value]) => [
      name,
      mergedLists(value, (data as Record<string, unknown>)?.[name]),
    ]),
  );
}

function merge(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const both = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value) && name in a;
    both[name] = isObject ? merge(a[name] as Record<string, unknown>, value as Record<string, unknown>) : value;
  }
  return both;
}

/** Cases of the manifest. Variables have no values there: a boolean one is true, as the case with one takes it to be. */
function casesIn(manifest: string, files: CaseFile[]): Case[] {
  const content = (name: string) => files.filter(({ id }) => id === `${FOLDER}/${name}`).map(textOf)[0] ?? '';
  return [...manifest.matchAll(/<test\s([^>]*)\/>/g)].map(([, attributes]) => {
    const read = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes!)?.[1];
    const query = content(read('source') ?? '');
    const booleans = [...query.matchAll(/\$(\w+)\s*:\s*Boolean/g)].map(([, name]) => [name, true]);
    const output = read('output') ?? '';
    return {
      id: `${FOLDER}: ${read('name')}`,
      request: { query, variables: Object.fromEntries(booleans), operationName: read('operation') },
      start: read('resource') ?? fileNameOf(read('context') ?? ''),
      expected: output === '$error' ? undefined : JSON.parse(content(output)),
    };
  });
}

/** `patient-example` for `Patient/example/$graphql`; undefined for an address of the system. */
function fileNameOf(address: string): string | undefined {
  const [, type, id] = /^\/?(\w+)\/([^/]+)\/\$graphql/.exec(address) ?? [];
  return type === undefined ? undefined : `${type.toLowerCase()}-${id}`;
}

interface ServerCase {
  url: string;
  output: { data: object };
}

/** Cases that are the addresses of a server and its answers. */
function serverCasesIn(file: CaseFile): Case[] {
  const text = textOf(file);
  if (!text.includes('"graphql-server-tests"')) return [];
  const groups = Object.entries(JSON.parse(text) as Record<string, Record<string, ServerCase> | string>);
  return groups.flatMap(([group, cases]) =>
    Object.entries(typeof cases === 'string' ? {} : cases).map(([name, { url, output }]) => {
      const query = url.slice(url.indexOf('?query=') + '?query='.length);
      const id = `${file.id}: ${group} ${name}`;
      return { id, request: { query }, start: fileNameOf(url), expected: output.data };
    }),
  );
}

/** Texts under headings of `####`, all of which are GraphQL. */
function textsIn(file: CaseFile): { id: string; query: string }[] {
  if (!/\.gql$/.test(file.id)) return [];
  const parts = textOf(file)
    .split(/^####\s*(.+)$/m)
    .slice(1);
  return parts.flatMap((name, i) =>
    i % 2 === 0 ? [{ id: `${file.id}: ${name.trim()}`, query: parts[i + 1] ?? '' }] : [],
  );
}

function isUnreadable(answer: GraphqlAnswer | Error): boolean {
  if (answer instanceof Error) throw answer;
  return answer.errors?.[0]?.extensions.resource.issue[0]?.code === 'structure';
}

function resourcesIn(file: CaseFile): Resource[] {
  const text = textOf(file);
  if (!text.includes('xmlns="http://hl7.org/fhir"')) return [];
  const json = jsonFromXml(text);
  return typeof json === 'string' ? [JSON.parse(json) as Resource] : [];
}

function textOf({ bytes }: CaseFile): string {
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}
