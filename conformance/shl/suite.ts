/**
 * Suite `shl`: links of a hub, encrypted as the pages do it, opened by a reader that was written apart from it in Go
 * (`reader.go`, its standard library alone): what is shared arrives, and guesses, reuse, expired and revoked links are
 * answered as the specification of SMART Health Links says.
 */
import { strict as assert } from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CompactEncrypt } from 'jose';
import { newId } from '../../hub/record/index.ts';
import { Accounts, Bindings } from '../../hub/trust/index.ts';
import { runGo } from '../go.ts';
import { type AskedHub, startAskedHub } from '../requirement-rows/hub.ts';
import { type SuiteResult, Verdicts } from '../result.ts';

const contentType = 'application/fhir+json';
const password = 'a-password-of-theirs';
const patient = 'shared';
const small = JSON.stringify({ resourceType: 'Basic', code: { text: 'ü' } });
const large = JSON.stringify({ resourceType: 'Basic', code: { text: randomBytes(200_000).toString('base64') } });

interface Question {
  link: string;
  recipient: string;
  passcode?: string;
  embeddedLengthMax?: number;
  twice?: boolean;
}

interface Outcome {
  status: number;
  type: string;
  remainingAttempts?: number;
  retryAfter?: string;
  label?: string;
  files?: { contentType: string; sha256: string; embedded: boolean; again?: number }[];
  error?: string;
}

interface Made {
  id: string;
  link: string;
  key: Buffer;
}

class Sharing {
  readonly hub: AskedHub;
  readonly #cookie: string;

  private constructor(hub: AskedHub, cookie: string) {
    this.hub = hub;
    this.#cookie = cookie;
  }

  /** A hub with a patient whose account makes links. */
  static async begin(): Promise<Sharing> {
    const hub = await startAskedHub();
    const resource = { resourceType: 'Patient', id: patient, name: [{ family: 'Shared' }] };
    assert.equal((await hub.send('PUT', `/fhir/Patient/${patient}`, resource)).status, 201);
    const account = { username: 'pat', name: 'Pat', role: 'patient', organization: 'Clinic' } as const;
    await new Accounts(hub.database).make(account, password);
    const evidence = { proofing: 'in-person', evidence: 'x', by: 'x', until: undefined } as const;
    await new Bindings(hub.database).bind({ ...evidence, id: newId(), username: 'pat', patient, relation: 'self' });
    const answer = await hub.send('POST', '/auth/login', { username: 'pat', password }, { role: null });
    return new Sharing(hub, answer.headers.get('set-cookie')!.split(';')[0]!);
  }

