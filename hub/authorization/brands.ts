/**
 * The brands by which users recognise where their record is (SMART App Launch 2.2, "User-access Brands and Endpoints"): the
 * network's own, and those of the participants that gave theirs. Each is an Organization as its owner describes it; what
 * leads to this hub is added here.
 */
import { createHash } from 'node:crypto';
import { validate } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import { RecordError } from '../record/index.ts';
import type { Addresses } from './addresses.ts';

type Json = { [name: string]: unknown };

/** A brand as an Organization without what the hub adds. */
export type Brand = Json & { name: string };

/** The Bundle that apps fetch. */
export interface BrandBundle {
  text: string;
  /** Changes with its content. */
  digest: string;
  changed: Date;
}

/** The key of the network's own brand. */
const network = '';
const extensionUrl = 'http://hl7.org/fhir/StructureDefinition/organization-';
const members = ['resourceType', 'name', 'alias', 'identifier', 'type', 'telecom', 'address', 'extension'];
const uriSystem = 'urn:ietf:rfc:3986';
const longest = 32 * 1024;

export class Brands {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The brand of a participant, or of the network where none is named. */
  async of(participant = network): Promise<Brand | undefined> {
    const { rows } = await this.#database.query('SELECT organization FROM brand WHERE participant = $1', [participant]);
    return rows[0]?.organization;
  }

  /** @throws RecordError 400 where it is no brand */
  async put(participant: string | undefined, brand: Json): Promise<void> {
    checkBrand(brand);
    await this.#database.query(
      `INSERT INTO brand (participant, organization) VALUES ($1, $2)
       ON CONFLICT (participant) DO UPDATE SET organization = excluded.organization, changed = now()`,
      [participant ?? network, JSON.stringify(brand)],
    );
  }

  async remove(participant: string | undefined): Promise<void> {
    await this.#database.query('DELETE FROM brand WHERE participant = $1', [participant ?? network]);
  }

  /** All of them, with the way to this hub. */
  async bundle(addresses: Addresses): Promise<BrandBundle> {
    const { rows } = await this.#database.query('SELECT * FROM brand ORDER BY participant');
    const own = rows.find(({ participant }) => participant === network);
    const organizations = [
      organizationOf('network', own?.organization ?? { name: 'Causeway' }, own?.changed, addresses, true),
      ...rows
        .filter(({ participant }) => participant !== network)
        .map((row) => organizationOf(row.participant, row.organization, row.changed, addresses, false)),
    ];
    const base = `${originOf(addresses)}/brands`;
    const entry = [endpointOf(addresses), ...organizations].map((resource) => ({
      fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
      resource,
    }));
    const digest = createHash('sha256').update(JSON.stringify(entry)).digest('base64url');
    const changed = await this.#changed(digest);
    const meta = { lastUpdated: changed.toISOString() };
    const bundle = {
      resourceType: 'Bundle',
      id: 'brands',
      meta,
      type: 'collection',
      timestamp: meta.lastUpdated,
      entry,
    };
    return { text: JSON.stringify(bundle), digest, changed };
  }

  /** Since when the content is what it is. */
  async #changed(digest: string): Promise<Date> {
    const { rows } = await this.#database.query(
      `INSERT INTO hub_state AS s (key, value) VALUES ('brands', jsonb_build_object('digest', $1::text, 'changed', now()))
       ON CONFLICT (key) DO UPDATE SET value = CASE WHEN s.value->>'digest' = $1 THEN s.value ELSE excluded.value END
       RETURNING value->>'changed' AS changed`,
      [digest],
    );
    return new Date(rows[0]!.changed);
  }
}

/** The identifier of the network's brand, which no other has. */
export function primaryBrand(addresses: Addresses): { system: string; value: string } {
  return { system: uriSystem, value: originOf(addresses) };
}

/** Where the Bundle is. */
export function brandsAddress(addresses: Addresses): string {
  return `${originOf(addresses)}/brands`;
}

function originOf({ fhir }: Addresses): string {
  return new URL(fhir).origin;
}

