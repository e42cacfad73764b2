/** PDQm: ITI-78 Patient Demographics Query, ITI-119 Patient Demographics Match. */
import type { Json } from '../../hub/testing-calls.ts';
import { ada, asXml, blue, type Case, demand, described, fhirJson, found, red, same, type World } from './world.ts';

const query = 'ITI-78 2:3.78.4.1.2.1';
const matching = 'ITI-119 2:3.119.4';

/** A search by one parameter finds Ada, by another value nobody. */
function finds(parameter: string, value: string, other: string): Case {
  return {
    place: query,
    asks: `the parameter ${parameter} is processed`,
    async run(world) {
      for (const [one, count] of [
        [value, 1],
        [other, 0],
      ] as const) {
        const people = await found(world, `Patient?_count=50&${parameter}=${encodeURIComponent(one)}`);
        same(people.filter(({ name }) => name[0].family === ada.family).length, count, `${parameter}=${one}`);
      }
    },
  };
}

const both = 'Patient?family=ormonde';

async function match({ hub }: World, body: Json, headers = {}): Promise<{ status: number; json: Json; text: string }> {
  return hub.send('POST', '/fhir/Patient/$match', body, { headers: { ...fhirJson, ...headers } });
}

export const pdqm: Case[] = [
  finds('family', 'Ormonde', 'Nobody'),
  finds('given', 'Ada', 'Nobody'),
  finds('active', 'true', 'false'),
  finds('identifier', `${red}|R-1`, `${red}|R-9`),
  finds('telecom', '+15550001111', '+15559999999'),
  finds('birthdate', '1951-02-03', '1951-02-04'),
  finds('address', 'Saltby', 'Elsewhere'),
  finds('address-city', 'Saltby', 'Elsewhere'),
  finds('address-country', 'US', 'NZ'),
  finds('address-postalcode', '04101', '99999'),
  finds('address-state', 'ME', 'NH'),
  finds('gender', 'female', 'other'),
  finds('mothersMaidenName', 'Hazelhurst', 'Nobody'),
  {
    place: query,
    asks: 'the parameter _id is processed, exactly',
    async run(world) {
      const [{ id }] = await found(world, both);
      same((await found(world, `Patient?_id=${id}`)).length, 1, '_id');
      same((await found(world, `Patient?_id=${id.slice(0, -1)}`)).length, 0, 'a part of an _id');
    },
  },
  {
    place: 'ITI-78 2:3.78.4.1.2',
    asks: 'searches by GET and by POST are answered the same',
    async run({ hub }) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const posted = await hub.send('POST', '/fhir/Patient/_search', 'family=ormonde', { headers });
      const got = await hub.get(`/fhir/${both}`);
      same(posted.json.entry[0].resource, got.json.entry[0].resource, 'by POST');
    },
  },
  {
    place: query,
    asks: 'values are joined by AND and by OR',
    async run(world) {
      same((await found(world, 'Patient?family=ormonde,birkenfeld')).length, 2, 'OR');
      same((await found(world, 'Patient?family=ormonde&family=birkenfeld')).length, 0, 'AND');
    },
  },
  {
    place: 'ITI-78 2:3.78.4.1.2.1.1',
    asks: 'family with gender, and birthdate with family, are filtered by',
    async run(world) {
      for (const [search, count] of [
        ['gender=female', 1],
        ['gender=male', 0],
        ['birthdate=1951-02-03', 1],
        ['birthdate=1952-02-03', 0],
      ] as const)
        same((await found(world, `${both}&${search}`)).length, count, search);
    },
  },
  {
    place: 'ITI-78 2:3.78.4.1.2.2',
    asks: ':exact is understood of each string',
    async run(world) {
      for (const [search, count] of [
        ['family:exact=Ormonde', 1],
        ['family:exact=ormonde', 0],
        ['given:exact=Ada', 1],
        ['given:exact=Ad', 0],
        ['address-city:exact=Saltby', 1],
        ['address-city:exact=salt', 0],
        ['address:exact=Saltby', 1],
        ['mothersMaidenName:exact=Hazelhurst', 1],
      ] as const) {
        const people = await found(world, `Patient?birthdate=1951-02-03&${search}`);
        same(people.length, count, search);
      }
    },
  },
  {
    place: 'ITI-78 2:3.78.4.1.2.4',
    asks: 'answers are in JSON and in XML',
    async run({ hub }) {
      for (const search of [both, `${both}&_format=xml`]) {
        const { text } = await hub.get(`/fhir/${search}`, search === both ? { headers: asXml } : {});
        demand(text.includes('<Bundle'), 'there is no XML');
      }
      demand((await hub.get(`/fhir/${both}&_format=json`)).json.resourceType === 'Bundle', 'there is no JSON');
    },
  },
  {
    place: 'ITI-78 2:3.78.4.1.3 case 1',
    asks: 'who is found is a Bundle with the total and an entry for each',
    async run({ hub }) {
      const { status, json } = await hub.get(`/fhir/${both}`);
      same([status, json.type, json.total, json.entry.length], [200, 'searchset', 1, 1], both);
    },
  },
  {
    place: 'ITI-78 2:3.78.4.1.3 case 2',
    asks: 'where domains are asked for, numbers of others are left out',
    async run(world) {
      const [patient] = await found(world, `${both}&identifier=${encodeURIComponent(`${blue}|`)}`);
      same(
        patient.identifier.map(({ system }: Json) => system),
        [blue],
        'the domains',
      );
      const [all] = await found(world, `${both}&identifier=${encodeURIComponent(`${blue}|,${red}|`)}`);
      same(all.identifier.length, 2, 'both domains');
    },
  },
  {
    place: 'ITI-78 2:3.78.4.1.3 case 3',
    asks: 'nobody is a Bundle with the total 0 and no entry',
    async run({ hub }) {
      const { status, json } = await hub.get('/fhir/Patient?family=Nobody');
      same([status, json.total, json.entry], [200, 0, undefined], 'nobody');
    },
  },
  {
    place: 'ITI-78 2:3.78.4.1.3 case 4',
    asks: 'an unknown domain is told in an OperationOutcome',
    async run({ hub }) {
      const { json } = await hub.get(`/fhir/${both}&identifier=${encodeURIComponent('urn:oid:9.9|')}`);
      const [issue] = json.entry.at(-1).resource.issue;
      same(
        [issue.severity, issue.code, issue.diagnostics],
        ['warning', 'not-found', 'targetSystem not found'],
        'the issue',
      );
    },
  },
  {
    place: 'ITI-78 2:3.78.4.1.3 case 5',
    asks: 'a format that is not written is refused with 406',
    async run({ hub }) {
      const { status, json } = await hub.get(`/fhir/${both}&_format=text/turtle`);
      same([status, json.issue[0].severity, json.issue[0].code], [406, 'error', 'not-supported'], 'turtle');
    },
  },
  {
    place: 'ITI-78 2:3.78.4.2.2.2',
    asks: 'the mother’s maiden name is in its extension',
    async run(world) {
      const [{ extension }] = await found(world, both);
      same(extension[0].valueString, 'Hazelhurst', 'the extension');
    },
  },
  {
    place: 'ITI-78 2:3.78.4.2.2.4',
    asks: 'more than a page are paged as FHIR has it',
    async run({ hub }) {
      const { json } = await hub.get('/fhir/Patient?gender=female,male&_count=1');
      const next = json.link.find(({ relation }: Json) => relation === 'next').url;
      const second = await hub.get(next.slice(hub.url.length));
      demand(second.json.entry[0].resource.id !== json.entry[0].resource.id, 'the next page is the same');
    },
  },
  {
    place: 'ITI-78 2:3.78.4.3.3',
    asks: 'a Patient is read by its id; of an unknown one there is 404 with an OperationOutcome',
    async run(world) {
      const [{ id }] = await found(world, both);
      same((await world.hub.get(`/fhir/Patient/${id}`)).json.id, id, 'the Patient');
      const { status, json } = await world.hub.get('/fhir/Patient/nobody');
      same([status, json.issue[0].severity, json.issue[0].code], [404, 'error', 'not-found'], 'nobody');
    },
  },
  {
    place: `${matching}.1.3 case 1`,
    asks: 'a Patient, bare or in Parameters, finds who it describes, with score and grade',
    async run(world) {
      const parameter = [{ name: 'resource', resource: described(ada) }];
      for (const body of [described(ada), { resourceType: 'Parameters', parameter }]) {
        const { status, json } = await match(world, body);
        const [{ resource, search }] = json.entry;
        same([status, json.type, resource.name[0].family], [200, 'searchset', ada.family], 'who');
        demand(search.score >= 0 && search.score <= 1, `the score is ${search.score}`);
        same(search.mode, 'match', 'the mode');
        same(search.extension[0].url, 'http://hl7.org/fhir/StructureDefinition/match-grade', 'the extension');
        demand(['certain', 'probable', 'possible'].includes(search.extension[0].valueCode), 'the grade');
      }
    },
  },
  {
    place: `${matching}.1.3 case 2`,
    asks: 'several are ordered from the likeliest',
    async run(world) {
      const { json } = await match(world, described({ ...ada, given: 'A' }));
      const scores = (json.entry ?? []).map(({ search }: Json) => search.score);
      same(
        scores,
        [...scores].sort((a, b) => b - a),
        'the scores',
      );
    },
  },
  {
    place: `${matching}.1.3 cases 3 and 4`,
    asks: 'of those who are certain alone, none that is less is given',
    async run(world) {
      const only = (resource: Json) => ({
        resourceType: 'Parameters',
        parameter: [
          { name: 'resource', resource },
          { name: 'onlyCertainMatches', valueBoolean: true },
        ],
      });
      const { json } = await match(world, only(described(ada)));
      same(
        json.entry.map(({ search }: Json) => search.extension[0].valueCode),
        ['certain'],
        'the grades',
      );
      const initial = {
        resourceType: 'Patient',
        name: [{ family: 'Ormonde', given: ['A'] }],
        birthDate: ada.birthDate,
      };
      same((await match(world, only(initial))).json.entry, undefined, 'one who is not certain');
    },
  },
  {
    place: `${matching}.1.3 case 6`,
    asks: 'no more than count are given',
    async run(world) {
      const parameter = [
        { name: 'resource', resource: described(ada) },
        { name: 'count', valueInteger: 1 },
      ];
      const { json } = await match(world, { resourceType: 'Parameters', parameter });
      same(json.entry.length, 1, 'the entries');
    },
  },
  {
    place: `${matching}.1.3 case 7`,
    asks: 'nobody is 200 and no Patient',
    async run(world) {
      const stranger = {
        resourceType: 'Patient',
        name: [{ family: 'Zzyzx', given: ['Quirin'] }],
        birthDate: '1902-06-07',
      };
      const { status, json } = await match(world, stranger);
      same([status, json.entry], [200, undefined], 'nobody');
    },
  },
  {
    place: `${matching}.1.3 case 9`,
    asks: 'a request that is wrong is refused with an OperationOutcome',
    async run(world) {
      const { status, json } = await match(world, { resourceType: 'Parameters' });
      same([status, json.resourceType], [400, 'OperationOutcome'], 'without a Patient');
    },
  },
  {
    place: `${matching}.1.2.1`,
    asks: 'requests and answers are in JSON and in XML',
    async run(world) {
      const { text } = await match(world, described(ada), asXml);
      demand(text.includes('<Bundle') && text.includes('match-grade'), 'there is no XML');
      const xml = `<Patient xmlns="http://hl7.org/fhir"><name><family value="Ormonde"/><given value="Ada"/></name><birthDate value="1951-02-03"/></Patient>`;
      const headers = { 'content-type': 'application/fhir+xml' };
      const sent = await world.hub.send('POST', '/fhir/Patient/$match', xml, { headers });
      same([sent.status, sent.json.entry.length], [200, 1], 'a Patient in XML');
    },
  },
];