  async make(texts: readonly string[], more: object = {}): Promise<Made> {
    const made = await this.#as('POST', '', { label: 'Für unterwegs', ...more });
    assert.equal(made.status, 201, made.text);
    const key = randomBytes(32);
    const { id, url } = made.json;
    await this.fill({ id, key }, texts);
    const { flag } = more as { flag?: string };
    const payload = { url, key: key.toString('base64url'), label: 'Für unterwegs', ...(flag ? { flag } : {}) };
    const link = `https://viewer.example/#shlink:/${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
    return { id, key, link };
  }

  async fill({ id, key }: Pick<Made, 'id' | 'key'>, texts: readonly string[]): Promise<void> {
    const files = await Promise.all(texts.map(async (text) => ({ contentType, jwe: await encrypted(text, key) })));
    const { status, text } = await this.#as('PUT', `/${id}/files`, { files });
    assert.equal(status, 204, text);
  }

  async revoke({ id }: Made): Promise<void> {
    assert.equal((await this.#as('DELETE', `/${id}`)).status, 204);
  }

  #as(method: string, path: string, body?: object) {
    const headers = { cookie: this.#cookie, 'sec-fetch-site': 'same-origin' };
    return this.hub.send(method, `/api/patients/${patient}/health-links${path}`, body, { role: null, headers });
  }
}

function encrypted(text: string, key: Buffer): Promise<string> {
  return new CompactEncrypt(Buffer.from(text))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: contentType, zip: 'DEF' })
    .encrypt(key);
}

export async function runShl(): Promise<SuiteResult> {
  const verdicts = new Verdicts();
  const sharing = await Sharing.begin();
  try {
    await openedLinks(sharing, verdicts);
    await endedLinks(sharing, verdicts);
  } finally {
    await sharing.hub.stop();
  }
  return verdicts.result;
}

async function openedLinks(sharing: Sharing, verdicts: Verdicts): Promise<void> {
  const both = await sharing.make([small, large]);
  const direct = await sharing.make([small], { flag: 'U' });
  const guarded = await sharing.make([small], { flag: 'P', passcode: 'right' });
  const long = await sharing.make([small], { flag: 'L' });
  const recipient = 'Go';
  const ask = (link: string, more: Partial<Question> = {}): Question => ({ link, recipient, ...more });
  const other = changedKey(both);
  const [embedded, located, mixed, one, none, wrong, right, before, otherKey] = await open(
    ask(both.link, { embeddedLengthMax: 1_000_000 }),
    ask(both.link, { embeddedLengthMax: 0, twice: true }),
    ask(both.link, { embeddedLengthMax: 1_000 }),
    ask(direct.link),
    ask(guarded.link),
    ask(guarded.link, { passcode: 'wrong' }),
    ask(guarded.link, { passcode: 'right' }),
    ask(long.link),
    ask(other),
  );
  const says = (id: string, got: Outcome | undefined, wanted: object) =>
    verdicts.check(id, () => differing(got, wanted));
  const files = (isEmbedded: [boolean, boolean], more: object = {}) => [
    { contentType, sha256: sha256(small), embedded: isEmbedded[0], ...more },
    { contentType, sha256: sha256(large), embedded: isEmbedded[1], ...more },
  ];
  says('what is embedded arrives', embedded, { status: 200, files: files([true, true]), label: 'Für unterwegs' });
  says('what is located arrives, and is got once', located, {
    status: 200,
    files: files([false, false], { again: 404 }),
  });
  says('what is longer than asked for is located', mixed, { status: 200, files: files([true, false]) });
  says('one file is got directly', one, {
    status: 200,
    files: [{ contentType, sha256: sha256(small), embedded: false }],
  });
  says('no passcode is asked for', none, { status: 401, remainingAttempts: 10 });
  says('a wrong passcode is counted', wrong, { status: 401, remainingAttempts: 9 });
  says('a right passcode opens', right, { status: 200 });
  says('a long-term link says when to ask again', before, { status: 200, retryAfter: '60' });
  verdicts.check('another key opens nothing', () => ({
    reasons: /authentication failed/.test(otherKey?.error ?? '') ? [] : [JSON.stringify(otherKey)],
  }));
  await sharing.fill(long, [large]);
  const [after] = await open(ask(long.link));
  says('a long-term link is brought up to date under the same key', after, {
    status: 200,
    files: [{ contentType, sha256: sha256(large), embedded: after?.files?.[0]?.embedded }],
  });
}

async function endedLinks(sharing: Sharing, verdicts: Verdicts): Promise<void> {
  const { database } = sharing.hub;
  const guessed = await sharing.make([small], { flag: 'P', passcode: 'right' });
  const expired = await sharing.make([small], { expires: new Date(Date.now() + 3_600_000).toISOString() });
  const revoked = await sharing.make([small]);
  const often = await sharing.make([small]);
  const guesses = Array.from({ length: 12 }, (_, i) => ({
    link: guessed.link,
    recipient: 'Go',
    passcode: `guess ${i}`,
  }));
  const found = await open(...guesses, { link: guessed.link, recipient: 'Go', passcode: 'right' });
  verdicts.check('guesses are counted down to none, and then the link is over', () => {
    const told = found.map(({ status, remainingAttempts }) => (status === 401 ? remainingAttempts : `${status}`));
    const wanted = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, '404', '404', '404'];
    return { reasons: JSON.stringify(told) === JSON.stringify(wanted) ? [] : [JSON.stringify(told)] };
  });
  await database.query(`UPDATE health_link SET expires = now() - interval '1 second' WHERE id = $1`, [expired.id]);
  await sharing.revoke(revoked);
  const [late, ended] = await open({ link: expired.link, recipient: 'Go' }, { link: revoked.link, recipient: 'Go' });
  for (const [name, got] of [
    ['an expired', late],
    ['a revoked', ended],
  ] as const)
    verdicts.check(`${name} link is not there`, () => differing(got, { status: 404 }));
  const many = await open(...Array.from({ length: 62 }, () => ({ link: often.link, recipient: 'Go' })));
  verdicts.check('a link that is asked too often says when to come back', () => {
    const refused = many.filter(({ status }) => status === 429);
    const isTold = refused.length > 0 && refused.every(({ retryAfter }) => Number(retryAfter) > 0);
    return { reasons: isTold ? [] : [JSON.stringify(refused)] };
  });
}

async function open(...questions: Question[]): Promise<Outcome[]> {
  return (await runGo(join(import.meta.dirname, 'reader.go'), questions)) as Outcome[];
}

/** What of an outcome is other than it has to be. */
function differing(got: Outcome | undefined, wanted: object): { reasons: string[] } {
  const reasons = Object.entries(wanted).flatMap(([name, value]) => {
    const has = got?.[name as keyof Outcome];
    return JSON.stringify(has) === JSON.stringify(value)
      ? []
      : [`${name}: ${JSON.stringify(has)}, ${got?.error ?? ''}`];
  });
  return { reasons };
}

function changedKey({ link, key }: Made): string {
  const [head, encoded] = link.split('shlink:/') as [string, string];
  const payload = JSON.parse(Buffer.from(encoded, 'base64url').toString());
  const other = Buffer.from(key);
  other[0]! ^= 1;
  const changed = { ...payload, key: other.toString('base64url') };
  return `${head}shlink:/${Buffer.from(JSON.stringify(changed)).toString('base64url')}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
