/** Direct mail over a real socket, from what openssl signed and encrypted to the record. */
import { randomUUID } from 'node:crypto';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { xdmZip } from '../mail/index.ts';
import { type TestMailServer, testMailServer } from '../mail/testing.ts';
import { newId } from '../record/index.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { leavingOneEvent } from '../testing-attacks.ts';
import { adt } from '../testing-messages.ts';
import { type Attachment, DirectPeers, sendMail } from './testing.ts';

const to = 'hub@direct.hub.example';
const dr = 'dr@practice.example';
const peers = new DirectPeers();
let hub: TestHub;
let mails: TestMailServer;

beforeAll(async () => {
  peers.issue('hub', `email:${to}`);
  peers.issue('practice', 'DNS:practice.example');
  peers.issue('clinic', 'email:office@clinic.example,email:lab@clinic.example', true);
  peers.issue('alone', 'DNS:practice.example', true);
  mails = await testMailServer();
  hub = await startTestHub({
    accessJournal: 'database',
    smtpHost: 'localhost',
    smtpPort: mails.port,
    smtpCa: mails.ca,
    directMinutes: 1,
    mailFrom: 'hub@hub.example',
    directAddress: to,
    directCertificate: peers.path('hub.pem'),
    directKey: peers.path('rsa.key'),
    directPort: 0,
  });
  const register = (key: string, body: object) =>
    hub.send('PUT', `/api/participants/${key}`, { name: key, kind: 'practice', ...body });
  const direct = { senders: ['practice.example'], trust: peers.anchor };
  expect((await register('practice', { transport: { direct } })).status).toBe(200);
  const place = (address: string) => ({ dialect: 'ccda', direct: { address, certificate: peers.path('clinic.pem') } });
  const routes = [
    { name: 'direct', to: place('office@clinic.example') },
    { name: 'other', to: place('Lab@clinic.example') },
  ];
  expect((await register('clinic', { routes })).status).toBe(200);
});
afterAll(async () => {
  await hub?.stop();
  await mails?.close();
  peers.remove();
});

const document = (id: string, family = 'Large') => `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="1.2.826.1" extension="${id}"/>
<code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><title>Summary</title><effectiveTime value="20240301101500+0000"/>
<recordTarget><patientRole><id root="1.2.826.2" extension="P-${id}"/><patient><name><given>Ida</given><family>${family}</family></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="19620405"/></patient></patientRole></recordTarget>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.826.3"/><name>Practice</name></representedCustodianOrganization></assignedCustodian></custodian>
<component><nonXMLBody><text mediaType="text/plain" representation="B64">YQ==</text></nonXMLBody></component></ClinicalDocument>`;
const ccda = (id: string): Attachment => ({ content: document(id), type: 'text/xml', name: 'ccd.xml' });
const send = (mail: Buffer, whom: string | string[] = to) => sendMail(hub.directPort, whom, mail);
const stored = async (condition: string) =>
  (
    await hub.test.database.query(
      `SELECT id, source, dialect, type, state, error FROM message WHERE ${condition} ORDER BY seq`,
    )
  ).rows;
const originalOf = async (id: string) => (await hub.get(`/api/messages/${id}`)).json.original as string;

