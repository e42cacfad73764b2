/** Every way in which a resource of the record can be read over HTTP, with what it must show of what is visible. */
import type { Answer, Json } from '../testing.ts';

/** What is stored, known by `Type/id`. */
export interface World {
  resources: readonly Json[];
  patients: readonly string[];
  organization: string;
  graph: string;
}

export interface Asking {
  world: World;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body: string | object, contentType: string): Promise<Answer>;
  /** Turns from one patient, type and resource to the next, where asking of one of them is enough. */
  turn: number;
  /** Of the many searches every how many is asked in a turn: 1 for all. */
  every: number;
  /** Whether whole records may be taken out. */
  mayExport: boolean;
  /** Whether a resource is visible. */
  sees(reference: string): boolean;
}

/** Names that were given out, and names that should have been. */
export interface Shown {
  path: string;
  shown: string[];
  due: string[];
}

export const nameOf = ({ resourceType, id }: { resourceType: string; id: string }) => `${resourceType}/${id}`;
const form = 'application/x-www-form-urlencoded';
const json = 'application/fhir+json';

/** All ways, each asked at least once. */
export async function readPaths(asking: Asking): Promise<Shown[]> {
  const ways = [searches, joined, counted, instances, histories, graphql, operations, told, exports];
  return (await Promise.all(ways.map((way) => way(asking)))).flat();
}

function turned<T>({ turn }: Asking, all: readonly T[]): T {
  return all[turn % all.length]!;
}

function visible({ world, sees }: Asking, isWanted: (resource: Json) => boolean): string[] {
  return world.resources.filter((one) => isWanted(one) && sees(nameOf(one))).map(nameOf);
}

const isOf = (patient: string) => (one: Json) => one.subject?.reference === `Patient/${patient}`;
const ofType =
  (...types: string[]) =>
  (one: Json) =>
    types.includes(one.resourceType);

/** The resources of an answer that belong to the world. */
function namesIn({ world }: Asking, resources: Json[]): string[] {
  const known = new Set(world.resources.map(nameOf));
  return [...new Set(resources.map(nameOf).filter((name) => known.has(name)))];
}

function bundled(asking: Asking, answer: Answer): string[] {
  if (answer.status === 404) return [];
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return namesIn(
    asking,
    (answer.json.entry ?? []).flatMap(({ resource }: Json) => (resource ? [resource] : [])),
  );
}

type Due = [path: string, due: string[]];

function asked(asking: Asking, all: Due[]): Promise<Shown[]> {
  const { turn, every } = asking;
  return Promise.all(
    all
      .filter((_, i) => (i + turn) % every === 0)
      .map(async ([path, due]) => ({ path, shown: bundled(asking, await asking.get(`/fhir/${path}`)), due })),
  );
}

async function searches(asking: Asking): Promise<Shown[]> {
  const { world, post } = asking;
  const of = (...types: string[]) => visible(asking, ofType(...types));
  const paths: Due[] = ['Patient', 'Condition', 'Observation', 'Organization'].map((type) => [
    `${type}?_count=1000`,
    of(type),
  ]);
  paths.push(
    ['?_type=Patient,Condition,Observation&_count=1000', of('Patient', 'Condition', 'Observation')],
    ['Condition?_sort=-_lastUpdated,code&_count=1000', of('Condition')],
    ['Observation?_sort=patient&_elements=id&_count=1000', of('Observation')],
    ['Observation?_filter=code%20eq%20718-7&_count=1000', visible(asking, isCoded('718-7'))],
    ['Observation?_summary=true&code:not=nothing&_count=1000', of('Observation')],
  );
  const patient = turned(asking, world.patients);
  const own = visible(asking, (one) => isOf(patient)(one) && one.resourceType === 'Condition');
  paths.push([`Condition?patient=${patient}&_count=1000`, own], [`Patient/${patient}/Condition?_count=1000`, own]);
  const posted = await Promise.all(
    ['Condition/_search', '_search'].map(async (path) => {
      const answer = await post(`/fhir/${path}`, `_count=1000${path === '_search' ? '&_type=Condition' : ''}`, form);
      return { path: `POST ${path}`, shown: bundled(asking, answer), due: of('Condition') };
    }),
  );
  return [...posted, ...(await asked(asking, paths))];
}

const isCoded = (code: string) => (one: Json) =>
  one.resourceType === 'Observation' && one.code.coding.some((coding: Json) => coding.code === code);

