/** What US Core asks of a server's searches, and of what it gives back, over all that is loaded. */
import { strict as assert } from 'node:assert';
import type { Check } from './checks.ts';
import { type Json, valuesAt } from './matches.ts';
import { type Asking, trySearch } from './searches.ts';
import type { Profile } from './us-core.ts';
import { asking, type World } from './world.ts';

export const usCoreChecks: Check[] = [
  {
    name: 'the CapabilityStatement has what US Core asks for',
    rows: ['SH-PAT-1'],
    async run({ hub, profiles }) {
      const { json } = await hub.send('GET', '/fhir/metadata', undefined, { role: null });
      assert.deepEqual([json.resourceType, json.fhirVersion, json.kind], ['CapabilityStatement', '4.0.1', 'instance']);
      assert.ok(json.format.includes('json') || json.format.includes('application/fhir+json'));
      for (const { version, resource, searches, interactions, includes, revincludes } of profiles) {
        const told = json.rest[0].resource.find(({ type }: Json) => type === resource);
        assert.ok(told, resource);
        const has = (list: Json[] | undefined, name: string) =>
          (list ?? []).some((one) => (one.name ?? one.code) === name);
        for (const name of searches.flat()) assert.ok(has(told.searchParam, name), `${version} ${resource} ${name}`);
        for (const code of interactions) assert.ok(has(told.interaction, code), `${version} ${resource} ${code}`);
        for (const name of includes.map((one) => one.split(':').slice(0, 2).join(':')))
          assert.ok(told.searchInclude?.includes(name), `${version} ${resource} ${name}`);
        for (const name of revincludes)
          assert.ok(told.searchRevInclude?.includes(name), `${version} ${resource} ${name}`);
      }
    },
  },
  {
    name: 'each search that SHALL be supported',
    rows: ['SH-PAT-2', 'DAT-PAT-7'],
    async run(world) {
      const own = await asking(world);
      await eachProfile(world, (profile) =>
        profile.searches.map((names) => ({
          name: `${profile.version} ${profile.name} by ${names.join('+')}`,
          key: JSON.stringify([profile.resource, names, names.map((name) => profile.definitions.get(name))]),
          run: () => trySearch(own, profile, names),
        })),
      );
    },
  },
  {
    name: 'each resource has its Provenance beside it',
    rows: ['SH-PAT-3', 'DAT-PAT-3'],
    async run(world) {
      const own = await asking(world);
      await eachProfile(world, ({ version, name, resource, revincludes }) =>
        revincludes.map((revinclude) => ({
          name: `${version} ${name} with ${revinclude}`,
          key: `${resource} ${revinclude}`,
          run: async () => {
            const due = (await own.all('Provenance')).filter((one) =>
              targetsOf(one).some((to) => to.startsWith(`${resource}/`)),
            );
            const query = new URLSearchParams({ _revinclude: revinclude });
            const found = await own.search(resource, query, 'GET');
            const ids = new Set(found.filter(({ resourceType }) => resourceType === 'Provenance').map(({ id }) => id));
            const missing = due.filter(({ id }) => !ids.has(id));
            if (due.length === 0) return ['there is no Provenance'];
            return missing.length === 0 ? [] : [`${missing.length} of ${due.length} are not included`];
          },
        })),
      );
    },
  },
  {
    name: 'Medication comes with what names it',
    rows: ['DAT-PAT-5'],
    async run(world) {
      const own = await asking(world);
      for (const type of ['MedicationRequest', 'MedicationDispense']) {
        const query = new URLSearchParams({ patient: 'sampled', _include: `${type}:medication` });
        const found = await own.search(type, query, 'GET');
        assert.ok(
          found.some(({ resourceType, id }) => resourceType === 'Medication' && id === 'sample-medication'),
          type,
        );
      }
    },
  },
  {
    name: 'clinical notes and reports of each kind are stored and found',
    rows: ['DAT-PAT-4'],
    async run(world) {
      const own = await asking(world);
      const kinds = [
        { profile: 'document_reference', name: 'type', more: { content: [{ attachment: { title: 'note' } }] } },
        { profile: 'diagnostic_report_note', name: 'category', more: { code: { text: 'note' } } },
      ];
      for (const { profile: wanted, name, more } of kinds) {
        const profile = world.profiles.find((one) => one.name === wanted)!;
        for (const code of profile.definitions.get(name)!.values) {
          const concept = { coding: [{ system: 'http://loinc.org', code }] };
          const resource = {
            resourceType: profile.resource,
            id: `note-${code}`,
            status: profile.resource === 'DocumentReference' ? 'current' : 'final',
            subject: { reference: 'Patient/sampled' },
            [name]: name === 'category' ? [concept] : concept,
            ...more,
          };
          const stored = await world.hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
          assert.ok(stored.status <= 201, stored.text);
          const query = new URLSearchParams({ patient: 'sampled', [name]: `http://loinc.org|${code}` });
          const found = await own.search(resource.resourceType, query, 'GET');
          assert.ok(
            found.some(({ id }) => id === resource.id),
            `${resource.resourceType} ${code}`,
          );
        }
      }
    },
  },
  {
    name: 'what was sent comes back, element by element that SHALL be supported',
    rows: ['DAT-PAT-6'],
    async run(world) {
      const own = await asking(world);
      await eachProfile(world, (profile) => [
        {
          name: `${profile.version} ${profile.name} comes back as it was sent`,
          key: `${profile.version} ${profile.name}`,
          run: () => comesBack(own, world.sent, profile),
        },
      ]);
      const absent = { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' };
      const unknown = {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'unknown' }],
      };
      const missing = {
        resourceType: 'Procedure',
        id: 'missing-data',
        status: 'completed',
        subject: { reference: 'Patient/sampled' },
        code: unknown,
        _performedDateTime: { extension: [absent] },
      };
      const stored = await world.hub.send('PUT', '/fhir/Procedure/missing-data', missing);
      assert.ok(stored.status <= 201, stored.text);
      const { meta: _, ...read } = await own.get('/fhir/Procedure/missing-data');
      assert.deepEqual(read, missing);
    },
  },
];

