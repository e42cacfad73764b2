/** MHD: ITI-65 Provide Document Bundle, ITI-105 Simplified Publish, ITI-106 Generate Metadata. */
import { clinicalDocument, mhdListTypes, submission, uniqueId } from '../../hub/gate/testing-mhd.ts';
import type { Json } from '../../hub/testing-calls.ts';
import { ada, asXml, type Case, demand, fhirJson, found, idAt, provided, same, textFile, type World } from './world.ts';

const expected = 'ITI-65 2:3.65.4.1.3';

/** Changes a submission so that it is refused by a code, and nothing of it stored. */
function refuses(asks: string, code: string, change: (bundle: Json, world: World) => void, metadata?: string): Case {
  return {
    place: expected,
    asks,
    async run(world) {
      const count = async () => (await world.hub.get('/fhir/DocumentReference?_summary=count')).json.total;
      const before = await count();
      const bundle = submission(world.patient, [textFile('refused')], [], metadata);
      change(bundle, world);
      const { status, json } = await world.hub.send('POST', '/fhir', bundle, { role: 'system', headers: fhirJson });
      demand(status >= 400 && status < 500, `it was answered ${status}`);
      same(json.resourceType, 'OperationOutcome', 'the answer');
      demand(json.issue[0].diagnostics.startsWith(code), `the code is not ${code}: ${json.issue[0].diagnostics}`);
      same(await count(), before, 'the documents');
    },
  };
}

const attachmentOf = (bundle: Json): Json => bundle.entry[1].resource.content[0].attachment;

async function related(world: World, code: string): Promise<Json> {
  const first = await provided(world, [textFile(`${code} this`)]);
  const target = { reference: `DocumentReference/${idAt(first, 1)}` };
  const file = { ...textFile(`${code} it`), reference: { relatesTo: [{ code, target }] } };
  const second = await provided(world, [file]);
  const { json } = await world.hub.get(`/fhir/DocumentReference/${idAt(second, 1)}`);
  same(json.relatesTo, [{ code, target }], 'relatesTo');
  return (await world.hub.get(`/fhir/${target.reference}`)).json;
}

