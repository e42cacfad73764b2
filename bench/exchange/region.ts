/** A hub with the region's sites on it, and people whom the sites know. */
import { setTimeout as delay } from 'node:timers/promises';
import { type SiteKey, sites } from '@causeway/region';
import { signToken, tokenKey } from '../../hub/secrets/index.ts';
import type { BenchHub } from '../server/hub.ts';

export type Endpoint = { dialect: 'hl7v2'; host: string; port: number } | { dialect: 'fhir'; url: string };

/** Makes the sites of the region participants, with the endpoints that are told. */
export async function register(hub: BenchHub, endpoints: Partial<Record<SiteKey, Endpoint>>): Promise<void> {
  for (const site of sites()) {
    const { key, name, kind, sendingFacility, sendingApplication, identifierSystem, identifierAuthority } = site;
    const body = { name, kind, sendingFacility, sendingApplication, identifierSystem, identifierAuthority };
    await call(hub, 'PUT', `/api/participants/${key}`, { ...body, endpoint: endpoints[key] });
    const identifierSystems = { [identifierAuthority]: identifierSystem };
    const settings = { oid: site.oid, timeZone: site.timeZone, identifierSystems };
    await call(hub, 'PUT', `/api/participants/${key}/settings`, settings);
  }
}

/** A document of a site, given to the hub with the site's own token. */
export async function file(hub: BenchHub, site: SiteKey, document: string): Promise<void> {
  const token = await signToken(tokenKey(hub.dataDir), {
    subject: `site:${site}`,
    role: 'system',
    expiresInSeconds: 600,
  });
  await call({ ...hub, token }, 'POST', '/ccda', document);
}

/** Resolves when everything received is processed and everything due is delivered. */
export async function untilDelivered(hub: BenchHub, patienceMs = 120_000): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const { waiting, failed, deliveriesWaiting } = (await call(hub, 'GET', '/api/status')) as Record<string, number>;
    if (waiting! + failed! + deliveriesWaiting! === 0) return;
    if (performance.now() > until)
      throw new Error(`Still ${waiting} messages wait, ${failed} failed, and ${deliveriesWaiting} deliveries wait.`);
    await delay(250);
  }
}

export async function call(hub: BenchHub, method: string, path: string, body?: object | string): Promise<unknown> {
  const type = typeof body === 'string' ? 'application/octet-stream' : 'application/json';
  const answer = await fetch(`${hub.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${hub.token}`, 'content-type': type },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  return answer.json();
}
