import { isFhirError, jsonFromXml } from '@causeway/fhir';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };
const xml = { 'content-type': 'application/fhir+xml' };

describe('http §3.1.0.1 content types and general parameters', () => {
  let hub: TestHub;
  let id: string;
  const patient = {
    resourceType: 'Patient',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">A <b>narrative</b></div>' },
    identifier: [{ system: 'urn:form', value: '1' }],
    active: true,
    name: [{ family: 'Formed', given: ['A', 'B'] }],
    maritalStatus: { text: 'single' },
    multipleBirthInteger: 2,
  };
  beforeAll(async () => {
    hub = await startTestHub();
    id = (await send('POST', '/Patient', JSON.stringify(patient), json)).json.id;
  });
  afterAll(() => hub.stop());

  const send = (method: string, path: string, body: string | undefined, headers: Record<string, string>) =>
    hub.send(method, `/fhir${path}`, body, { headers });
  const get = (path: string, headers: Record<string, string> = {}) => hub.get(`/fhir${path}`, { headers });
  const read = (text: string): Json => {
    const result = jsonFromXml(text);
    if (typeof result !== 'string') throw new Error(isFhirError(result) ? result.error : 'no XML');
    return JSON.parse(result);
  };

  describe('XML', () => {
    it.each([
      ['', { accept: 'application/fhir+xml' }, 'application/fhir+xml'],
      ['', { accept: 'application/xml' }, 'application/xml'],
      ['', { accept: 'text/xml' }, 'text/xml'],
      ['', { accept: 'application/fhir+json;q=0.5, application/fhir+xml' }, 'application/fhir+xml'],
      ['?_format=xml', { accept: 'application/fhir+json' }, 'application/fhir+xml'],
      ['?_format=application/fhir%2Bxml', {}, 'application/fhir+xml'],
      ['?_format=text/xml', {}, 'text/xml'],
    ])('answers %s %j as %s, the same resource as in JSON', async (query, headers, type) => {
      const answer = await get(`/Patient/${id}${query}`, headers as Record<string, string>);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`]);
      expect(answer.text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?><Patient xmlns="http:\/\/hl7.org\/fhir">/);
      expect(read(answer.text)).toEqual((await get(`/Patient/${id}`)).json);
    });

    it('takes XML where it takes JSON, keeps digits, and answers as asked', async () => {
      const text =
        '<Observation xmlns="http://hl7.org/fhir"><status value="final"/><code><text value="x"/></code><valueQuantity><value value="1.500"/></valueQuantity></Observation>';
      const made = await send('POST', '/Observation', text, { ...xml, accept: 'application/fhir+xml' });
      expect([made.status, read(made.text).status]).toEqual([201, 'final']);
      const { id: made1 } = read(made.text);
      expect((await get(`/Observation/${made1}`)).text).toContain('"value":1.500}');
      const next = made.text.replace('value="final"', 'value="amended"');
      expect((await send('PUT', `/Observation/${made1}`, next, xml)).json.status).toBe('amended');
      const bundle = `<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource>${text}</resource><request><method value="POST"/><url value="Observation"/></request></entry></Bundle>`;
      const answer = await send('POST', '', bundle, { ...xml, accept: 'application/fhir+xml' });
      expect(read(answer.text)).toMatchObject({
        type: 'transaction-response',
        entry: [{ response: { status: '201' } }],
      });
    });

    it('answers searches, histories, capabilities and errors in XML', async () => {
      const type = (answer: { text: string }) => read(answer.text).resourceType;
      const accept = { accept: 'application/fhir+xml' };
      for (const [path, status, wanted] of [
        ['/Patient?family=formed', 200, 'Bundle'],
        [`/Patient/${id}/_history`, 200, 'Bundle'],
        [`/Patient/${id}/$everything`, 200, 'Bundle'],
        ['/metadata', 200, 'CapabilityStatement'],
        ['/Patient/none', 404, 'OperationOutcome'],
        ['/Patient?nonsense=1', 400, 'OperationOutcome'],
        ['/Nonsense', 404, 'OperationOutcome'],
      ] as const) {
        const answer = await get(path, accept);
        expect([path, answer.status, type(answer)]).toEqual([path, status, wanted]);
        expect(answer.headers.get('content-type')).toBe('application/fhir+xml; charset=utf-8');
      }
    });

    it('refuses XML that is wrong or hostile, with the place', async () => {
      for (const body of [
        '<Patient xmlns="http://hl7.org/fhir"><active value="true"></Patient>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><id value="&a;"/></Patient>',
        '<Patient xmlns="http://elsewhere.example"/>',
        '<Nonsense xmlns="http://hl7.org/fhir"/>',
        `${'<a>'.repeat(10_000)}`,
      ]) {
        const answer = await send('POST', '/Patient', body, xml);
        expect([body.slice(0, 40), answer.status, answer.json.issue[0].code]).toEqual([
          body.slice(0, 40),
          400,
          'structure',
        ]);
        expect(answer.json.issue[0].diagnostics).toMatch(/^Line \d+, column \d+: /);
      }
    });
  });

  describe('_pretty, _summary, _elements', () => {
    it('_pretty=true changes white space only', async () => {
      const [plain, pretty] = [await get(`/Patient/${id}`), await get(`/Patient/${id}?_pretty=true`)];
      expect(pretty.text).toContain('\n');
      expect([pretty.json, plain.text.includes('\n')]).toEqual([plain.json, false]);
      expect((await get('/Patient?family=formed&_pretty=true')).text.split('\n').length).toBeGreaterThan(20);
    });

    it.each(['/Patient/:id', '/Patient?family=formed', '/Patient/:id/_history'])(
      '%s gives the part that is asked for, tagged SUBSETTED',
      async (path) => {
        const part = async (query: string) => {
          const address = path.replace(':id', id);
          const answer = await get(`${address}${address.includes('?') ? '&' : '?'}${query}`);
          expect(answer.status).toBe(200);
          return answer.json.entry?.[0].resource ?? answer.json;
        };
        const summary = await part('_summary=true');
        expect([summary.active, summary.maritalStatus, summary.text]).toEqual([true, undefined, undefined]);
        expect(summary.meta.tag).toEqual([expect.objectContaining({ code: 'SUBSETTED' })]);
        const text = await part('_summary=text');
        expect([text.text.status, text.name]).toEqual(['generated', undefined]);
        const data = await part('_summary=data');
        expect([data.text, data.maritalStatus]).toEqual([undefined, patient.maritalStatus]);
        const elements = await part('_elements=name,active');
        expect([elements.name, elements.active, elements.maritalStatus]).toEqual([patient.name, true, undefined]);
        expect((await part('_summary=false')).maritalStatus).toEqual(patient.maritalStatus);
      },
    );

    it('are named in the self and next links of a search', async () => {
      await send('POST', '/Patient', JSON.stringify(patient), json);
      const { link, entry } = (await get('/Patient?family=formed&_elements=name&_count=1')).json;
      expect(link.map(({ url }: Json) => url.includes('_elements=name'))).toEqual([true, true]);
      expect(entry[0].resource.active).toBeUndefined();
      expect((await get('/Patient?family=formed&_summary=text&_include=Patient:organization')).status).toBe(400);
      expect((await get('/Patient?family=formed&_summary=nonsense')).status).toBe(400);
    });

    it('shape searches over types, in XML as well', async () => {
      const answer = await get('?_type=Patient&family=formed&_elements=name&_format=xml');
      const [first] = read(answer.text).entry;
      expect([first.resource.name, first.resource.active]).toEqual([patient.name, undefined]);
    });

    it('shape the capabilities (§3.1.0.10)', async () => {
      const { json: elements } = await get('/metadata?_elements=software');
      expect([elements.software.name, elements.rest]).toEqual(['Causeway', undefined]);
      expect((await get('/metadata?_summary=true')).text.length).toBeLessThan((await get('/metadata')).text.length);
    });

    it('leave the stored resource whole', async () => {
      await get(`/Patient/${id}?_summary=true`);
      expect((await get(`/Patient/${id}`)).json).toMatchObject(patient);
    });
  });
});