export const providing: Case[] = [
  {
    place: 'ITI-65 2:3.65.4.2.2',
    asks: 'the answer is a transaction-response with an entry for each, in their order, 201 and the location',
    async run(world) {
      const json = await provided(world, [textFile('one'), textFile('two')]);
      same([json.resourceType, json.type], ['Bundle', 'transaction-response'], 'the answer');
      same(
        json.entry.map(({ response }: Json) => response.status),
        Array(5).fill('201'),
        'the statuses',
      );
      const types = json.entry.map(({ response }: Json) => response.location.split('/')[0]);
      same(types, ['List', 'DocumentReference', 'Binary', 'DocumentReference', 'Binary'], 'the locations');
      for (const { response } of json.entry) {
        const { status } = await world.hub.get(`/fhir/${response.location.split('/_history')[0]}`);
        same(status, 200, response.location);
      }
    },
  },
  {
    place: expected,
    asks: 'submissions are taken in JSON and in XML',
    async run({ hub, patient }) {
      const stored = await hub.send('POST', '/fhir/Bundle', submission(patient, [textFile('in XML')]));
      const { text } = await hub.get(`/fhir/Bundle/${stored.json.id}`, { headers: asXml });
      const headers = { 'content-type': 'application/fhir+xml', ...asXml };
      const answer = await hub.send('POST', '/fhir', text.replace(/<id value="[^"]+"\/>/, ''), {
        role: 'system',
        headers,
      });
      same(answer.status, 200, 'in XML');
      demand(answer.text.includes('transaction-response'), 'the answer is another');
    },
  },
  {
    place: 'ITI-65 2:3.65.4.1.2.1',
    asks: 'a Folder comes with a submission',
    async run(world) {
      await provided(world, [textFile('in a folder')], (bundle) => {
        const item = { reference: bundle.entry[1].fullUrl };
        const subject = { reference: world.patient };
        const code = { coding: [{ system: mhdListTypes, code: 'folder' }] };
        const resource = { resourceType: 'List', status: 'current', mode: 'working', code, subject, entry: [{ item }] };
        bundle.entry.push({ fullUrl: 'urn:uuid:0a0a', resource, request: { method: 'POST', url: 'List' } });
      });
      same((await found(world, `List?patient=${world.patient}&code=folder`)).length, 1, 'the folders');
    },
  },
  {
    place: 'ITI-65 2:3.65.4.1.2.2',
    asks: 'a Patient comes with a submission, and is named by its number',
    async run(world) {
      const own = 'urn:uuid:7d0e2a30-0000-4000-8000-000000000001';
      const resource = { resourceType: 'Patient', name: [{ family: 'Bundled' }] };
      const entry = { fullUrl: own, resource, request: { method: 'POST', url: 'Patient' } };
      const json = await provided(world, [textFile('with a Patient')], (bundle) => {
        for (const one of bundle.entry) if (one.resource.subject) one.resource.subject = { reference: own };
        bundle.entry.push(entry);
      });
      const subject = `Patient/${idAt(json, 3)}`;
      same((await found(world, `DocumentReference?patient=${subject}`)).length, 1, 'the documents');
      const numbered = await provided(world, [textFile('by a number')], (bundle) => {
        const identifier = { system: 'urn:oid:1.2.3.1', value: 'R-2' };
        for (const one of bundle.entry) if (one.resource.subject) one.resource.subject = { identifier };
      });
      const { json: document } = await world.hub.get(`/fhir/DocumentReference/${idAt(numbered, 1)}`);
      demand(document.subject.reference?.startsWith('Patient/'), 'the number leads to nobody');
    },
  },
  {
    place: 'ITI-65 2:3.65.4.1.2.3',
    asks: 'what is replaced is superseded',
    async run(world) {
      same((await related(world, 'replaces')).status, 'superseded', 'the one before');
    },
  },
  ...['transforms', 'appends', 'signs'].map(
    (code): Case => ({
      place: expected,
      asks: `relatesTo ${code} is taken, and the one before stays current`,
      async run(world) {
        same((await related(world, code)).status, 'current', 'the one before');
      },
    }),
  ),
  {
    place: 'ITI-65 2:3.65.4.1.2.1',
    asks: 'comprehensive and UnContained metadata that are whole are taken, and not where they are not',
    async run(world) {
      const coded = { coding: [{ system: 'urn:x', code: 'y' }] };
      const reference = {
        contained: [{ resourceType: 'Patient', id: 'p', identifier: [{ system: 'urn:x', value: '1' }] }],
        type: coded,
        category: [coded],
        securityLabel: [coded],
        context: { facilityType: coded, practiceSetting: coded, sourcePatientInfo: { reference: '#p' } },
      };
      for (const metadata of ['Comprehensive', 'UnContained.Comprehensive']) {
        const file = { ...textFile(metadata), reference, attachment: { language: 'en', creation: '2026-01-01' } };
        const bundle = submission(world.patient, [file], [], metadata);
        bundle.entry[1].resource.content[0].format = { system: 'urn:x', code: 'z' };
        const { status, text } = await world.hub.send('POST', '/fhir', bundle, { role: 'system', headers: fhirJson });
        same([status, status === 200 ? '' : text.slice(0, 300)], [200, ''], metadata);
      }
    },
  },
  refuses(
    'a comprehensive submission without what that asks for',
    'XDSMissingDocumentMetadata',
    () => {},
    'Comprehensive',
  ),
  refuses('a submission without a SubmissionSet', 'XDSRegistryMetadataError', (b) => b.entry.shift()),
  refuses('a document whose Binary is not there', 'XDSMissingDocument', (b) => b.entry.pop()),
  refuses('a hash that is another', 'XDSRepositoryMetadataError', (b) => (attachmentOf(b).hash = 'AAAA')),
  refuses('a size that is another', 'XDSRepositoryMetadataError', (b) => (attachmentOf(b).size = 1)),
  refuses('a patient who is not known', 'XDSUnknownPatientId', (b) => {
    for (const { resource } of b.entry) if (resource.subject) resource.subject = { reference: 'Patient/nobody' };
  }),
  refuses('a resource that is no R4', '', (b) => (b.entry[1].resource.colour = 'green')),
  refuses('a FHIR document, which the hub takes otherwise', 'FHIRDocumentNotSupported', (b) =>
    b.entry.push({
      resource: { resourceType: 'Bundle', type: 'document' },
      request: { method: 'POST', url: 'Bundle' },
    }),
  ),
  {
    place: expected,
    asks: 'a submission fails whole where one of its documents does',
    async run(world) {
      const title = 'half of two';
      const bundle = submission(world.patient, [
        { ...textFile('a'), reference: { description: title } },
        { ...textFile('b'), attachment: { hash: 'AAAA' } },
      ]);
      const { status } = await world.hub.send('POST', '/fhir', bundle, { role: 'system', headers: fhirJson });
      demand(status === 422, `it was answered ${status}`);
      same(await found(world, `DocumentReference?description=${title}`), [], 'the other document');
    },
  },
  {
    place: 'ITI-105 2:3.105.4.1.3, 2:3.105.4.2.2',
    asks: 'a DocumentReference with its document becomes a Binary and a SubmissionSet; it is answered as it was created',
    async run(world) {
      for (const format of ['json', 'xml']) {
        const profile =
          'https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.SimplifiedPublish.DocumentReference';
        const data = Buffer.from(format).toString('base64');
        const { value } = uniqueId();
        const json = {
          resourceType: 'DocumentReference',
          meta: { profile: [profile] },
          masterIdentifier: { system: 'urn:ietf:rfc:3986', value },
          status: 'current',
          subject: { reference: world.patient },
          content: [{ attachment: { contentType: 'text/plain', data } }],
        };
        const xml = `<DocumentReference xmlns="http://hl7.org/fhir"><meta><profile value="${profile}"/></meta><masterIdentifier><system value="urn:ietf:rfc:3986"/><value value="${value}"/></masterIdentifier><status value="current"/><subject><reference value="${world.patient}"/></subject><content><attachment><contentType value="text/plain"/><data value="${data}"/></attachment></content></DocumentReference>`;
        const answer = await world.hub.send('POST', '/fhir/DocumentReference', format === 'json' ? json : xml, {
          headers: { 'content-type': `application/fhir+${format}`, accept: 'application/fhir+json' },
        });
        same(answer.status, 201, format);
        const { attachment } = answer.json.content[0];
        same(attachment.data, undefined, 'the data');
        const got = await world.hub.get(attachment.url.slice(world.hub.url.length));
        same(got.text, format, 'the document');
        const sets = await found(world, `List?code=submissionset&item=DocumentReference/${answer.json.id}`);
        same(sets.length, 1, 'the SubmissionSets');
      }
    },
  },
  {
    place: 'ITI-106 2:3.106.4.1.3, 2:3.106.4.2.2',
    asks: 'of a C-CDA the metadata are made, the document is kept, and its DocumentReference is told',
    async run({ hub }) {
      const bytes = Buffer.from(clinicalDocument(ada, 'D-106'));
      const resource = { resourceType: 'Binary', contentType: 'text/xml', data: bytes.toString('base64') };
      const body = { resourceType: 'Parameters', parameter: [{ name: 'document', resource }] };
      const path = '/fhir/DocumentReference/$generate-metadata';
      const { status, json, text } = await hub.send('POST', path, body, { role: 'system', headers: fhirJson });
      same([status, json?.resourceType, status === 200 ? '' : text], [200, 'Parameters', ''], 'the answer');
      const { reference } = json.parameter[0].valueReference;
      const { attachment } = (await hub.get(reference.slice(hub.url.length))).json.content[0];
      same((await hub.get(attachment.url.slice(hub.url.length))).text, bytes.toString(), 'the document');
      const broken = { ...body, parameter: [{ name: 'document', resource: { ...resource, data: 'AAAA' } }] };
      const refused = await hub.send('POST', path, broken, { role: 'system', headers: fhirJson });
      same([refused.status, refused.json.resourceType], [422, 'OperationOutcome'], 'no document');
    },
  },
  {
    place: 'ITI-65 2:3.65.4.3',
    asks: 'the CapabilityStatement tells which options are declared',
    async run({ hub }) {
      const { json } = await hub.get('/fhir/metadata');
      for (const option of ['Comprehensive', 'UnContained', 'Simplified', 'Generate']) {
        const url = `https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient.${option}`;
        demand(json.instantiates.includes(url), option);
      }
    },
  },
];