/** Chains, `_has` and what is included: of each resource on the way it is decided too. */
function joined(asking: Asking): Promise<Shown[]> {
  const { world, sees } = asking;
  const conditions = visible(asking, ofType('Condition'));
  const observations = visible(asking, ofType('Observation'));
  const patients = visible(asking, ofType('Patient'));
  const subjects = (names: string[]) => [
    ...new Set(
      world.resources
        .filter((one) => names.includes(nameOf(one)))
        .map((one) => one.subject.reference)
        .filter(sees),
    ),
  ];
  const ofSeen = (names: string[], seen: string[]) =>
    names.filter((name) =>
      seen.includes(world.resources.find((one) => nameOf(one) === name).subject.reference as string),
    );
  const organization = sees(world.organization) ? [world.organization] : [];
  const ofPatients = patients.length > 0 ? organization : [];
  const first = turned(asking, world.patients);
  const coded = visible(asking, isCoded('718-7'));
  return asked(asking, [
    [`Condition?subject:Patient.family=Family${first}&_count=1000`, ofSeen(conditions, seenOnly(sees, first))],
    [
      'Observation?patient.organization.name=Org&_count=1000',
      organization.length > 0 ? ofSeen(observations, patients) : [],
    ],
    ['Patient?_has:Observation:patient:code=718-7&_count=1000', subjects(coded)],
    ['Patient?_has:Condition:subject:_lastUpdated=gt2000&_count=1000', subjects(conditions)],
    [
      'Organization?_has:Patient:organization:_has:Observation:patient:code=718-7',
      subjects(coded).length > 0 ? organization : [],
    ],
    ['Condition?_include=Condition:subject&_count=1000', [...conditions, ...subjects(conditions)]],
    ['Observation?_include=*&_count=1000', [...observations, ...subjects(observations)]],
    [
      'Observation?_include=Observation:subject&_include:iterate=Patient:organization&_count=1000',
      [...observations, ...subjects(observations), ...(subjects(observations).length > 0 ? organization : [])],
    ],
    [
      'Patient?_revinclude=Condition:subject&_revinclude=Observation:subject&_count=1000',
      [...patients, ...ofSeen([...conditions, ...observations], patients)],
    ],
    [
      'Organization?_revinclude=Patient:organization&_revinclude:iterate=Observation:patient',
      organization.length > 0 ? [...organization, ...patients, ...ofSeen(observations, patients)] : [],
    ],
    ['Patient?_include=*&_count=1000', [...patients, ...ofPatients]],
  ]);
}

function seenOnly(sees: (reference: string) => boolean, patient: string): string[] {
  return sees(`Patient/${patient}`) ? [`Patient/${patient}`] : [];
}

/** Counts and totals, written as `Type n`. */
function counted(asking: Asking): Promise<Shown[]> {
  const type = turned(asking, ['Condition', 'Observation', 'Patient']);
  const due = [`${type} ${visible(asking, ofType(type)).length}`];
  return Promise.all(
    ['_summary=count', '_total=accurate&_count=1', '_count=0&_total=accurate'].map(async (query) => {
      const path = `${type}?${query}`;
      const { json: found } = await asking.get(`/fhir/${path}`);
      return { path, shown: [`${type} ${found.total}`], due };
    }),
  );
}

/** Reads of each resource, alone and in a batch; of some its versions, its history and its labels. */
async function instances(asking: Asking): Promise<Shown[]> {
  const { world, turn, post, get } = asking;
  const names = world.resources.map(nameOf);
  const some = names.filter((_, i) => i % 5 === turn % 5);
  const dueOf = (asked: string[]) => visible(asking, (one) => asked.includes(nameOf(one)));
  const batched = async (way: string, asked: string[]): Promise<Shown> => {
    const entry = asked.map((name) => ({ request: { method: 'GET', url: name + way } }));
    const answer = await post('/fhir', { resourceType: 'Bundle', type: 'batch', entry }, json);
    // Who may change nothing may send no Bundles.
    if (answer.status === 403) return alone(way, asked);
    const shown = asked.filter((_, i) => answer.json.entry[i].response.status.startsWith('200'));
    return { path: `batch of GET [type]/[id]${way}`, shown, due: dueOf(asked) };
  };
  const alone = async (way: string, asked: string[]): Promise<Shown> => {
    const answers = await Promise.all(asked.map((name) => get(`/fhir/${name}${way}`)));
    const shown = asked.filter((_, i) => answers[i]!.status === 200);
    return { path: `GET [type]/[id]${way}`, shown, due: dueOf(asked) };
  };
  const ways = ['/_history/1', '/_history', '/$meta'];
  return Promise.all([
    batched('', names),
    batched(turned(asking, ways), some),
    alone('', some),
    ...ways.map((way) => alone(way, [turned(asking, names)])),
  ]);
}

function histories(asking: Asking): Promise<Shown[]> {
  const paths: Due[] = ['Patient', 'Condition', 'Observation'].map((type) => [
    `${type}/_history?_count=1000`,
    visible(asking, ofType(type)),
  ]);
  return asked(asking, [...paths, ['_history?_count=1000', visible(asking, () => true)]]);
}

