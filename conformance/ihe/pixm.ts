/** PIXm: ITI-83 Get Corresponding Identifiers, ITI-104 Patient Identity Feed. */
import type { Answer, Json } from '../../hub/testing-calls.ts';
import { ada, asXml, blue, type Case, demand, described, feed, red, same, type World } from './world.ts';

function pix({ hub }: World, sourceIdentifier: string, targets: string[] = [], headers = {}): Promise<Answer> {
  const query = new URLSearchParams([
    ['sourceIdentifier', sourceIdentifier],
    ...targets.map((one): [string, string] => ['targetSystem', one]),
  ]);
  return hub.get(`/fhir/Patient/$ihe-pix?${query}`, { headers });
}

const numbers = ({ json }: Answer): string[] =>
  (json.parameter ?? []).flatMap(({ valueIdentifier }: Json) =>
    valueIdentifier ? [`${valueIdentifier.system}|${valueIdentifier.value}`] : [],
  );
const ids = ({ json }: Answer): string[] =>
  (json.parameter ?? []).flatMap(({ valueReference }: Json) => (valueReference ? [valueReference.reference] : []));

function refused(section: string, asks: string, source: string, targets: string[], expected: unknown[]): Case {
  return {
    place: `ITI-83 2:3.83.4.2.2.${section}`,
    asks,
    async run(world) {
      const { status, json } = await pix(world, source, targets);
      const [{ severity, code, diagnostics }] = json.issue;
      same([status, severity, code, diagnostics], expected, 'the answer');
    },
  };
}

const eve = { family: 'Dragonetti', given: 'Pia', birthDate: '1977-07-08', gender: 'female' as const, number: '' };
const uma = { family: 'Cadwallader', given: 'Uma', birthDate: '1944-04-05', gender: 'female' as const, number: '' };