describe('what is taken', () => {
  it('a C-CDA is a message of the participant when the mail is answered, and the mail is kept as it was signed', async () => {
    const id = randomUUID();
    expect(await send(peers.mail('practice', dr, to, [ccda('A1')], { id }))).toBe(250);
    const messages = await stored(`source = 'practice'`);
    expect(messages.map(({ dialect, type }) => [dialect, type])).toEqual([
      ['ccda', 'Summary'],
      ['unknown', 'Direct mail'],
    ]);
    expect(await originalOf(messages[0]!.id)).toBe(document('A1'));
    expect(await originalOf(messages[1]!.id)).toMatch(/multipart\/signed(.|\s)*pkcs7-signature/);
    await hub.settled();
    expect((await stored(`source = 'practice'`)).map(({ state }) => state)).toEqual(['processed', 'kept']);
    expect(await hub.resources(`Patient?identifier=P-A1`)).toHaveLength(1);
  });

  it('the same mail again, and its content encrypted anew, are taken once', async () => {
    const id = randomUUID();
    const mail = peers.mail('practice', dr, to, [ccda('B1')], { id });
    expect(await send(mail)).toBe(250);
    await hub.settled();
    const before = await stored('true');
    expect(await send(mail)).toBe(250);
    expect(await send(peers.encrypted('signed', dr, to, id))).toBe(250);
    expect(await stored('true')).toEqual(before);
    // A sender that numbers its mails badly loses nothing.
    expect(await send(peers.mail('practice', dr, to, [ccda('B2')], { id }))).toBe(250);
    expect(await stored('true')).toHaveLength(before.length + 2);
  });

  it('by an address that is sent to, wrapped as a mail of its own, in a zip of XDM, beside HL7 v2', async () => {
    const packed = {
      id: randomUUID(),
      title: 'Summary',
      bytes: Buffer.from(document('C1')),
      mediaType: 'text/xml',
      created: new Date(),
    };
    const zip = await xdmZip({
      id: randomUUID(),
      submitted: new Date(),
      from: 'office@clinic.example',
      to,
      document: packed,
    });
    const v2 = adt(
      'A08',
      { id: 'C2', family: 'Marlow', given: 'Ines', birth: '19710203', sex: 'F' },
      { controlId: 'DIRECT1' },
    );
    const attachments = [
      { content: zip, type: 'application/octet-stream', name: 'xdm.zip' },
      { content: v2, type: 'x-application/hl7-v2+er7', name: 'adt.hl7' },
      { content: '%PDF-1.7', type: 'application/pdf', name: 'scan.pdf' },
    ];
    const wrapped = peers.wrapped(
      attachments,
      'office@clinic.example',
      ['To: Desk <desk@else.example>', `Cc: ${to.toUpperCase()}`],
      randomUUID(),
    );
    expect(await send(peers.enclosed('clinic', 'nobody@else.example', to, wrapped, randomUUID()))).toBe(250);
    await hub.settled();
    const messages = await stored(`source = 'clinic'`);
    expect(messages.map(({ dialect, type, state }) => [dialect, type, state])).toEqual([
      ['ccda', 'Summary', 'processed'],
      ['hl7v2', 'ADT^A08', 'processed'],
      ['unknown', 'unreadable', 'refused'],
      ['unknown', 'Direct mail', 'kept'],
    ]);
    expect(await originalOf(messages[0]!.id)).toBe(document('C1'));
  });
});

