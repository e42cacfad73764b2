/** Direct mail by certificates that their authority revoked, or of which that cannot be learned now. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { DirectPeers, sendMail } from '../direct/testing.ts';
import { Direct, MailError } from '../mail/index.ts';
import { type TestMailServer, testMailServer } from '../mail/testing.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { leavingOneEvent, startAttackedHub } from '../testing-attacks.ts';
import { CertificateRevocation } from './certificate-revocation.ts';
import { revocationOf } from './certificate-trust.ts';
import { RevocationSources } from './revocation-sources.ts';
import { TestHolder } from './udap/testing.ts';
import { TestRevocation } from './udap/testing-revocation.ts';
import { X509Certificate } from './udap/x509.ts';

const to = 'hub@direct.hub.example';
const dr = 'dr@practice.example';
/** Whom no hub of these tests notifies by itself. */
const office = 'office@practice.example';
const peers = new DirectPeers();
let service: TestRevocation;
let mails: TestMailServer;
let hub: TestHub;
let own: { directAddress: string; directCertificate: string; directKey: string; directPort: number };

beforeAll(async () => {
  service = await TestRevocation.start(await anchor());
  const named = [
    `crlDistributionPoints=URI:${service.url}/list.crl`,
    `authorityInfoAccess=caIssuers;URI:${service.url}/issuer`,
  ];
  peers.issue('hub', `email:${to}`);
  for (const name of ['good', 'bad', 'later']) peers.issue(name, 'DNS:practice.example', false, named);
  service.revoked.add(holder('bad'));
  mails = await testMailServer();
  own = {
    directAddress: to,
    directCertificate: peers.path('hub.pem'),
    directKey: peers.path('rsa.key'),
    directPort: 0,
  };
  hub = await started(startAttackedHub);
});
afterAll(async () => {
  await hub?.stop();
  await mails?.close();
  service?.stop();
  peers.remove();
});
beforeEach(() => {
  service.state = 'answers';
});

async function started(start: typeof startTestHub): Promise<TestHub> {
  const smtp = { smtpHost: 'localhost', smtpPort: mails.port, smtpCa: mails.ca, mailFrom: 'hub@hub.example' };
  const made = await start({ ...smtp, ...own, keysFrom: [service.url] });
  const direct = { senders: ['practice.example'], trust: peers.anchor };
  const body = { name: 'Practice', kind: 'practice', transport: { direct } };
  expect((await made.send('PUT', '/api/participants/practice', body)).status).toBe(200);
  return made;
}

/** The authority of the peers, as a test's revocation lists are signed. */
async function anchor(): Promise<TestHolder> {
  const pem = readFileSync(peers.path('anchor.key'));
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const privateKey = await crypto.subtle.importKey('pkcs8', new Uint8Array(der), algorithm, true, ['sign']);
  return holder('anchor', { privateKey } as CryptoKeyPair);
}

function holder(name: string, keys = {} as CryptoKeyPair): TestHolder {
  return new TestHolder(new X509Certificate(readFileSync(peers.path(`${name}.pem`), 'utf8')), keys, 'ES256', []);
}

const document = `<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.826.1" extension="R1"/>
<code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><title>Summary</title><effectiveTime value="20240301101500+0000"/>
<recordTarget><patientRole><id root="1.2.826.2" extension="P-R1"/><patient><name><given>Ida</given><family>Large</family></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="19620405"/></patient></patientRole></recordTarget>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.826.3"/><name>Practice</name></representedCustodianOrganization></assignedCustodian></custodian>
<component><nonXMLBody><text mediaType="text/plain" representation="B64">YQ==</text></nonXMLBody></component></ClinicalDocument>`;
const from = (signer: string) =>
  sendMail(hub.directPort, to, peers.mail(signer, dr, to, [{ content: document, type: 'text/xml' }]));
const messages = async () => (await hub.test.database.query('SELECT 1 FROM message')).rows.length;

it('signed with a revoked certificate is refused, and one event tells of it', async () => {
  expect(await leavingOneEvent(hub, 'revoked', () => from('bad'))).toBe(550);
  expect(await messages()).toBe(0);
});

it('is to be sent again where nobody tells now, which the status shows; and is taken where it is told', async () => {
  service.state = 'fails';
  // One that has read the list before goes on by it.
  const other = await started(startTestHub);
  try {
    const mail = peers.mail('later', dr, to, [{ content: document, type: 'text/xml' }]);
    expect(await sendMail(other.directPort, to, mail)).toBe(451);
    expect((await other.get('/api/status')).json.revocationSilent).toMatchObject([
      { address: `${service.url}/list.crl` },
    ]);
  } finally {
    await other.stop();
  }
  service.state = 'answers';
  expect(await from('good')).toBe(250);
  expect(await messages()).toBe(2);
});

it('is not written to a certificate that is revoked, and later where nobody tells', async () => {
  let sources = new RevocationSources([service.url], pino({ level: 'silent' }));
  const direct = new Direct(mails.mailer(), own, (certificates) =>
    revocationOf(certificates, new CertificateRevocation({ rule: 'named', lists: [], sources })),
  );
  const id = '5f0c1d2e-3b4a-4958-8776-655443322110';
  const packed = { id, title: 'Summary', bytes: Buffer.from(document), mediaType: 'text/xml', created: new Date() };
  const send = (name: string) =>
    direct.send(
      { id, created: new Date(), document: packed },
      { address: office, certificate: peers.path(`${name}.pem`) },
    );
  service.state = 'fails';
  const later = (await send('later').catch((error) => error)) as MailError;
  expect([later instanceof MailError, later.isFinal, later.message]).toMatchObject([
    true,
    false,
    expect.stringContaining('cannot be learned now'),
  ]);
  sources.close();
  service.state = 'answers';
  sources = new RevocationSources([service.url], pino({ level: 'silent' }));
  const bad = (await send('bad').catch((error) => error)) as MailError;
  expect([bad.isFinal, bad.message]).toEqual([
    true,
    'The receiver is not written to: the certificate of CN=bad is revoked.',
  ]);
  const notification = { id, created: new Date(), original: 'a@b', disposition: 'processed' as const };
  await expect(direct.notify(notification, office, readFileSync(peers.path('bad.pem'), 'utf8'))).rejects.toThrow(
    'is revoked',
  );
  expect(mails.got.filter(({ to: [address] }) => address === office)).toHaveLength(0);
  await send('good');
  sources.close();
  expect(mails.got.filter(({ to: [address] }) => address === office)).toHaveLength(1);
});
