import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { adt } from '../testing-messages.ts';

const person = { id: '100', family: 'Marlow', given: 'Ines', birth: '19710203', sex: 'F' };

describe('HL7 over HTTP', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
  });
  afterAll(() => hub.stop());

  const post = async (
    message: string | Buffer,
    type = 'application/hl7-v2',
    options: { role?: string | null } = {},
  ) => {
    const token: Record<string, string> =
      options.role === null ? {} : { authorization: `Bearer ${await hub.token(options.role ?? 'system')}` };
    const headers = { 'content-type': type, ...token };
    const response = await fetch(`${hub.url}/hl7`, { method: 'POST', headers, body: message as BodyInit });
    const bytes = Buffer.from(await response.arrayBuffer());
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      bytes,
      text: bytes.toString('latin1'),
    };
  };
  const state = async (controlId: string) =>
    (await hub.test.database.query('SELECT state FROM message WHERE control_id = $1', [controlId])).rows[0]?.state;

  it('answers with the acknowledgement, after the message is on disk', async () => {
    const answer = await post(adt('A08', person, { controlId: 'HTTP1' }));
    expect(answer).toMatchObject({ status: 200, type: 'application/hl7-v2; charset=utf-8' });
    expect(answer.text).toMatch(/^MSH\|.*\rMSA\|AA\|HTTP1\r$/);
    expect(await state('HTTP1')).toMatch(/received|processed/);
  });

  it('takes the charset of the request, not that of MSH-18, and answers in it', async () => {
    const text = adt(
      'A04',
      { ...person, id: 'LATIN2', family: 'Łazarz' },
      { controlId: 'HTTP2', header: { 3: 'Łódź', 18: '8859/1' } },
    );
    const table: { [character: string]: number } = { Ł: 0xa3, ó: 0xf3, ź: 0xbc };
    const bytes = Buffer.from([...text].map((character) => table[character] ?? character.charCodeAt(0)));
    const answer = await post(bytes, 'application/hl7-v2; charset=ISO-8859-2');
    expect(answer).toMatchObject({ status: 200, type: 'application/hl7-v2; charset=ISO-8859-2' });
    expect(new TextDecoder('iso-8859-2').decode(answer.bytes)).toContain('|Łódź|');
    await hub.settled();
    const found = await hub.get(`/fhir/Patient?family=${encodeURIComponent('Łazarz')}`);
    expect(found.json.entry).toHaveLength(1);
    const { rows } = await hub.test.database.query(`SELECT id FROM message WHERE control_id = 'HTTP2'`);
    expect((await hub.get(`/api/messages/${rows[0]!.id}`)).json.original).toContain('Łazarz');
  });

  it.each([
    ['MSH|^~\\&|EHR|CLINIC|||20240301||ADT^A08^ADT_A01|HTTP3|P\rPID|1\r', 400, 'AR'],
    ['MSH|^~\\&|EHR|CLINIC|||20240301||ADT^A08^ADT_A01|HTTP4|P||||AL|NE\rPID|1\r', 400, 'CR'],
    ['no message', 400, 'AR'],
  ])('refuses %j with the acknowledgement that says why', async (message, status, code) => {
    const answer = await post(message);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(`\rMSA|${code}|`);
    expect(answer.type).toMatch(/^application\/hl7-v2; charset=/);
  });

  it('answers in enhanced mode as MSH-15 and MSH-16 say', async () => {
    const enhanced = (controlId: string, accept: string, application: string) =>
      post(adt('A08', person, { controlId, header: { 15: accept, 16: application } }));
    expect((await enhanced('HTTP5', 'AL', 'NE')).text).toContain('\rMSA|CA|HTTP5');
    const application = await enhanced('HTTP6', 'NE', 'AL');
    expect(application).toMatchObject({ status: 200 });
    expect(application.text).toContain('\rMSA|AA|HTTP6');
    expect(await state('HTTP6')).toBe('processed');
    expect(await enhanced('HTTP7', 'NE', 'NE')).toMatchObject({ status: 204, text: '' });
  });

  it('is for those who may send messages, and for HL7 v2 in ER7', async () => {
    const message = adt('A08', person, { controlId: 'HTTP8' });
    expect((await post(message, undefined, { role: null })).status).toBe(401);
    expect((await post(message, undefined, { role: 'clinician' })).status).toBe(403);
    expect((await post(message, 'application/hl7-v2+xml')).status).toBe(415);
    expect((await post(message, 'application/hl7-v2; charset=klingon')).status).toBe(415);
    expect((await post('')).status).toBe(400);
    expect(await state('HTTP8')).toBeUndefined();
  });
});
