/** MHD: ITI-66 Find Document Lists, ITI-67 Find Document References, ITI-68 Retrieve Document. */
import { createHash } from 'node:crypto';
import { clinicalDocument } from '../../hub/gate/testing-mhd.ts';
import type { Json } from '../../hub/testing-calls.ts';
import { ada, asXml, type Case, demand, found, idAt, provided, same, textFile, type World } from './world.ts';

const token = (code: string) => ({ coding: [{ system: 'urn:x', code }] });

const submitted = new WeakMap<World, Promise<Json>>();

/** A submission that has all that is searched by. */
function whole(world: World): Promise<Json> {
  const before = submitted.get(world);
  if (before) return before;
  const contained = [{ resourceType: 'Practitioner', id: 'a', name: [{ family: 'Nightjar', given: ['Una'] }] }];
  const reference = {
    contained,
    author: [{ reference: '#a' }],
    masterIdentifier: { system: 'urn:x', value: 'whole' },
    type: token('type'),
    category: [token('category')],
    date: '2026-02-03T04:05:06Z',
    securityLabel: [token('label')],
    context: {
      event: [token('event')],
      facilityType: token('facility'),
      practiceSetting: token('setting'),
      period: { start: '2020-05-01', end: '2020-05-31' },
      related: [{ reference: 'ServiceRequest/order' }],
    },
  };
  const file = { ...textFile('whole'), reference, attachment: { creation: '2019-03-04T05:06:07Z' } };
  const made = provided(world, [file], (bundle) => {
    bundle.entry[1].resource.content[0].format = { system: 'urn:x', code: 'format' };
    Object.assign(bundle.entry[0].resource, {
      contained,
      source: { reference: '#a' },
      identifier: [{ system: 'urn:x', value: 'set' }],
    });
  });
  submitted.set(world, made);
  return made;
}

function finds(transaction: 66 | 67, parameter: string, value: string, other: string): Case {
  return {
    place: `ITI-${transaction} 2:3.${transaction}.4.1.2.1`,
    asks: `the parameter ${parameter} is processed`,
    async run(world) {
      const bundle = await whole(world);
      const type = transaction === 66 ? 'List' : 'DocumentReference';
      const code = transaction === 66 ? '&code=submissionset' : '';
      const id = idAt(bundle, transaction === 66 ? 0 : 1);
      for (const [one, isThere] of [
        [value, true],
        [other, false],
      ] as const) {
        const search = `${type}?patient=${world.patient}${code}&status=current&_count=100&${parameter}=${encodeURIComponent(one)}`;
        same(
          (await found(world, search)).some((resource) => resource.id === id),
          isThere,
          search,
        );
      }
    },
  };
}

async function attachmentOf(world: World, bundle: Json): Promise<Json> {
  const [document] = await found(
    world,
    `DocumentReference?patient=${world.patient}&status=current&_id=${idAt(bundle, 1)}`,
  );
  return document.content[0].attachment;
}