async function graphql(asking: Asking): Promise<Shown[]> {
  const { world, post, sees } = asking;
  const lists = ['Patient', 'Condition', 'Observation', 'Organization'];
  const ask = async (query: string) => (await post('/fhir/$graphql', { query }, 'application/json')).json.data ?? {};
  const listed = await ask(`{${lists.map((type) => `${type}List(_count: 1000) {resourceType id}`).join(' ')}}`);
  const shown = lists.flatMap((type) => namesIn(asking, listed[`${type}List`] ?? []));
  const subjects = await ask(
    '{ConditionList(_count: 1000) {resourceType id subject {resource(optional: true) {... on Patient {resourceType id}}}}}',
  );
  const conditions = visible(asking, ofType('Condition'));
  const reached: Json[] = (subjects.ConditionList ?? []).flatMap((one: Json) => [
    one,
    ...(one.subject.resource ? [one.subject.resource] : []),
  ]);
  const dueSubjects = world.resources
    .filter((one) => conditions.includes(nameOf(one)))
    .map((one) => one.subject.reference)
    .filter(sees);
  const patient = turned(asking, world.patients);
  const inner = 'ObservationList(_reference: patient, _count: 1000) {resourceType id}';
  const { Patient: found } = await ask(`{Patient(id: "${patient}") {resourceType id ${inner}}}`);
  const ofPatient = visible(asking, (one) => isOf(patient)(one) && one.resourceType === 'Observation');
  return [
    { path: 'GraphQL lists', shown, due: visible(asking, ofType(...lists)) },
    {
      path: 'GraphQL references',
      shown: namesIn(asking, reached),
      due: [...conditions, ...new Set<string>(dueSubjects)],
    },
    {
      path: `GraphQL Patient ${patient} and its Observations`,
      shown: found ? namesIn(asking, [found, ...(found.ObservationList ?? [])]) : [],
      due: sees(`Patient/${patient}`) ? [`Patient/${patient}`, ...ofPatient] : [],
    },
  ];
}

/** `$everything`, `$lastn`, `$graph`. */
/** What a subscriber is told: resources, and what the status names. */
async function told(asking: Asking): Promise<Shown[]> {
  const path = 'Subscription/all/$events';
  const due = visible(asking, () => true);
  const answer = await asking.get(`/fhir/${path}`);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  const foci = answer.json.entry[0].resource.parameter
    .flatMap(({ part = [] }: Json) => part)
    .filter(({ name }: Json) => name === 'focus')
    .map(({ valueReference }: Json) => valueReference.reference.split('/').slice(-2).join('/'));
  return [
    { path, shown: bundled(asking, answer), due },
    { path: `${path}: foci`, shown: foci, due },
  ];
}

async function operations(asking: Asking): Promise<Shown[]> {
  const { world, sees } = asking;
  const patient = turned(asking, world.patients);
  const own = visible(asking, (one) => isOf(patient)(one));
  const whole = [...seenOnly(sees, patient), ...own];
  const isGraphSeen = sees(`GraphDefinition/${world.graph}`) && sees(`Patient/${patient}`);
  const types = 'Patient,Condition,Observation';
  return asked(asking, [
    [`Patient/${patient}/$everything?_type=${types}`, whole],
    [`Patient/$everything?_type=${types}&_count=1000`, visible(asking, ofType(...types.split(',')))],
    [
      `Observation/$lastn?patient=${patient}&code=718-7,75622-1,8480-6&max=1000`,
      own.filter((name) => name.startsWith('Observation/')),
    ],
    [`Patient/${patient}/$graph?graph=${world.graph}`, isGraphSeen ? whole : []],
  ]);
}

/** `$export`: what its files hold, and how many resources it says they hold. */
async function exports(asking: Asking): Promise<Shown[]> {
  const { get, mayExport } = asking;
  if (!mayExport) return [];
  const path = '/fhir/$export?_type=Patient,Condition,Observation,Organization';
  const begun = await get(path, { accept: json, prefer: 'respond-async' });
  if (begun.status !== 202) throw new Error(`${begun.status} ${begun.text}`);
  const pathIn = (url: string) => new URL(url).pathname;
  const status = pathIn(begun.headers.get('content-location')!);
  let ended = await get(status);
  for (; ended.status === 202 || ended.status === 429; ended = await get(status)) {
    await new Promise((resolve) => setTimeout(resolve, ended.status === 429 ? 1_500 : 100));
  }
  if (ended.status !== 200) throw new Error(`${ended.status} ${ended.text}`);
  const shown: Json[] = [];
  const counted: string[] = [];
  for (const { url, type, count } of ended.json.output) {
    const { text } = await get(pathIn(url));
    shown.push(...text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])));
    if (count !== undefined) counted.push(`${type} ${count}`);
  }
  const due = visible(asking, ofType('Patient', 'Condition', 'Observation', 'Organization'));
  const types = [...new Set(due.map((name) => name.split('/')[0]))];
  const dueCounts = types.map((type) => `${type} ${due.filter((name) => name.startsWith(`${type}/`)).length}`);
  return [
    { path, shown: namesIn(asking, shown), due },
    { path: `${path}, counted`, shown: counted, due: dueCounts },
  ];
}