function organizationOf(
  id: string,
  brand: Brand,
  changed: Date | undefined,
  addresses: Addresses,
  isPrimary: boolean,
): Json & { resourceType: string; id: string } {
  const primary = primaryBrand(addresses);
  const { identifier: identifiers, ...described } = brand;
  const given = listOf(identifiers).filter(({ system, value }) => system !== uriSystem || value !== primary.value);
  const identifier = isPrimary ? [primary, ...given] : given;
  const website = [{ system: 'url', value: primary.value }];
  const extensions = listOf(brand.extension);
  const portals = extensions.filter(({ url }) => url === `${extensionUrl}portal`);
  const ways = portals.length > 0 ? portals : [{ url: `${extensionUrl}portal`, extension: [portalUrl(primary.value)] }];
  return {
    ...described,
    resourceType: 'Organization',
    id,
    ...(changed ? { meta: { lastUpdated: changed.toISOString() } } : {}),
    extension: [...extensions.filter((one) => !portals.includes(one)), ...ways.map(withEndpoint)],
    ...(identifier.length > 0 ? { identifier } : {}),
    active: true,
    telecom: brand.telecom ?? website,
    endpoint: [reference],
  };
}

const reference = { reference: 'Endpoint/fhir' };

function portalUrl(valueUrl: string): Json {
  return { url: 'portalUrl', valueUrl };
}

function withEndpoint(portal: Json): Json {
  const parts = listOf(portal.extension).filter(({ url }) => url !== 'portalEndpoint');
  return { ...portal, extension: [...parts, { url: 'portalEndpoint', valueReference: reference }] };
}

function endpointOf(addresses: Addresses): Json & { resourceType: string; id: string } {
  return {
    resourceType: 'Endpoint',
    id: 'fhir',
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version', valueCode: '4.0.1' }],
    status: 'active',
    connectionType: {
      system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type',
      code: 'hl7-fhir-rest',
    },
    name: 'FHIR R4',
    contact: [{ system: 'url', value: `${originOf(addresses)}/apps` }],
    payloadType: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/endpoint-payload-type', code: 'none' }] },
    ],
    address: addresses.fhir,
  };
}

/** @throws RecordError 400 */
function checkBrand(brand: Json): void {
  const wrong = (text: string) => new RecordError(400, 'value', text);
  if (JSON.stringify(brand).length > longest) throw wrong('A brand has at most 32 KiB.');
  if (brand.resourceType !== 'Organization') throw wrong('A brand is an Organization.');
  const unknown = Object.keys(brand).find((name) => !members.includes(name));
  if (unknown !== undefined) throw wrong(`A brand has no ${unknown}; it has ${members.join(', ')}.`);
  const issue = validate(brand as never).find(({ severity }) => severity === 'error' || severity === 'fatal');
  if (issue) throw wrong(`The brand is no valid Organization: ${issue.diagnostics}.`);
  if (typeof brand.name !== 'string') throw wrong('A brand needs a name.');
  const sites = listOf(brand.telecom);
  if (sites.length !== 1 || sites[0]!.system !== 'url' || !isHttps(sites[0]!.value)) {
    throw wrong('A brand has one telecom: of system url, the https address of its website.');
  }
  for (const extension of listOf(brand.extension)) {
    if (extension.url !== `${extensionUrl}brand` && extension.url !== `${extensionUrl}portal`) {
      throw wrong(`A brand has the extensions ${extensionUrl}brand and ${extensionUrl}portal.`);
    }
    for (const { url, valueUrl } of listOf(extension.extension)) {
      if (valueUrl !== undefined && !isHttps(valueUrl) && !(/Logo$/.test(String(url)) && isPicture(valueUrl))) {
        throw wrong(`${url} must be an https address.`);
      }
    }
  }
}

function isHttps(value: unknown): boolean {
  return typeof value === 'string' && URL.parse(value)?.protocol === 'https:';
}

function isPicture(value: unknown): boolean {
  return /^data:image\/(?:png|svg\+xml);base64,/.test(String(value));
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value : [];
}
