/** What the checks of the suite `bulk` share: a hub with a small record, and a client with keys that exports it. */
import { strict as assert } from 'node:assert';
import {
  type AssertionKey,
  assertion,
  assertionKey,
  backendService,
  systemToken,
} from '../../hub/authorization/testing.ts';
import { type AskedHub as Asked, withBearer } from '../../hub/bulk/testing.ts';
import { type AskedHub, startAskedHub } from '../requirement-rows/hub.ts';
import type { Check as RowCheck } from '../requirement-rows/rows.ts';

export interface World {
  hub: AskedHub;
  key: AssertionKey;
  client: string;
}

export type Check = RowCheck<World>;

export const everything = 'system/*.rs';

export async function makeWorld(): Promise<World> {
  const hub = await startAskedHub();
  const key = await assertionKey();
  const { id: client } = await backendService(hub, [key], everything);
  const world = { hub, key, client };
  await put(world, { resourceType: 'Organization', id: 'org', name: 'Clinic' });
  for (const id of ['p1', 'p2', 'p3']) {
    const subject = { reference: `Patient/${id}` };
    await put(world, { resourceType: 'Patient', id, name: [{ family: `Family ${id}` }] });
    await put(world, observation(`o-${id}`, id));
    await put(world, {
      resourceType: 'Provenance',
      id: `prov-${id}`,
      target: [{ reference: `Observation/o-${id}` }],
      recorded: '2026-01-01T00:00:00Z',
      agent: [{ who: { display: 'Clinic' } }],
    });
    await put(world, { resourceType: 'Binary', id: `b-${id}`, contentType: 'text/plain', data: 'eA==' });
    const attachment = { contentType: 'text/plain', url: `Binary/b-${id}` };
    const content = [{ attachment }];
    await put(world, { resourceType: 'DocumentReference', id: `d-${id}`, status: 'current', subject, content });
  }
  const provenance = { target: [{ reference: 'Organization/org' }], recorded: '2026-01-01T00:00:00Z' };
  const agent = [{ who: { display: 'Clinic' } }];
  await put(world, { resourceType: 'Provenance', id: 'prov-org', ...provenance, agent });
  const member = ['p1', 'p2'].map((id) => ({ entity: { reference: `Patient/${id}` } }));
  await put(world, { resourceType: 'Group', id: 'group', type: 'person', actual: true, member });
  return world;
}

export function observation(id: string, patient: string, code = 'a'): { resourceType: string; id: string } {
  const subject = { reference: `Patient/${patient}` };
  return {
    resourceType: 'Observation',
    id,
    ...{ status: 'final', code: { coding: [{ system: 'urn:codes', code }] }, subject },
  };
}

/** Stores a resource under its own id. */
export async function put({ hub }: World, resource: { resourceType: string; id: string; [name: string]: unknown }) {
  const path = `/fhir/${resource.resourceType}/${resource.id}`;
  const { status, text } = await hub.send('PUT', path, resource, {
    headers: { 'content-type': 'application/fhir+json' },
  });
  assert.ok(status <= 201, text);
}

/** The hub as the client asks it, with a token of these scopes. */
export async function asking({ hub, key, client }: World, scope = everything): Promise<Asked> {
  const answer = await systemToken(hub, await assertion(hub, client, key), scope);
  assert.equal(answer.status, 200, answer.text);
  return withBearer(hub, answer.json.access_token);
}

export const levels = ['/fhir/$export', '/fhir/Patient/$export', '/fhir/Group/group/$export'];

export function parameters(...given: [name: string, value: string][]): object {
  const parameter = given.map(([name, value]) =>
    name === 'patient' ? { name, valueReference: { reference: value } } : { name, valueString: value },
  );
  return { resourceType: 'Parameters', parameter };
}
