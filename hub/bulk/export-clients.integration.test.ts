/** `$export` by clients with SMART Backend Services: what their scopes cover, and what others may not have of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AssertionKey, assertion, assertionKey, backendService, systemToken } from '../authorization/testing.ts';
import { type AttackedHub, leavingOneEvent, startAttackedHub } from '../testing-attacks.ts';
import {
  type AskedHub,
  contents,
  ended,
  exported,
  kickOff,
  kickOffHeaders,
  namesOf,
  pathIn,
  statusOf,
  withBearer,
} from './testing.ts';

let hub: AttackedHub;
let key: AssertionKey;
let client: string;

beforeAll(async () => {
  hub = await startAttackedHub();
  key = await assertionKey();
  client = (await backendService(hub, [key], 'system/*.rs')).id;
  const put = async (resource: { resourceType: string; id: string }) => {
    const { status, text } = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
    if (status > 201) throw new Error(text);
  };
  for (const id of ['p1', 'p2']) {
    const subject = { reference: `Patient/${id}` };
    await put({ resourceType: 'Patient', id, name: [{ family: id }] } as never);
    await put({ resourceType: 'Observation', id: `o-${id}`, status: 'final', code: { text: 'x' }, subject } as never);
    await put({
      resourceType: 'DocumentReference',
      id: `d-${id}`,
      status: 'current',
      subject,
      content: [{ attachment: { contentType: 'text/plain', url: `Binary/b-${id}` } }],
    } as never);
    await put({ resourceType: 'Binary', id: `b-${id}`, contentType: 'text/plain', data: 'eA==' } as never);
  }
  const member = [{ entity: { reference: 'Patient/p1' } }];
  await put({ resourceType: 'Group', id: 'g', type: 'person', actual: true, member } as never);
});
afterAll(() => hub.stop());

const tokenFor = async (scope: string, id = client) => {
  const answer = await systemToken(hub, await assertion(hub, id, key), scope);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json.access_token as string;
};
const asking = async (scope: string, id = client) => withBearer(hub, await tokenFor(scope, id));
const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });
const oneJob = '_type=Patient,Observation';

describe('an export by a client', () => {
  it('is asked for by POST as by GET', async () => {
    const own = await asking('system/*.rs');
    const type = { name: '_type', valueString: 'Observation' };
    const format = { name: '_outputFormat', valueString: 'application/fhir+ndjson' };
    const patient = { name: 'patient', valueReference: { reference: 'Patient/p1' } };
    for (const path of ['/fhir/Patient/$export', '/fhir/Group/g/$export']) {
      const { output } = await exported(own, path, parameters(type, format, patient));
      expect(namesOf(await contents(own, output))).toEqual(['Observation/o-p1']);
    }
    const { output } = await exported(own, '/fhir/$export', parameters(type));
    expect(namesOf(await contents(own, output))).toEqual(['Observation/o-p1', 'Observation/o-p2']);
  });

  it('holds what its scopes cover, and is refused what it names beside [9, 27, 63]', async () => {
    const narrow = await asking('system/Patient.rs system/Observation.rs');
    const { output } = await exported(narrow, '/fhir/$export');
    expect(output.map(({ type }: { type: string }) => type).sort()).toEqual(['Observation', 'Patient']);
    expect(namesOf(await contents(narrow, output))).toEqual([
      'Observation/o-p1',
      'Observation/o-p2',
      'Patient/p1',
      'Patient/p2',
    ]);
    for (const body of [undefined, parameters({ name: '_type', valueString: 'Patient,DocumentReference' })]) {
      const path = `/fhir/$export${body ? '' : '?_type=Patient,DocumentReference'}`;
      expect((await kickOff(narrow, path, body)).status).toBe(403);
    }
    const filter = `_typeFilter=${encodeURIComponent('DocumentReference?status=current')}`;
    expect((await exported(narrow, `/fhir/$export?${filter}`)).output).toHaveLength(2);
  });

  it('of a Group needs to read the Group', async () => {
    const narrow = await asking('system/Patient.rs');
    expect((await kickOff(narrow, '/fhir/Group/g/$export?_type=Patient')).status).toBe(403);
    const both = await asking('system/Patient.rs system/Group.rs');
    const { output } = await exported(both, '/fhir/Group/g/$export?_type=Patient');
    expect(namesOf(await contents(both, output))).toEqual(['Patient/p1']);
  });

  it('is not opened by scopes of a patient, of one letter, or with parameters', async () => {
    const other = (await backendService(hub, [key], 'system/Observation.r system/Patient.rs?gender=male')).id;
    const own = await asking('system/Observation.r system/Patient.rs?gender=male', other);
    for (const path of ['/fhir/$export?_type=Observation', '/fhir/$export?_type=Patient', '/fhir/$export']) {
      expect((await kickOff(own, path)).status, path).toBe(403);
    }
  });

  it('is told and given only to tokens that cover all of it [5]', async () => {
    const whole = await asking('system/*.rs');
    const begun = await kickOff(whole, `/fhir/$export?${oneJob}`);
    const { json } = await ended(whole, statusOf(hub, begun));
    const narrow = await asking('system/Patient.rs');
    expect((await narrow.get(statusOf(hub, begun))).status).toBe(403);
    for (const { url } of json.output) expect((await narrow.get(pathIn(hub, url))).status).toBe(403);
    const enough = await asking('system/Patient.rs system/Observation.rs');
    expect((await enough.get(statusOf(hub, begun))).status).toBe(200);
    for (const { url } of json.output) expect((await enough.get(pathIn(hub, url))).status).toBe(200);
  });

  it('gives an attachment without an address that somebody could open none, and says so [213]', async () => {
    const own = await asking('system/*.rs');
    const attachment = { contentType: 'text/xml', url: 'urn:causeway:message:01a2#nonXMLBody', title: 'CCD' };
    const document = { resourceType: 'DocumentReference', id: 'made', status: 'current', content: [{ attachment }] };
    expect((await hub.send('PUT', '/fhir/DocumentReference/made', document)).status).toBe(201);
    const filter = encodeURIComponent('DocumentReference?_id=made');
    const { output } = await exported(own, `/fhir/$export?_type=DocumentReference&_typeFilter=${filter}`);
    const [{ content }] = await contents(own, output);
    const { url, ...rest } = attachment;
    const absent = { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unsupported' };
    expect(content).toEqual([{ attachment: { ...rest, _url: { extension: [absent] } } }]);
  });

  it('names attachments by addresses that its token opens [213, 214, 215]', async () => {
    const own = await asking('system/*.rs');
    const { output } = await exported(own, '/fhir/Patient/$export?_type=DocumentReference');
    const found = await contents(own, output);
    expect(found).toHaveLength(2);
    for (const { content } of found) {
      const answer = await own.get(pathIn(hub, content[0].attachment.url), { headers: { accept: 'text/plain' } });
      expect([answer.status, answer.text]).toEqual([200, 'x']);
    }
  });
});

describe('what others try', () => {
  /** Tried without success, and recorded once. */
  const denied = async (asked: AskedHub, method: string, path: string, status: number): Promise<string> => {
    const headers = path.includes('$export') ? kickOffHeaders : {};
    const answer = await leavingOneEvent(hub, path, () => asked.send(method, path, undefined, { headers }));
    expect([method, path, answer.status, answer.json?.resourceType]).toEqual([
      method,
      path,
      status,
      'OperationOutcome',
    ]);
    return answer.text;
  };
  const nobody: AskedHub = {
    url: '',
    send: (method, path, body, options) => hub.send(method, path, body, { ...options, role: null }),
    get: (path, options) => hub.get(path, { ...options, role: null }),
  };
  const done = async (asked: AskedHub) => {
    const status = statusOf(asked, await kickOff(asked, `/fhir/$export?${oneJob}`));
    const { json } = await ended(asked, status);
    return { status, files: json.output.map(({ url }: { url: string }) => pathIn(asked, url)) as string[] };
  };

  it('A15: more than the scopes cover, and the jobs of another client, its files and their end', async () => {
    const narrow = await asking('system/Patient.rs');
    await denied(narrow, 'GET', '/fhir/$export?_type=Observation', 403);
    await denied(narrow, 'GET', '/fhir/Group/g/$export', 403);
    const { status, files } = await done(await asking('system/*.rs'));
    const other = await asking('system/*.rs', (await backendService(hub, [key], 'system/*.rs')).id);
    const never = '/fhir/_bulk/018f0000-0000-7000-8000-000000000000';
    const absent = await denied(other, 'GET', never, 404);
    for (const [method, path] of [
      ['GET', status],
      ['DELETE', status],
      ...files.map((file): [string, string] => ['GET', file]),
    ] as const) {
      expect(await denied(other, method, path, 404)).toBe(absent);
    }
    expect((await ended(await asking('system/*.rs'), status)).status).toBe(200);
  });

  it('A16: files guessed, without a token, after the job was deleted, and after it expired', async () => {
    const own = await asking('system/*.rs');
    const { status, files } = await done(own);
    for (const guess of ['0.ndjson', '99.ndjson', '1', '1.ndjson.gz', '..%2f1.ndjson', '%00.ndjson', '-1.ndjson']) {
      await denied(own, 'GET', `${status}/${guess}`, 404);
    }
    for (const path of [status, ...files]) await denied(nobody, 'GET', path, 401);
    await denied(nobody, 'DELETE', status, 401);
    expect((await own.send('DELETE', status)).status).toBe(202);
    for (const path of [status, ...files]) await denied(own, 'GET', path, 404);
    await denied(own, 'DELETE', status, 404);

    const late = await done(own);
    await hub.test.database.query(`UPDATE bulk_job SET expires = now() - interval '1 s' WHERE id = $1`, [
      late.status.split('/').at(-1),
    ]);
    for (const path of [late.status, ...late.files]) await denied(own, 'GET', path, 404);
  });
});