describe('a PDF in a zip of XDM', () => {
  /** A zip with a PDF, and what its metadata says of the patient. */
  const zipped = async (...patient: string[]) => {
    const packed = {
      id: randomUUID(),
      title: 'Scan <1>',
      bytes: Buffer.from('%PDF-1.7 of somebody'),
      mediaType: 'application/pdf',
      created: new Date('2026-02-03T04:05:06Z'),
    };
    const zip = await xdmZip({ id: randomUUID(), submitted: new Date(), from: dr, to, document: packed });
    const files = unzipSync(zip);
    const path = 'IHE_XDM/SUBSET01/METADATA.XML';
    const values = patient.map((one) => `<rim:Value>${one.replaceAll('&', '&amp;')}</rim:Value>`).join('');
    const slot = `<rim:Slot name="sourcePatientInfo"><rim:ValueList>${values}</rim:ValueList></rim:Slot>`;
    const coded =
      '<rim:Classification classificationScheme="urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f" nodeRepresentation="R"/>';
    const metadata = strFromU8(files[path]!).replace('<rim:Slot name="URI">', `${slot}<rim:Slot name="URI">`);
    files[path] = strToU8(metadata.replace('</rim:ExtrinsicObject>', `${coded}</rim:ExtrinsicObject>`));
    return { content: zipSync(files), type: 'application/zip', name: 'xdm.zip' };
  };

  it('is a document of the patient whom the metadata names, as any other', async () => {
    expect(await send(peers.mail('practice', dr, to, [ccda('F1')]))).toBe(250);
    const attachment = await zipped('PID-3|P-F1^^^&1.2.826.2&ISO', 'PID-5|Large^Ida', 'PID-7|19620405', 'PID-8|F');
    expect(await send(peers.mail('practice', dr, to, [attachment]))).toBe(250);
    await hub.settled();
    const [patient, ...others] = await hub.resources('Patient?identifier=P-F1');
    expect(others).toEqual([]);
    expect(patient).toMatchObject({ birthDate: '1962-04-05', gender: 'female', name: [{ family: 'Large' }] });
    const [found] = await hub.resources(`DocumentReference?patient=${patient.id}&contenttype=application/pdf`);
    expect(found).toMatchObject({
      status: 'current',
      description: 'Scan <1>',
      date: '2026-02-03T04:05:06+00:00',
      securityLabel: [{ coding: [{ code: 'R' }] }],
    });
    const pdf = await hub.get(new URL(found.content[0].attachment.url).pathname, {
      headers: { accept: 'application/pdf' },
    });
    expect(pdf.text).toBe('%PDF-1.7 of somebody');
  });

  it.each([['nobody'], ['a number of an authority that has no OID', 'PID-3|7^^^CLINIC']])(
    'that says of %s whose it is, is kept as refused',
    async (_, ...patient) => {
      expect(await send(peers.mail('practice', dr, to, [await zipped(...patient)]))).toBe(554);
    },
  );
});

describe('what is refused, and leaves nothing to process', () => {
  const bomb = async () => {
    const bytes = Buffer.alloc(2 * 1024 * 1024, ' ');
    const packed = { id: randomUUID(), title: 'Summary', bytes, mediaType: 'text/xml', created: new Date() };
    return xdmZip({ id: randomUUID(), submitted: new Date(), from: dr, to, document: packed });
  };
  const forOther = (...receivers: string[]) => peers.wrapped([ccda('X')], dr, receivers, randomUUID());
  /** A zip of XDM beside whose files there is one of this name. */
  const escaping = async (name: string) => {
    const packed = { id: randomUUID(), title: 'Summary', bytes: Buffer.from(document('X')), mediaType: 'text/xml' };
    const zip = await xdmZip({
      ...{ id: randomUUID(), submitted: new Date(), from: dr, to },
      document: { ...packed, created: new Date() },
    });
    return Buffer.from(zipSync({ ...unzipSync(zip), [name]: strToU8('evil') }));
  };
  it.each([
    ['for another mailbox', 550, () => send(peers.mail('practice', dr, to, [ccda('X')]), 'other@direct.hub.example')],
    ['from an address that nobody has', 550, () => send(peers.mail('hub', to, to, [ccda('X')]))],
    ['signed for another address', 550, () => send(peers.mail('practice', 'office@clinic.example', to, [ccda('X')]))],
    ['signed with a certificate that is not trusted', 550, () => send(peers.mail('alone', dr, to, [ccda('X')]))],
    [
      'that was signed for somebody else',
      554,
      () => send(peers.enclosed('practice', dr, to, forOther('To: desk@else.example'), randomUUID())),
    ],
    ['that was signed for nobody', 554, () => send(peers.enclosed('practice', dr, to, forOther(), randomUUID()))],
    ['without a document', 554, () => send(peers.mail('practice', dr, to, []))],
    [
      'with what is no document',
      554,
      () => send(peers.mail('practice', dr, to, [{ content: '%PDF-1.7', type: 'application/pdf' }])),
    ],
    [
      'with a zip bomb',
      554,
      async () => send(peers.mail('practice', dr, to, [{ content: await bomb(), type: 'application/zip' }])),
    ],
    ...['../../evil', '/etc/evil', 'IHE_XDM/../../evil', 'C:/evil', 'a\\..\\evil'].map((name) => [
      `with a zip that has ${name} (A28)`,
      554,
      async () => send(peers.mail('practice', dr, to, [{ content: await escaping(name), type: 'application/zip' }])),
    ]),
    ['not encrypted', 554, () => send(Buffer.from(`From: ${dr}\nMessage-ID: <1@x>\n\nHello`))],
    [
      'without a Message-ID',
      554,
      () =>
        send(
          Buffer.from(
            peers
              .mail('practice', dr, to, [ccda('X')])
              .toString()
              .replace('Message-ID', 'X-ID'),
          ),
        ),
    ],
  ] as [string, number, () => Promise<number>][])('%s', async (what, code, sent) => {
    const before = await stored(`state <> 'refused'`);
    expect(await leavingOneEvent(hub, what, sent)).toBe(code);
    expect(await stored(`state <> 'refused'`)).toEqual(before);
    const event = (await accessesOf(hub)).at(-1)!;
    const isKnown = /zip|document/.test(what);
    expect([event.who, event.status]).toEqual([isKnown ? 'site:practice' : 'unknown', code === 550 ? 403 : 400]);
    expect(event.what).toMatch(isKnown ? /^Direct mail$/ : /^Direct mail from [\da-f.:]+$/);
  });

  it('of an organisation that may not send, until it may', async () => {
    const id = randomUUID();
    const mail = peers.mail('practice', dr, to, [ccda('S1')], { id });
    const officer = { role: 'privacy-officer' };
    const require = async (requireAgreements: boolean) => {
      const { json } = await hub.get('/api/network-policy', officer);
      const policy = { model: 'opt-out', zone: 'UTC', rules: [], requireAgreements };
      const body = { version: json.version, reason: 'A test.', policy };
      expect((await hub.send('PUT', '/api/network-policy', body, officer)).status).toBe(200);
    };
    await require(true);
    expect(await send(mail)).toBe(554);
    await require(false);
    expect(await send(mail)).toBe(250);
    await hub.settled();
    expect(await hub.resources('Patient?identifier=P-S1')).toHaveLength(1);
  });
});