interface Case {
  name: string;
  /** What is the same for cases that ask the same. */
  key: string;
  run(): Promise<string[]>;
}

/** Runs the cases of all profiles, those that ask the same once, and notes them. @throws where one does not hold */
async function eachProfile(world: World, casesOf: (profile: Profile) => Case[]): Promise<void> {
  const known = new Map<string, Promise<string[]>>();
  let failed = 0;
  assert.ok(world.profiles.length > 0, 'there are no profiles');
  for (const { name, key, run } of world.profiles.flatMap(casesOf)) {
    const outcome = known.get(key) ?? run().catch((error: Error) => [error.message]);
    known.set(key, outcome);
    const reasons = await outcome;
    world.cases.set(name, reasons);
    if (reasons.length > 0) failed++;
  }
  assert.equal(failed, 0, `${failed} do not hold`);
}

const mostCompared = 100;

/** What a profile's must-support elements hold, in what was sent and in what is read. */
async function comesBack(own: Asking, all: Map<string, Json>, { resource, mustSupport }: Profile): Promise<string[]> {
  const stored = new Map((await own.all(resource)).map((one) => [one.id, one]));
  const paths = mustSupport.filter((path) => !isServers.test(path));
  const reasons: string[] = [];
  const sent = [...all].filter(([name]) => name.startsWith(`${resource}/`)).slice(0, mostCompared);
  for (const [name, one] of sent) {
    const read = stored.get(name.split('/')[1]);
    for (const path of paths) {
      const [before, after] = [one, read].map((each) => JSON.stringify(valuesAt(each, path), withoutReferences));
      if (before !== after) reasons.push(`${name}.${path}: ${before} became ${after}`);
    }
  }
  return sent.length === 0 ? [`no ${resource} was sent`] : reasons;
}

/** Slices; and what a server writes itself: its metadata, and references to what it gave an id. */
const isServers = /:|^meta\b|\.reference$/;

/** References of a transaction become those of what it made. */
function withoutReferences(key: string, value: unknown): unknown {
  return key === 'reference' ? 'reference' : value;
}

function targetsOf({ target = [] }: Json): string[] {
  return target.flatMap(({ reference }: Json) => reference ?? []);
}