export const pixm: Case[] = [
  {
    place: 'ITI-83 2:3.83.4.2.2.1',
    asks: 'each number and each Patient is a parameter, without the number that was asked by',
    async run(world) {
      const answer = await pix(world, `${red}|R-1`);
      same([answer.status, answer.json.resourceType], [200, 'Parameters'], 'the answer');
      same(numbers(answer), [`${blue}|B-1`], 'the numbers');
      demand(ids(answer).length > 0, 'there is no Patient');
      for (const url of ids(answer)) same((await world.hub.get(url.slice(world.hub.url.length))).status, 200, url);
    },
  },
  {
    place: 'ITI-83 2:3.83.4.1.2.1',
    asks: 'the id of a Patient on a server is a number too',
    async run(world) {
      const [url] = ids(await pix(world, `${red}|R-1`)) as [string];
      const id = url.slice(url.lastIndexOf('/') + 1);
      const answer = await pix(world, `${world.hub.url}/fhir|Patient/${id}`);
      demand(numbers(answer).includes(`${blue}|B-1`), `the numbers are ${numbers(answer)}`);
      demand(!ids(answer).includes(url), 'the id that was asked by is told');
    },
  },
  {
    place: 'ITI-83 2:3.83.4.1.2.2',
    asks: 'numbers of the domains that are asked for are given, each that is known',
    async run(world) {
      same(numbers(await pix(world, `${red}|R-1`, [blue])), [`${blue}|B-1`], 'one domain');
      same(numbers(await pix(world, `${red}|R-2`, [blue])), [], 'a domain without a number');
      same(numbers(await pix(world, `${red}|R-1`, [blue, red])), [`${blue}|B-1`], 'two domains');
    },
  },
  {
    place: 'ITI-83 2:3.83.4.2.2',
    asks: 'the answer is in XML where that is asked for',
    async run(world) {
      demand((await pix(world, `${red}|R-1`, [], asXml)).text.includes('<Parameters'), 'there is no XML');
    },
  },
  refused(
    '2',
    'an unknown number of a known domain is 404, not-found',
    `${red}|nobody`,
    [],
    [404, 'error', 'not-found', 'sourceIdentifier Patient Identifier not found'],
  ),
  refused(
    '3',
    'an unknown domain of the number is 400, code-invalid',
    'urn:oid:9.9|1',
    [],
    [400, 'error', 'code-invalid', 'sourceIdentifier Assigning Authority not found'],
  ),
  refused(
    '4',
    'an unknown domain that is asked for is 403, code-invalid',
    `${red}|R-1`,
    ['urn:oid:9.9'],
    [403, 'error', 'code-invalid', 'targetSystem not found'],
  ),
  {
    place: 'ITI-104 2:3.104.4.1.3',
    asks: 'the CapabilityStatement tells of conditional updates of Patients, and of deletes',
    async run({ hub }) {
      const { json } = await hub.get('/fhir/metadata');
      const patient = json.rest[0].resource.find(({ type }: Json) => type === 'Patient');
      demand(patient.conditionalUpdate === true && patient.conditionalDelete !== 'not-supported', 'it does not');
      const pixOperation = patient.operation.find(({ name }: Json) => name === 'ihe-pix');
      same(pixOperation?.definition, 'https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix', '$ihe-pix');
    },
  },
  {
    place: 'ITI-104 2:3.104.4.1',
    asks: 'a Patient is added and revised by its number, and cross-referenced then',
    async run(world) {
      same((await feed(world.hub, uma, red, 'R-3')).status, 201, 'added');
      same((await feed(world.hub, { ...uma, given: 'Una' }, red, 'R-3')).status, 200, 'revised');
      same((await feed(world.hub, { ...uma, given: 'Una' }, blue, 'B-3')).status, 201, 'added elsewhere');
      same(numbers(await pix(world, `${red}|R-3`)), [`${blue}|B-3`], 'the numbers');
    },
  },
  {
    place: 'ITI-104 2:3.104.4.1.2',
    asks: 'a feed is taken in XML',
    async run({ hub }) {
      const xml = `<Patient xmlns="http://hl7.org/fhir"><identifier><system value="${red}"/><value value="R-5"/></identifier><name><family value="Peverell"/><given value="Jun"/></name><birthDate value="1988-08-08"/></Patient>`;
      const headers = { 'content-type': 'application/fhir+xml' };
      const query = `identifier=${encodeURIComponent(`${red}|R-5`)}`;
      same((await hub.send('PUT', `/fhir/Patient?${query}`, xml, { headers })).status, 201, 'a Patient in XML');
    },
  },
  {
    place: 'ITI-104 2:3.104.4.1.2.1',
    asks: 'what the profile of PDQm has is accepted',
    async run({ hub }) {
      const more = { multipleBirthBoolean: true, deceasedBoolean: false, maritalStatus: { text: 'married' } };
      const body = described(ada, { identifier: [{ system: red, value: 'R-6' }], birthDate: '1999-01-02', ...more });
      const headers = { 'content-type': 'application/fhir+json' };
      const query = `identifier=${encodeURIComponent(`${red}|R-6`)}`;
      same((await hub.send('PUT', `/fhir/Patient?${query}`, body, { headers })).status, 201, 'the Patient');
    },
  },
  {
    place: 'ITI-104 2:3.104.4.2.3, ITI-83 2:3.83.4.2.2.5',
    asks: 'of a duplicate that is resolved the surviving number alone is known',
    async run(world) {
      await feed(world.hub, eve, red, 'R-4');
      const link = [{ other: { identifier: { system: red, value: 'R-3' } }, type: 'replaced-by' }];
      await feed(world.hub, eve, red, 'R-4', { active: false, link });
      same((await pix(world, `${red}|R-4`)).status, 404, 'the subsumed number');
      const survivor = await pix(world, `${blue}|B-3`);
      same(numbers(survivor), [`${red}|R-3`], 'the numbers');
    },
  },
  {
    place: 'ITI-104 2:3.104.4.3.3',
    asks: 'a number that is removed is told no more',
    async run(world) {
      const query = `identifier=${encodeURIComponent(`${red}|R-6`)}`;
      same((await world.hub.send('DELETE', `/fhir/Patient?${query}`)).status, 204, 'the deletion');
      same((await pix(world, `${red}|R-6`)).status, 404, 'the number');
    },
  },
];