export const finding: Case[] = [
  finds(66, 'date', '2026-01-02', '2026-01-03'),
  finds(66, 'designationType', 'http://loinc.org|34133-9', 'http://loinc.org|1-1'),
  finds(66, 'identifier', 'urn:x|set', 'urn:x|other'),
  finds(66, 'source.given', 'una', 'otis'),
  finds(66, 'source.family', 'nightjar', 'wren'),
  finds(66, 'sourceId', 'urn:oid:1.2.826.3', 'urn:oid:9'),
  finds(66, 'patient.identifier', 'urn:oid:1.2.826.2|B-1', 'urn:oid:1.2.826.2|nobody'),
  finds(67, 'author.given', 'una', 'otis'),
  finds(67, 'author.family', 'nightjar', 'wren'),
  finds(67, 'category', 'urn:x|category', 'urn:x|other'),
  finds(67, 'creation', '2019-03-04', '2019-03-05'),
  finds(67, 'date', 'ge2026-02-03', 'lt2026-02-03'),
  finds(67, 'event', 'urn:x|event', 'urn:x|other'),
  finds(67, 'facility', 'urn:x|facility', 'urn:x|other'),
  finds(67, 'format', 'urn:x|format', 'urn:x|other'),
  finds(67, 'identifier', 'urn:x|whole', 'urn:x|other'),
  finds(67, 'patient.identifier', 'urn:oid:1.2.826.2|B-1', 'urn:oid:1.2.826.2|nobody'),
  finds(67, 'period', 'ge2020-05-15', 'ge2020-06-01'),
  finds(67, 'related', 'ServiceRequest/order', 'ServiceRequest/other'),
  finds(67, 'security-label', 'urn:x|label', 'urn:x|other'),
  finds(67, 'setting', 'urn:x|setting', 'urn:x|other'),
  finds(67, 'type', 'urn:x|type', 'urn:x|other'),
  ...(['List', 'DocumentReference'] as const).flatMap((type): Case[] => {
    const at = type === 'List' ? '66' : '67';
    const query = (patient: string) =>
      `patient=${patient}&status=current${type === 'List' ? '&code=submissionset' : ''}`;
    return [
      {
        place: `ITI-${at} 2:3.${at}.4.1.2`,
        asks: 'searches by GET and by POST are answered the same, as a Bundle with 200',
        async run(world) {
          await whole(world);
          const headers = { 'content-type': 'application/x-www-form-urlencoded' };
          const posted = await world.hub.send('POST', `/fhir/${type}/_search`, query(world.patient), { headers });
          const got = await world.hub.get(`/fhir/${type}?${query(world.patient)}`);
          same([posted.status, got.status, got.json.type], [200, 200, 'searchset'], 'the answers');
          same(posted.json.entry, got.json.entry, 'the entries');
        },
      },
      {
        place: `ITI-${at} 2:3.${at}.4.2.2`,
        asks: 'nothing is 200 and an empty Bundle; what is wrong is an HTTP error with an OperationOutcome',
        async run({ hub, patient }) {
          const none = await hub.get(`/fhir/${type}?${query(patient)}&date=1900`);
          same([none.status, none.json.resourceType, none.json.entry], [200, 'Bundle', undefined], 'nothing');
          const wrong = await hub.get(`/fhir/${type}?${query(patient)}&date=yesterday`);
          same([wrong.status, wrong.json.resourceType], [400, 'OperationOutcome'], 'a wrong date');
        },
      },
      {
        place: `ITI-${at} 2:3.${at}.4.1.2.2`,
        asks: 'answers are in JSON and in XML',
        async run({ hub, patient }) {
          const { text } = await hub.get(`/fhir/${type}?${query(patient)}`, { headers: asXml });
          demand(text.includes('<Bundle'), 'there is no XML');
        },
      },
    ];
  }),
  {
    place: 'ITI-67 2:3.67.4.1.2.1',
    asks: 'the parameter status tells current from superseded',
    async run(world) {
      const first = await provided(world, [textFile('before')]);
      const target = { reference: `DocumentReference/${idAt(first, 1)}` };
      await provided(world, [{ ...textFile('after'), reference: { relatesTo: [{ code: 'replaces', target }] } }]);
      for (const [status, count] of [
        ['current', 0],
        ['superseded', 1],
      ] as const)
        same(
          (await found(world, `DocumentReference?patient=${world.patient}&status=${status}&_id=${idAt(first, 1)}`))
            .length,
          count,
          status,
        );
    },
  },
  {
    place: 'ITI-67 2:3.67.4.2.2.1.1',
    asks: 'the attachment has a full address at which the document is',
    async run(world) {
      const { url } = await attachmentOf(world, await whole(world));
      demand(url.startsWith(`${world.hub.url}/`), `the address is ${url}`);
    },
  },
  {
    place: 'ITI-67 2:3.67.4.2.2.1.2',
    asks: 'a document that is made when it is asked for has neither hash nor size',
    async run({ hub, patient }) {
      const { json } = await hub.get(`/fhir/DocumentReference/$docref?patient=${patient}&on-demand=true`);
      const { url, hash, size } = json.entry[0].resource.content[0].attachment;
      same([hash, size], [undefined, undefined], 'hash and size');
      same((await hub.get(url.slice(hub.url.length))).status, 200, url);
    },
  },
  {
    place: 'ITI-68 2:3.68.4.2.2',
    asks: 'a document is given as it came, of the type, size and hash that its DocumentReference says',
    async run(world) {
      const bytes = Buffer.from(clinicalDocument(ada, 'D-68'));
      for (const file of [textFile('as it came'), { bytes, contentType: 'text/xml' }]) {
        const { url, hash, size, contentType } = await attachmentOf(world, await provided(world, [file]));
        const got = await world.hub.get(url.slice(world.hub.url.length), { headers: { accept: contentType } });
        const type = got.headers.get('content-type')?.split(';')[0];
        const told = createHash('sha1').update(got.text).digest('base64');
        same([got.status, type, Buffer.byteLength(got.text), told], [200, contentType, size, hash], file.contentType);
      }
    },
  },
  {
    place: 'ITI-68 2:3.68.4.2.2',
    asks: 'an address that is not known is 404, and a type that is not to be had 406',
    async run(world) {
      const { url } = await attachmentOf(world, await whole(world));
      const got = await world.hub.get(url.slice(world.hub.url.length), { headers: { accept: 'image/png' } });
      same([got.status, (await world.hub.get('/fhir/Binary/nothing')).status], [406, 404], 'the answers');
    },
  },
  {
    place: 'ITI-66 to ITI-68, CapabilityStatement',
    asks: 'the CapabilityStatement tells of the Document Responder and its parameters',
    async run({ hub }) {
      const { json } = await hub.get('/fhir/metadata');
      const url = 'https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentResponder';
      demand(json.instantiates.includes(url), 'it is not told');
      const told = (type: string): string[] =>
        json.rest[0].resource.find((one: Json) => one.type === type).searchParam.map(({ name }: Json) => name);
      for (const name of ['code', 'date', 'designationType', 'identifier', 'patient', 'sourceId', 'status'])
        demand(told('List').includes(name), `List ${name}`);
      for (const name of ['category', 'creation', 'event', 'facility', 'format', 'period', 'related', 'setting'])
        demand(told('DocumentReference').includes(name), `DocumentReference ${name}`);
    },
  },
];
