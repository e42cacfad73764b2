/** How users recognise where their record is ("User-access Brands and Endpoints"). */
import { strict as assert } from 'node:assert';
import type { Check } from './world.ts';

const extension = 'http://hl7.org/fhir/StructureDefinition/organization-';

/** A brand with each element that its profile names as one that its owner must be able to give. */
const brand = {
  resourceType: 'Organization',
  name: 'Asked Hospital',
  alias: ['Asked'],
  identifier: [{ system: 'https://registry.example', value: '17' }],
  type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code: 'prov' }] }],
  telecom: [{ system: 'url', value: 'https://asked.example' }],
  address: [{ city: 'Asked', state: 'MA', postalCode: '02139', country: 'US' }],
  extension: [
    {
      url: `${extension}brand`,
      extension: [
        { url: 'brandLogo', valueUrl: 'https://asked.example/logo.svg' },
        { url: 'brandLogoLicense', valueUrl: 'https://asked.example/license' },
      ],
    },
    {
      url: `${extension}portal`,
      extension: [
        { url: 'portalName', valueString: 'MyAsked' },
        { url: 'portalUrl', valueUrl: 'https://my.asked.example' },
        { url: 'portalDescription', valueMarkdown: 'For *all* patients.' },
      ],
    },
  ],
};

interface Organization {
  resourceType: string;
  id: string;
  identifier?: { value: string }[];
  endpoint?: { reference: string }[];
  extension?: { url: string; extension: { url: string }[] }[];
  meta?: { lastUpdated: string };
}

export const brands: Check[] = [
  {
    name: 'brands are found, lead here, and are as their owners give them',
    rows: [396, 398, 400, 402, 403, 405, 409, 410, 412, 417, 418, 419, 421, 423, 430, 431, 432, 436],
    async run({ hub }) {
      await hub.send('PUT', '/api/participants/asked', { name: 'Asked Hospital', kind: 'hospital' });
      const put = await hub.send('PUT', '/api/participants/asked/brand', brand);
      assert.equal(put.status, 200, put.text);
      const told = (await hub.send('GET', '/fhir/.well-known/smart-configuration', undefined, { role: null })).json;
      const { system, value } = told.user_access_brand_identifier;
      assert.ok(system && value);
      const path = new URL(told.user_access_brand_bundle).pathname;
      const headers = { origin: 'https://any.example' };
      const answer = await hub.send('GET', path, undefined, { role: null, headers });
      assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [200, '*']);
      const resources: Organization[] = answer.json.entry.map(({ resource }: { resource: Organization }) => resource);
      const endpoints = resources.filter(({ resourceType }) => resourceType === 'Endpoint');
      const all = resources.filter(({ resourceType }) => resourceType === 'Organization');
      const primary = all.filter(({ identifier = [] }) => identifier.some((one) => one.value === value));
      assert.equal(primary.length, 1);
      const led = new Set(primary[0]!.endpoint!.map(({ reference }) => reference));
      for (const { id } of endpoints) assert.ok(led.has(`Endpoint/${id}`));
      const shown = all.find(({ id }) => id === 'asked')!;
      for (const [name, given] of Object.entries(brand)) {
        if (name !== 'extension') assert.deepEqual(shown[name as keyof Organization], given, name);
      }
      assert.ok(shown.meta!.lastUpdated);
      for (const { url, extension: parts } of brand.extension) {
        const same = shown.extension!.find((one) => one.url === url)!;
        for (const part of parts)
          assert.deepEqual(
            same.extension.find((one) => one.url === part.url),
            part,
            part.url,
          );
      }
      assert.doesNotMatch(answer.text, /data-absent-reason/);
      const changed = { ...brand, name: 'Asked Again' };
      await hub.send('PUT', '/api/participants/asked/brand', changed);
      const next = await hub.send('GET', path, undefined, { role: null });
      assert.ok(next.json.timestamp > answer.json.timestamp);
    },
  },
];