it('where the database does not take it, its sender is asked to try again, and then loses nothing', async () => {
  const mail = peers.mail('practice', dr, to, [ccda('D1')]);
  await hub.test.database.query('ALTER TABLE direct_mail RENAME TO direct_mail_away');
  expect(await send(mail)).toBe(451);
  await hub.test.database.query('ALTER TABLE direct_mail_away RENAME TO direct_mail');
  expect(await send(mail)).toBe(250);
  await hub.settled();
  expect(await hub.resources('Patient?identifier=P-D1')).toHaveLength(1);
  const { rows } = await hub.test.database.query(
    `SELECT documents FROM direct_mail WHERE digest IS NOT NULL ORDER BY received DESC LIMIT 1`,
  );
  expect((await stored(`id = '${rows[0]!.documents[0]}'`)).map(({ state }) => state)).toEqual(['processed']);
});

/** A change of direct_mail fails while this is awaited. */
async function failing(change: 'INSERT' | 'UPDATE', whileSo: () => Promise<void>): Promise<void> {
  const { database } = hub.test;
  await database.query(`CREATE OR REPLACE FUNCTION refuse_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'not now'; END $$`);
  await database.query(`CREATE TRIGGER refused BEFORE ${change} ON direct_mail EXECUTE FUNCTION refuse_note()`);
  await whileSo();
  await database.query('DROP TRIGGER refused ON direct_mail');
}

/** What the hub wrote to somebody, as openssl opens and verifies it, with the headers around it. */
const told = (address: string) =>
  mails.got
    .filter(({ to: [first] }) => first === address)
    .map(({ raw, from }) => ({
      from,
      headers: raw.slice(0, raw.indexOf('\r\n\r\n')),
      content: peers.opened('practice', raw),
    }));
const owed = async () => (await hub.test.database.query('SELECT attempts FROM direct_notice')).rows;
const nothingOwed = () => vi.waitFor(async () => expect(await owed()).toEqual([]), { timeout: 30_000, interval: 50 });

