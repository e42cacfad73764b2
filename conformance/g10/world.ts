/**
 * What the checks of the suite `g10` share: the hub and the app of the suite `smart`, with the simulated region, charts of
 * Synthea, and resources of our own for each profile of US Core.
 */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withToken } from '../../hub/authorization/testing.ts';
import { endWorld, launch, makeWorld, type World as SmartWorld } from '../smart/world.ts';
import { tarMembers } from '../tar.ts';
import type { Json } from './matches.ts';
import { provenanceOf, sampleOf, shared } from './samples.ts';
import type { Asking } from './searches.ts';
import { type Profile, readProfiles } from './us-core.ts';

export interface World extends SmartWorld {
  profiles: Profile[];
  /** Resources as they were sent, by `Type/id`. */
  sent: Map<string, Json>;
  /** Outcomes of searches and of what came back, by the name of the case. */
  cases: Map<string, string[]>;
}

const archive = 'synthea/patients-60.tar.zst';
const charts = 2;
const chartBytes = 1024 * 1024;
const people = 6;

export async function makeG10World(cases: string): Promise<World> {
  const base = await makeWorld({ demo: true, people, bundleBytes: 16 * 1024 * 1024 });
  const world: World = { ...base, profiles: readProfiles(cases), sent: new Map(), cases: new Map() };
  for (const bundle of syntheaCharts(cases)) await load(world, bundle);
  const samples = world.profiles.flatMap((profile) => sampleOf(profile) ?? []);
  const own = [...shared, ...samples];
  await load(world, putAll(own));
  await load(world, putAll(own.map(provenanceOf)));
  return world;
}

export const endG10World = endWorld;

/** Some charts, of a size that loads within seconds. */
function* syntheaCharts(cases: string): Generator<Json> {
  let left = charts;
  for (const { path, bytes } of tarMembers(archive, readFileSync(join(cases, archive)))) {
    if (left === 0) return;
    if (!path.endsWith('.json') || bytes.length > chartBytes) continue;
    const bundle = JSON.parse(bytes.toString('utf8'));
    if (!bundle.entry?.some(({ resource }: Json) => resource.resourceType === 'Patient')) continue;
    left--;
    yield bundle;
  }
}

function putAll(resources: readonly Json[]): Json {
  const entry = resources.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

async function load({ hub, sent }: World, bundle: Json): Promise<void> {
  const answer = await hub.send('POST', '/fhir', bundle, { headers: { 'content-type': 'application/fhir+json' } });
  assert.equal(answer.status, 200, answer.text.slice(0, 500));
  for (const [i, { response }] of answer.json.entry.entries()) {
    const name = /([A-Z][A-Za-z]+\/[^/]+)(?:\/_history\/.*)?$/.exec(response.location)![1]!;
    sent.set(name, bundle.entry[i].resource);
  }
}

/** The hub as an app asks it that a clinician lets see everything. */
export async function asking(world: World): Promise<Asking & { get(path: string): Promise<Json> }> {
  const { token } = await launch(world, 'user/*.rs');
  const { hub } = world;
  const headers = { authorization: `Bearer ${token.json.access_token}` };
  const get = async (path: string) => {
    const answer = await withToken(hub, token.json.access_token, path);
    assert.equal(answer.status, 200, `${path}: ${answer.text.slice(0, 300)}`);
    return answer.json;
  };
  const pages = async (first: Json): Promise<Json[]> => {
    const found: Json[] = [];
    for (let page = first; ; ) {
      found.push(...(page.entry ?? []).map(({ resource }: Json) => resource));
      const next = page.link?.find(({ relation }: Json) => relation === 'next')?.url;
      if (next === undefined) return found;
      page = await get(next.slice(hub.url.length));
    }
  };
  const kept = new Map<string, Promise<Json[]>>();
  const all = (type: string) => {
    const known = kept.get(type) ?? get(`/fhir/${type}?_count=1000`).then(pages);
    kept.set(type, known);
    return known;
  };
  return {
    get,
    all,
    search: async (type, query, method) => {
      const whole = `${query}&_count=1000`;
      if (method === 'GET') return pages(await get(`/fhir/${type}?${whole}`));
      const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await hub.send('POST', `/fhir/${type}/_search`, whole, { role: null, headers: form });
      assert.equal(answer.status, 200, answer.text.slice(0, 300));
      return pages(answer.json);
    },
  };
}