it.each(['INSERT', 'UPDATE'] as const)(
  'where its documents were taken and that could not be noted (%s), a mail comes again and nothing is doubled',
  async (change) => {
    const [id, patient] = [randomUUID(), `G-${change}`];
    const mail = peers.mail('practice', dr, to, [ccda(patient)], { id });
    const before = await stored('true');
    await failing(change, async () => expect([await send(mail), await send(mail)]).toEqual([451, 451]));
    expect([await send(mail), await send(mail)]).toEqual([250, 250]);
    await hub.settled();
    expect((await stored('true')).slice(before.length).map(({ dialect }) => dialect)).toEqual(['ccda', 'unknown']);
    expect(await hub.resources(`Patient?identifier=P-${patient}`)).toHaveLength(1);
    await nothingOwed();
    expect(told(dr).filter(({ content }) => content.includes(`<${id}@practice.example>`))).toHaveLength(1);
  },
);

describe('what is told of mail', () => {
  it('that it was taken, and where its sender asks, that it came to whom it was for; once, by signed mail', async () => {
    mails.got.length = 0;
    const [id, asking] = [randomUUID(), randomUUID()];
    const options = 'Disposition-Notification-Options: X-DIRECT-FINAL-DESTINATION-DELIVERY=optional,true';
    const mail = peers.mail('practice', dr, to, [ccda('N1')], { id });
    mails.refuse = 450;
    expect([await send(mail), await send(mail)]).toEqual([250, 250]);
    mails.refuse = undefined;
    // What the mail server did not take is owed, and tried again.
    await vi.waitFor(async () => expect(await owed()).toMatchObject([{ attempts: 1 }]), {
      timeout: 30_000,
      interval: 50,
    });
    await hub.test.database.query('UPDATE direct_notice SET next_attempt = now()');
    expect(await send(peers.mail('practice', dr, to, [ccda('N2')], { id: asking, headers: [options] }))).toBe(250);
    await nothingOwed();
    const reports = told(dr);
    const said = (original: string) =>
      reports
        .filter(({ content }) => content.includes(`Original-Message-ID: <${original}@practice.example>`))
        .map(({ content }) => /Disposition: (.*)\r/.exec(content)?.[1]);
    expect(said(id)).toEqual(['automatic-action/MDN-sent-automatically; processed']);
    expect(said(asking)).toEqual([
      'automatic-action/MDN-sent-automatically; processed',
      'automatic-action/MDN-sent-automatically; dispatched',
    ]);
    expect(reports.every(({ from }) => from === '')).toBe(true);
    expect(reports[0]!.headers).toMatch(/^From: hub@direct\.hub\.example\r\nTo: dr@practice\.example/);
  });

  /** A delivery that was handed to the mail server. */
  async function handedOver(minutesAgo = 0, route = 'direct'): Promise<string> {
    const id = newId();
    await hub.test.database.query(
      `INSERT INTO delivery (id, created, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
         focus_version, recipient, recipient_home, round, state, next_attempt)
       VALUES ($1, now(), 'clinic', $3, 'ccda', 'new', 'discharge-summary', 1, 'lab', $1, 1, $1, 1, $1, 1, 1, 'accepted',
         now() - $2 * interval '1 minute')`,
      [id, minutesAgo, route],
    );
    return id;
  }
  const stateOf = async (id: string) =>
    (await hub.test.database.query('SELECT state, last_error FROM delivery WHERE id = $1', [id])).rows[0];
  const report = (disposition: string, delivery: string) =>
    [
      'Content-Type: multipart/report; report-type=disposition-notification; boundary=r\n\n--r\n\nRead.\n--r',
      'Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;office@clinic.example',
      `Original-Message-ID: <${delivery}@direct.hub.example>\nDisposition: automatic-action/MDN-sent-automatically;${disposition}\n\n--r--\n`,
    ].join('\n');
  const answer = (signer: string, from: string, disposition: string, delivery: string) =>
    send(peers.enclosed(signer, from, to, report(disposition, delivery), randomUUID()));

  it('settles a delivery, where its receiver says it and nobody else', async () => {
    const [one, other] = [await handedOver(), await handedOver()];
    expect(await answer('practice', dr, 'processed', one)).toBe(250);
    expect((await stateOf(one))?.state).toBe('accepted');
    const office = 'office@clinic.example';
    expect(await answer('clinic', office, 'processed', one)).toBe(250);
    expect((await stateOf(one))?.state).toBe('delivered');
    expect(await answer('clinic', office, 'failed', other)).toBe(250);
    expect(await stateOf(other)).toMatchObject({ state: 'dead', last_error: expect.stringContaining('not taken') });
    // On its way from the receiver's server to the reader it may fail still.
    await answer('clinic', office, 'failed', one);
    expect((await stateOf(one))?.state).toBe('dead');
  });

  it('settles what was sent to its own address alone, not what went to another of the organisation', async () => {
    const [office, lab] = ['office@clinic.example', 'lab@clinic.example'];
    const [toOffice, toLab] = [await handedOver(), await handedOver(0, 'other')];
    expect(await answer('clinic', lab, 'failed', toOffice)).toBe(250);
    expect(await answer('clinic', office, 'processed', toLab)).toBe(250);
    expect([(await stateOf(toOffice))?.state, (await stateOf(toLab))?.state]).toEqual(['accepted', 'accepted']);
    expect(await answer('clinic', lab, 'processed', toLab)).toBe(250);
    await answer('clinic', office, 'failed', toLab);
    expect((await stateOf(toLab))?.state).toBe('delivered');
    // What names no delivery is taken all the same.
    expect(await answer('clinic', lab, 'processed', '-'.repeat(36))).toBe(250);
  });

  it('is missed in time, and that is told once', async () => {
    const [late, fresh] = [await handedOver(2), await handedOver()];
    const notices = async () =>
      (await hub.test.database.query(`SELECT about FROM notice WHERE kind = 'direct-unanswered'`)).rows;
    await vi.waitFor(async () => expect(await notices()).toEqual([{ about: { destination: 'clinic', count: 1 } }]), {
      timeout: 30_000,
      interval: 50,
    });
    expect(await stateOf(late)).toMatchObject({
      state: 'accepted',
      last_error: expect.stringContaining('not said in time'),
    });
    expect((await stateOf(fresh))?.last_error).toBeNull();
    await answer('clinic', 'office@clinic.example', 'dispatched', late);
    expect((await stateOf(late))?.state).toBe('delivered');
    expect(await notices()).toHaveLength(1);
  });
});

it.each([
  ['it was taken', 250],
  ['it could not be noted, and never came again', 451],
])('an erasure takes the mail too in which the document of a person came (%s)', async (_, code) => {
  const id = `E-${code}`;
  const before = await stored('true');
  const mail = peers.mail('practice', dr, to, [ccda(id), { content: 'about them', type: 'text/plain' }]);
  const sending = async () => expect(await send(mail)).toBe(code);
  await (code === 250 ? sending() : failing('UPDATE', sending));
  await hub.settled();
  const ids = (await stored('true')).slice(before.length).map((one) => one.id as string);
  const [patient] = await hub.resources(`Patient?identifier=P-${id}`);
  const officer = async (who: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${await hub.token('privacy-officer', who)}` };
    return hub.send('POST', path, body, { headers });
  };
  const asked = { patient: patient.id, extent: 'person', legalBasis: 'GDPR art. 17', reason: 'Asked for in writing.' };
  const left = async () => (await stored(`id = ANY('{${ids}}') AND (sealing_key IS NOT NULL OR body <> '')`)).length;
  expect(await left()).toBe(3);
  const { status, json } = await officer('first', '/api/erasures', asked);
  expect(status).toBe(201);
  expect((await officer('second', `/api/erasures/${json.id}/confirm`, {})).status).toBe(202);
  await vi.waitFor(async () => expect(await left()).toBe(0), { timeout: 30_000, interval: 50 });
});
