/**
 * What somebody could send to do harm. Each request is answered within bounded time, with an OperationOutcome where it
 * is refused, and the hub serves on, with what it holds untouched.
 */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, Json } from '../testing.ts';
import { type AttackedHub, startAttackedHub } from '../testing-attacks.ts';

const mega = 1024 * 1024;
const longestMs = 5_000;
/** What one request may leave in memory at its end, bodies of many megabytes included. */
const largestGrowth = 1_500 * mega;
const json = { 'content-type': 'application/fhir+json' };
const xml = { 'content-type': 'application/fhir+xml' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const jsonPatch = { 'content-type': 'application/json-patch+json' };
const patient = '{"resourceType":"Patient","id":"kept","name":[{"family":"Kept"}]}';
const sql = [
  "'; DROP TABLE resource; --",
  "' OR '1'='1",
  "\\'; SELECT pg_sleep(60); --",
  '$1',
  '1); DELETE FROM resource; --',
  "') UNION SELECT version()--",
];

let hub: AttackedHub;
beforeAll(async () => {
  const importFrom = ['https://files.example.org/exports/'];
  hub = await startAttackedHub({ messageBytes: 16 * mega, bundleBytes: 32 * mega, importFrom });
  await hub.send('PUT', '/fhir/Patient/kept', patient, { headers: json });
});
afterAll(() => hub.stop());

afterEach(async () => {
  const kept = await hub.get('/fhir/Patient/kept');
  expect([kept.status, kept.json.name]).toEqual([200, [{ family: 'Kept' }]]);
  expect((await hub.get('/fhir/Patient?family=kept&_total=accurate')).json.total).toBe(1);
});

/** Sends, and fails where the answer comes too late, is a fault, or costs too much. */
async function bounded(method: string, path: string, body?: string | Buffer, headers = {}): Promise<Answer> {
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const answer = await hub.send(method, path, body, { headers });
  expect(performance.now() - start).toBeLessThan(longestMs);
  expect(process.memoryUsage().rss - before).toBeLessThan(largestGrowth);
  const shown = `${method} ${path.slice(0, 100)} ${answer.status} ${answer.text.slice(0, 300)}`;
  expect(answer.status, shown).toBeLessThan(500);
  if (answer.status >= 400 && !path.includes('$graphql'))
    expect(answer.json?.resourceType, shown).toBe('OperationOutcome');
  return answer;
}

async function refused(method: string, path: string, body?: string | Buffer, headers = {}): Promise<Answer> {
  const answer = await bounded(method, path, body, headers);
  const shown = `${method} ${path.slice(0, 200)} ${answer.status} ${answer.text.slice(0, 300)}`;
  expect(answer.status, shown).toBeGreaterThanOrEqual(400);
  expect(answer.text.length, shown).toBeLessThan(100_000);
  return answer;
}

/** Writes bytes as they are to the hub and resolves with all that comes back. */
async function raw(bytes: string | Buffer): Promise<string> {
  const { port } = new URL(hub.url);
  const socket = connect(Number(port), '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => (answer += data.toString('latin1')));
  socket.on('error', () => {});
  socket.write(bytes);
  socket.setTimeout(longestMs, () => socket.destroy(new Error('No answer in time.')));
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return answer;
}

const create = (text: string | Buffer, headers = json) => refused('POST', '/fhir/Patient', text, headers);

describe('JSON', () => {
  it.each([
    ['arrays 100 000 deep', `{"resourceType":"Patient","name":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['objects 100 000 deep', `${'{"extension":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['brackets without an end', '['.repeat(10 * mega)],
    ['a string of 10 MB where a code belongs', `{"resourceType":"Patient","gender":"${'a'.repeat(10 * mega)}"}`],
    ['a million keys', `{"resourceType":"Patient",${Array.from({ length: mega }, (_, i) => `"k${i}":1`).join(',')}}`],
    ['a million array members', `{"resourceType":"Patient","name":[${'1,'.repeat(mega)}1]}`],
    ['a key of 10 MB', `{"resourceType":"Patient","${'k'.repeat(10 * mega)}":1}`],
    ['a type of 10 MB', `{"resourceType":"${'P'.repeat(10 * mega)}"}`],
    ['__proto__', '{"resourceType":"Patient","__proto__":{"polluted":true}}'],
    ['constructor', '{"resourceType":"Patient","constructor":{"prototype":{"polluted":true}}}'],
    ['__proto__ as a type', '{"resourceType":"__proto__"}'],
    ['__proto__ within', '{"resourceType":"Patient","name":[{"__proto__":{"polluted":true}}]}'],
    ['toString', '{"resourceType":"Patient","toString":"x"}'],
    ['duplicate keys', '{"resourceType":"Patient","gender":"male","gender":"female"}'],
    ['a duplicate key written in two ways', '{"resourceType":"Patient","gender":"male","g\\u0065nder":"female"}'],
    ['two types', '{"resourceType":"Patient","resourceType":"Practitioner"}'],
    ['bytes that are not UTF-8', Buffer.from('{"resourceType":"Patient","language":"\xff\xfe"}', 'latin1')],
    ['an overlong encoding', Buffer.from([...Buffer.from('{"language":"'), 0xc0, 0xaf, ...Buffer.from('"}')])],
    ['UTF-16', Buffer.from('{"resourceType":"Patient"}', 'utf16le')],
    ['a lone surrogate', '{"resourceType":"Patient","name":[{"family":"\\ud800"}]}'],
    ['U+0000', '{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}'],
    ['U+0000 as it is', '{"resourceType":"Patient","name":[{"family":"a\u0000b"}]}'],
    ['an integer of 10 000 digits', `{"resourceType":"Patient","multipleBirthInteger":${'9'.repeat(10_000)}}`],
    ['1e400 as an integer', '{"resourceType":"Patient","multipleBirthInteger":1e400}'],
    ['NaN', '{"resourceType":"Patient","multipleBirthInteger":NaN}'],
    ['nothing', ' '],
    ['an array', '[]'],
    ['null', 'null'],
    ['two values', `${patient}${patient}`],
    ['an id that climbs', '{"resourceType":"Patient","id":"../../etc/passwd"}'],
    ['an id too long', `{"resourceType":"Patient","id":"${'a'.repeat(65)}"}`],
  ])('%s', async (_, text) => {
    await create(text);
    expect(({} as Json).polluted).toBeUndefined();
  });

  it('decimals keep their digits or are refused, and neither breaks a search', async () => {
    for (const value of ['1e400', '-1e400', '1e-400', '0.'.padEnd(10_000, '7'), '9'.repeat(10_000), '1E+999999999']) {
      const text = `{"resourceType":"Observation","status":"final","code":{"text":"n"},"valueQuantity":{"value":${value},"code":"mg","system":"http://unitsofmeasure.org"}}`;
      const made = await bounded('POST', '/fhir/Observation', text, json);
      if (made.status === 201) expect(made.text).toContain(value);
      for (const prefix of ['', 'gt', 'lt', 'ap', 'ne'])
        await bounded('GET', `/fhir/Observation?value-quantity=${prefix}${encodeURIComponent(value)}||mg`);
    }
  });

  it('a long narrative and long texts are stored, or refused with their limit', async () => {
    const long = 'ä '.repeat(mega);
    await bounded('POST', '/fhir/Patient', `{"resourceType":"Patient","name":[{"text":"${long}"}]}`, json);
    const div = `<div xmlns=\\"http://www.w3.org/1999/xhtml\\">${'<b>'.repeat(100_000)}</div>`;
    await create(`{"resourceType":"Patient","text":{"status":"generated","div":"${div}"}}`);
  });
});

describe('XML', () => {
  const wrap = (inner: string) => `<Patient xmlns="http://hl7.org/fhir">${inner}</Patient>`;
  const laughs = Array.from({ length: 10 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  it.each([
    ['a billion laughs', `<!DOCTYPE x [<!ENTITY l0 "lol">${laughs}]>${wrap('<language value="&l10;"/>')}`],
    ['an outer entity', `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${wrap('<language value="&e;"/>')}`],
    ['an outer DTD', `<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">${wrap('')}`],
    ['an unknown entity', wrap('<language value="&lol;"/>')],
    ['elements 100 000 deep', wrap(`${'<extension>'.repeat(100_000)}${'</extension>'.repeat(100_000)}`)],
    ['tags without an end', wrap('<a>'.repeat(mega))],
    ['an attribute of 10 MB', wrap(`<gender value="${'a'.repeat(10 * mega)}"/>`)],
    ['100 000 attributes', wrap(`<gender ${Array.from({ length: 100_000 }, (_, i) => `a${i}="1"`).join(' ')}/>`)],
    ['a character that XML has not', wrap('<language value="&#0;"/>')],
    ['a surrogate', wrap('<language value="&#xD800;"/>')],
    ['__proto__', wrap('<__proto__ value="1"/>')],
    ['a CDATA without an end', wrap('<![CDATA[')],
    ['a comment without an end', `<!--${'-'.repeat(mega)}`],
  ])('%s', async (_, text) => {
    const answer = await create(text, xml);
    expect(answer.text).not.toContain('root:');
  });

  it.each([
    ['a billion laughs', `<!ENTITY l0 "lol">${laughs}`, '&l10;'],
    ['an outer entity', '<!ENTITY e SYSTEM "file:///etc/passwd">', '&e;'],
  ])('%s in a C-CDA document', async (_, entities, title) => {
    const document = `<!DOCTYPE x [${entities}]><ClinicalDocument xmlns="urn:hl7-org:v3"><title>${title}</title></ClinicalDocument>`;
    for (const path of ['/ccda', '/inbox']) {
      const answer = await hub.send('POST', path, document, { headers: { 'content-type': 'text/xml' } });
      expect([path, answer.status]).toEqual([path, 422]);
      expect(answer.text).not.toContain('root:');
    }
  });
});

describe('narratives with scripts', () => {
  it.each([
    '<script>alert(1)</script>',
    '<p onclick="x()">a</p>',
    '<a href="javascript:x()">a</a>',
    '<img src="data:text/html,x"/>',
    '<iframe src="https://example.org"/>',
  ])('%s', async (inner) => {
    const div = `<div xmlns="http://www.w3.org/1999/xhtml">${inner}</div>`;
    await create(JSON.stringify({ resourceType: 'Patient', text: { status: 'generated', div } }));
    const text = `<text><status value="generated"/>${div}</text>`;
    await create(`<Patient xmlns="http://hl7.org/fhir">${text}</Patient>`, xml);
  });
});

describe('addresses that lead elsewhere', () => {
  it('files of an import are fetched from where the operator allows it alone', async () => {
    for (const url of [
      'http://127.0.0.1:1/a.ndjson',
      'http://169.254.169.254/latest',
      'file:///etc/passwd',
      'https://files.example.org/exportsx/a',
      'https://files.example.org/exports/../secret',
      'https://files.example.org.evil.example/exports/a',
      'https://files.example.org@evil.example/exports/a',
    ]) {
      const body = JSON.stringify({ input: [{ type: 'Patient', url }] });
      const headers = { 'content-type': 'application/json', accept: 'application/json', prefer: 'respond-async' };
      const answer = await refused('POST', '/fhir/$import', body, headers);
      expect([url, answer.status]).toEqual([url, 403]);
    }
  });

  it('no health link is opened in the hub’s own network', async () => {
    for (const url of [
      `${hub.url}/shl/x`,
      'https://127.0.0.1/x',
      'https://2130706433/x',
      'https://[::ffff:127.0.0.1]/x',
      'https://169.254.169.254/x',
    ]) {
      const answer = await hub.send('POST', '/api/health-link-relay', { url, body: { recipient: 'x' } });
      expect([url, answer.status]).toEqual([url, 502]);
    }
  });

  it('a connector that an administrator tries in vain leaves one event', async () => {
    const made = await hub.send('PUT', '/api/participants/away', { name: 'Away', kind: 'hospital' });
    expect(made.status, made.text).toBe(200);
    const settings = { url: 'https://127.0.0.1:1/fhir', types: ['Patient'], sign: 'none' };
    const asked = { participant: 'away', kind: 'fhir', settings };
    expect((await hub.send('POST', '/api/connectors/preview', asked)).status).toBe(422);
  });
});

describe('formats and encodings', () => {
  it('gzip and other codings of a body, bombs among them, are refused unread', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * mega, ' '));
    for (const coding of ['gzip', 'deflate', 'br', 'gzip, gzip', 'nonsense'])
      await refused('POST', '/fhir/Patient', bomb, { ...json, 'content-encoding': coding });
  });

  it('a Content-Type that is not read, or none that can be understood', async () => {
    for (const type of [
      'text/plain',
      'image/png',
      'application/json; charset=utf-16',
      'multipart/form-data',
      'x',
      '/',
    ]) {
      for (const path of ['/fhir/Patient', '/fhir', '/fhir/Patient/$validate', '/fhir/Patient/_search'])
        await bounded('POST', path, patient, { 'content-type': type });
    }
    expect((await refused('POST', '/fhir/Patient', patient, { 'content-type': 'text/plain' })).status).toBe(415);
  });

  it('a body larger than the limit', async () => {
    expect((await create(Buffer.alloc(17 * mega, ' '))).status).toBe(413);
    expect((await refused('POST', '/fhir', Buffer.alloc(33 * mega, ' '), json)).status).toBe(413);
  });
});

describe('patches', () => {
  const path = (pointer: string) => `[{"op":"add","path":"${pointer}","value":{"polluted":true}}]`;
  const fhirPatch = (...part: Json[]) =>
    JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'operation', part }] });
  const replace = (expression: string) =>
    fhirPatch(
      { name: 'type', valueCode: 'replace' },
      { name: 'path', valueString: expression },
      { name: 'value', valueString: 'x' },
    );
  it.each([
    ['__proto__', path('/__proto__')],
    ['__proto__ below', path('/name/0/__proto__/polluted')],
    ['constructor', path('/constructor/prototype')],
    ['a pointer of 1 MB', path('/a'.repeat(mega / 2))],
    ['an index of 10 000 digits', path(`/name/${'9'.repeat(10_000)}`)],
    ['a negative index', path('/name/-1')],
    ['values 100 000 deep', `[{"op":"add","path":"/x","value":${'['.repeat(100_000)}${']'.repeat(100_000)}}]`],
    ['100 000 tests that fail', `[${'{"op":"test","path":"/id","value":"no"},'.repeat(100_000)}{}]`],
    [
      'doubling by copies',
      `[{"op":"copy","from":"/name","path":"/name/0/extension"},${Array.from({ length: 40 }, () => '{"op":"copy","from":"/name","path":"/name/0/x"}').join(',')}]`,
    ],
    ['the whole by null', '[{"op":"replace","path":"","value":null}]'],
    ['a key twice', '[{"op":"remove","path":"/gender","path":"/name"}]'],
  ])('JSON Patch with %s', async (_, text) => {
    await refused('PATCH', '/fhir/Patient/kept', text, jsonPatch);
    expect(({} as Json).polluted).toBeUndefined();
  });

  it.each([
    ['a long path', replace(`Patient${'.name'.repeat(100_000)}`)],
    ['a nested path', replace(`Patient.name.where(${'('.repeat(50_000)}true${')'.repeat(50_000)})`)],
    ['a regular expression that takes forever', replace(`Patient.name.where(family.matches('(K|Ke|e|p|t)*(K|e)*x$'))`)],
    ['repeat', replace('Patient.repeat($this)')],
    ['__proto__', replace('Patient.__proto__')],
    ['what is no path', replace("'; DROP TABLE resource; --")],
    ['no operations that are known', fhirPatch({ name: '__proto__', valueString: 'x' })],
  ])('FHIRPath Patch with %s', async (_, text) => {
    await refused('PATCH', '/fhir/Patient/kept', text, json);
  });
});

describe('large bodies that are no bombs', () => {
  const name = '<name><family value="Long"/></name>';
  const large = (names: number) => `<Patient xmlns="http://hl7.org/fhir">${name.repeat(names)}</Patient>`;

  it('are stored, whichever format they come in', async () => {
    const made = await bounded(
      'POST',
      '/fhir/Basic',
      `{"resourceType":"Basic","code":{"text":"${'a'.repeat(mega)}"}}`,
      json,
    );
    expect([made.status, made.text.length]).toEqual([201, expect.toSatisfy((length) => length > mega)]);
    const fromXml = await bounded('POST', '/fhir/Patient', large(10_000), xml);
    expect([fromXml.status, fromXml.json.name.length]).toEqual([201, 10_000]);
  });

  it('have 100 000 values, unless they are of a type that defines or holds others', async () => {
    expect((await create(large(60_000), xml)).status).toBe(413);
    const concept = Array.from({ length: 60_000 }, (_, i) => ({ code: `c${i}` }));
    const codes = JSON.stringify({ resourceType: 'CodeSystem', status: 'draft', content: 'complete', concept });
    expect((await bounded('POST', '/fhir/CodeSystem', codes, json)).status).toBe(201);
  });

  it('are read of nobody who has not said who it is', async () => {
    const options = { role: null, headers: json };
    expect((await hub.send('POST', '/fhir/Patient', '['.repeat(mega), options)).status).toBe(401);
  });

  it('are validated like small ones', async () => {
    const answer = await bounded(
      'POST',
      '/fhir/Patient/$validate',
      `{"resourceType":"Patient","gender":"${'a'.repeat(mega)}"}`,
      json,
    );
    expect([answer.status, answer.json.issue[0].severity]).toEqual([200, 'error']);
  });
});

describe('GraphQL', () => {
  const ask = (query: string) => refused('POST', '/fhir/$graphql', query, { 'content-type': 'application/graphql' });
  it.each([
    ['depth', `{Patient(id:"kept")${'{a'.repeat(50_000)}${'}'.repeat(50_000)}}`],
    ['fragments in a circle', '{...A} fragment A on Query {...B} fragment B on Query {...A}'],
    ['__proto__', '{__proto__ {x}}'],
    ['a string without an end', `{Patient(id:"${'a'.repeat(100_000)}`],
    ['U+0000', '{Patient(id:"\u0000"){id}}'],
    ['directives by the thousand', `{Patient(id:"kept"){id ${'@skip(if:false)'.repeat(10_000)}}}`],
  ])('%s', async (_, query) => {
    const answer = await ask(query);
    expect(answer.json.errors.length).toBeGreaterThan(0);
  });

  it('aliases by the thousand and fragments that multiply end in time', async () => {
    const aliases = Array.from({ length: 3_000 }, (_, i) => `a${i}:Patient(id:"kept"){id}`).join(' ');
    const spread = Array.from({ length: 25 }, (_, i) => `fragment F${i} on Patient {...F${i + 1} ...F${i + 1}}`).join(
      ' ',
    );
    for (const query of [`{${aliases}}`, `{Patient(id:"kept"){...F0}} ${spread} fragment F25 on Patient {id}`])
      await bounded('POST', '/fhir/$graphql', query, { 'content-type': 'application/graphql' });
    const variables = '{"query":"{Patient(id:\\"kept\\"){id}}","variables":{"__proto__":{"polluted":true}}}';
    await bounded('POST', '/fhir/$graphql', variables, { 'content-type': 'application/json' });
    expect(({} as Json).polluted).toBeUndefined();
  });
});

describe('Parameters of operations', () => {
  const paths = ['/fhir/Patient/$validate', '/fhir/Patient/kept/$meta-add', '/fhir/Patient/kept/$everything'];
  const bodies = [
    '{"resourceType":"Parameters","__proto__":{"polluted":true}}',
    '{"resourceType":"Parameters","parameter":[{"name":"__proto__","valueString":"x"}]}',
    '{"resourceType":"Parameters","parameter":[{"name":"resource","resource":{"resourceType":"__proto__"}}]}',
    `{"resourceType":"Parameters","parameter":${'[{"part":'.repeat(50_000)}1${'}]'.repeat(50_000)}}`,
    '{"resourceType":"Parameters","parameter":null}',
    '{"resourceType":"Parameters","parameter":[null]}',
  ];
  it.each(paths)('%s', async (path) => {
    for (const body of bodies) await bounded('POST', path, body, json);
    expect(({} as Json).polluted).toBeUndefined();
  });
});

describe('searches', () => {
  const search = (query: string) => bounded('GET', `/fhir/Patient?${query}`);
  const encoded = sql.map(encodeURIComponent);

  it('SQL in names, values and modifiers', async () => {
    const names = ['family', 'family:contains', 'family:exact', 'identifier', 'identifier:of-type', '_id', 'birthdate'];
    names.push('organization', 'organization:identifier', 'general-practitioner.name', '_content', '_text', '_filter');
    names.push('_lastUpdated', '_tag', '_list', '_has:Observation:patient:code', 'gender:not', 'gender:text', 'active');
    for (const text of encoded) {
      for (const name of names) await search(`${name}=${text}`);
      await refused('GET', `/fhir/Patient?${text}=1`);
      await refused('GET', `/fhir/Patient?family:${text}=1`);
      await refused('GET', `/fhir/Patient?organization.${text}=1`);
      for (const control of ['_sort', '_include', '_revinclude', '_cursor', '_count', '_total', '_type', '_summary'])
        await refused('GET', `/fhir/Patient?${control}=${text}`);
      await refused('GET', `/fhir/${text}`);
      await bounded('GET', `/fhir/Patient/${text}`);
      await bounded('GET', `/fhir/Patient/kept/_history?_since=${text}`);
    }
  });

  it('cursors made by somebody else', async () => {
    const cursors = [
      Buffer.from('{"home":"1; DROP TABLE resource","rkey":0,"keys":[]}').toString('base64url'),
      Buffer.from(`${'['.repeat(5_000)}`).toString('base64url'),
      Buffer.from('[1e400,"x",{"__proto__":1}]').toString('base64url'),
      Buffer.from('null').toString('base64url'),
      'A'.repeat(10_000),
      '%00',
    ];
    for (const cursor of cursors) {
      await refused('GET', `/fhir/Patient?_cursor=${cursor}`);
      await refused('GET', `/fhir/Patient?_sort=family&_cursor=${cursor}`);
      await refused('GET', `/fhir?_cursor=${cursor}`);
    }
  });

  it('patterns, escapes and expressions that could take forever', async () => {
    const values = [
      '%'.repeat(1_000),
      '_'.repeat(1_000),
      '\\'.repeat(1_001),
      'a'.repeat(5_000),
      '(a+)+$',
      '%a'.repeat(500),
    ];
    for (const value of values.map(encodeURIComponent)) {
      for (const name of ['family:contains', 'name:contains', '_content', '_text', 'identifier', 'email:text'])
        await search(`${name}=${value}`);
    }
    const nested = `${'('.repeat(2_000)}gender eq male${')'.repeat(2_000)}`;
    await refused('GET', `/fhir/Patient?_filter=${encodeURIComponent(nested)}`);
    await refused('GET', `/fhir/Patient?_filter=${encodeURIComponent(`${'not '.repeat(2_000)}`)}`);
    await search(`_filter=${encodeURIComponent(Array.from({ length: 400 }, () => 'gender eq male').join(' or '))}`);
    await search(`_elements=${'a'.repeat(3_000)}`);
    await search(`_elements=${'__proto__,constructor,'.repeat(200)}name`);
    await search(`_elements=${encodeURIComponent('name.'.repeat(1_000))}`);
    await search(`_content=${encodeURIComponent('& | ! <-> :* (('.repeat(100))}`);
  });

  it('U+0000, lone surrogates and percent signs astray', async () => {
    for (const value of ['%00', 'a%00b', '%ff%fe', '%ed%a0%80', '%', '%zz', '%u0000']) {
      for (const name of [
        'family',
        'family:exact',
        'identifier',
        '_id',
        'organization',
        '_content',
        '_tag',
        'birthdate',
      ])
        await search(`${name}=${value}`);
      await bounded('GET', `/fhir/Patient/${value}`);
    }
  });

  it('1 000 values joined by OR, 2 000 parameters', async () => {
    const values = Array.from({ length: 1_000 }, (_, i) => `v${i}`).join(',');
    for (const name of [
      'family',
      'family:contains',
      'identifier',
      '_id',
      'organization',
      'general-practitioner.name',
      '_content',
    ]) {
      const found = await bounded('POST', '/fhir/Patient/_search', `${name}=${values}`, form);
      if (found.status === 200) expect(found.json.entry ?? []).toEqual([]);
    }
    await bounded('POST', '/fhir/Patient/_search', `birthdate=${Array(1_000).fill('2001-01-01').join(',')}`, form);
    for (const one of [
      'family=a',
      '_id=a',
      '_include=Patient:organization',
      '_sort=family',
      '_has:Observation:patient:code=1',
    ])
      await bounded('POST', '/fhir/Patient/_search', Array(2_000).fill(one).join('&'), form);
    await refused('POST', '/fhir/Patient/_search', Array(2_000).fill('family=a').join('&'), form);
    await bounded('POST', '/fhir/Patient/_search', '&'.repeat(mega), form);
    await bounded('POST', '/fhir/Patient/_search', `family=${','.repeat(mega)}`, form);
    await refused('POST', '/fhir/Patient/_search', `family=${'a'.repeat(10 * mega)}`, form);
    await refused('GET', `/fhir/Patient?_sort=${Array(500).fill('family').join(',')}`);
  });

  it('chains and _has 20 deep', async () => {
    await refused('GET', `/fhir/Patient?organization.${'partof.'.repeat(20)}name=x`);
    await refused('GET', `/fhir/Patient?${'_has:Observation:subject:subject:Patient.'.repeat(20)}name=x`);
    await refused('GET', `/fhir/Organization?${'_has:Organization:partof:'.repeat(20)}name=x`);
    await refused('GET', `/fhir/Observation?${'has-member.'.repeat(20)}code=x`);
    await bounded('GET', `/fhir/Observation?${'has-member:Observation.'.repeat(8)}code=x`);
    await bounded('GET', `/fhir/Observation?${'has-member.'.repeat(8)}_id=x`);
    await bounded('GET', `/fhir/Organization?${'_has:Organization:partof:'.repeat(8)}name=x`);
  });

  it('_include:iterate around a circle', async () => {
    const entry = Array.from({ length: 200 }, (_, i) => ({
      resource: {
        resourceType: 'Organization',
        id: `circle-${i}`,
        name: 'Circle',
        partOf: { reference: `Organization/circle-${(i + 1) % 200}` },
      },
      request: { method: 'PUT', url: `Organization/circle-${i}` },
    }));
    const bundle = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
    expect((await bounded('POST', '/fhir', bundle, json)).status).toBe(200);
    for (const include of [
      '_include:iterate=Organization:partof',
      '_revinclude:iterate=Organization:partof',
      '_include:iterate=*&_revinclude:iterate=*',
    ]) {
      const answer = await bounded('GET', `/fhir/Organization?_id=circle-0&${include}`);
      const ids = (answer.json.entry ?? []).map((one: Json) => one.resource.id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });
});

describe('Bundles', () => {
  const post = (type: string, entry: Json[]) =>
    bounded('POST', '/fhir', JSON.stringify({ resourceType: 'Bundle', type, entry }), json);
  const puts = (resource: Json) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  });

  it('10 000 entries that refer to themselves and to each other are refused or stored', async () => {
    const entry = Array.from({ length: 10_000 }, (_, i) => ({
      fullUrl: `urn:uuid:00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
      resource: {
        resourceType: 'Basic',
        code: { text: 'self' },
        subject: { reference: `urn:uuid:00000000-0000-4000-8000-${String(i).padStart(12, '0')}` },
      },
      request: { method: 'POST', url: 'Basic' },
    }));
    await post('transaction', entry);
    const nested = Array.from({ length: 10_000 }, () => ({ resource: { resourceType: 'Bundle', type: 'batch' } }));
    await post('batch', nested);
  }, 20_000);

  it('10 000 conditional references to one condition cost one search', async () => {
    const entry = Array.from({ length: 10_000 }, (_, i) => ({
      resource: {
        resourceType: 'Basic',
        id: `conditional-${i}`,
        code: { text: 'conditional' },
        subject: { reference: 'Patient?identifier=urn:none|none' },
      },
      request: { method: 'PUT', url: `Basic/conditional-${i}` },
    }));
    const answer = await post('transaction', entry);
    expect(answer.status).toBe(412);
  }, 20_000);

  it('entries that are wrong in every part are refused one by one', async () => {
    const request = { method: 'GET', url: 'Patient/kept' };
    const wrong: Json[] = [
      null,
      1,
      [],
      {},
      { request: null },
      { request: [] },
      { request: { method: 'TRACE', url: 'x' } },
    ];
    for (const url of [
      '',
      '/',
      '..',
      '../../etc/passwd',
      'http://127.0.0.1:1/x',
      '//',
      '%00',
      'Patient/%00',
      '__proto__',
      'metadata',
      'a'.repeat(5_000),
    ])
      for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', '__proto__']) wrong.push({ request: { method, url } });
    wrong.push(
      { request: { ...request, ifMatch: '"'.repeat(1_000) } },
      { request: { ...request, ifModifiedSince: sql[0] } },
    );
    for (const entry of wrong) {
      const batch = await post('batch', [entry]);
      if (batch.status === 200) expect(Number(batch.json.entry[0].response.status.slice(0, 3))).toBeLessThan(500);
      await post('transaction', [entry]);
    }
    for (const type of ['__proto__', 'constructor', 'history', null, 1]) {
      const text = JSON.stringify({ resourceType: 'Bundle', type, entry: [puts(JSON.parse(patient))] });
      await refused('POST', '/fhir', text, json);
    }
  });
});

describe('headers and addresses', () => {
  it('SQL and nonsense in headers', async () => {
    const conditions = [
      ...sql,
      'identifier=',
      '_sort=x',
      '__proto__=1',
      '?'.repeat(1_000),
      '%00',
      `_id=${'a,'.repeat(3_000)}`,
    ];
    for (const text of conditions) {
      const ifNoneExist = await bounded('POST', '/fhir/Patient', '{"resourceType":"Patient"}', {
        ...json,
        'if-none-exist': text,
      });
      expect([text, ifNoneExist.status]).toEqual([
        text,
        expect.toSatisfy((status) => status === 400 || status === 412),
      ]);
      for (const name of [
        'if-match',
        'if-none-match',
        'if-modified-since',
        'prefer',
        'accept',
        'x-request-id',
        'range',
      ])
        await bounded('GET', '/fhir/Patient/kept', undefined, { [name]: text });
      await bounded('PUT', '/fhir/Patient/kept', patient, { ...json, 'if-match': text });
      await bounded('PUT', '/fhir/Patient/kept', patient, { ...json, 'if-none-match': text });
      await refused('DELETE', '/fhir/Patient?family=kept', undefined, { 'if-match': text });
    }
    await bounded('GET', '/fhir/Patient/kept', undefined, { prefer: 'return='.repeat(1_500) });
    await bounded('GET', '/fhir/Patient/kept', undefined, { accept: 'application/fhir+json;q='.repeat(500) });
    await bounded('GET', '/fhir/Patient/kept', undefined, { 'if-none-match': `${'W/"1",'.repeat(1_500)}` });
  });

  it('ids too long, climbing, or with U+0000', async () => {
    const ids = [
      'a'.repeat(65),
      'a'.repeat(250),
      'a'.repeat(2_000),
      '..%2f..%2fetc%2fpasswd',

      'a%00',
      '%c0%ae',
      'a b',
      '*',
    ];
    for (const id of ids) {
      for (const path of [`Patient/${id}`, `Patient/${id}/_history`, `Patient/kept/_history/${id}`, `Binary/${id}`])
        await refused('GET', `/fhir/${path}`);
      await refused(
        'PUT',
        `/fhir/Patient/${id}`,
        `{"resourceType":"Patient","id":${JSON.stringify(decodeLoosely(id))}}`,
        json,
      );
    }
  });

  it('bytes on the wire', async () => {
    const token = await hub.token('administrator');
    const head = `host: x\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n`;
    const climbing = await raw(`GET /fhir/Patient/../../../../etc/passwd HTTP/1.1\r\n${head}\r\n`);
    expect(climbing).toMatch(/^HTTP\/1\.1 40[0-9] /);
    expect(await raw(`GET /fhir/Patient/%2e%2e HTTP/1.1\r\n${head}\r\n`)).toMatch(/^HTTP\/1\.1 40[0-9] /);
    expect(await raw(`GET /../../../etc/passwd HTTP/1.1\r\n${head}\r\n`)).toMatch(/^HTTP\/1\.1 40[0-9] /);
    expect(await raw(`GET /fhir/Patient/kept HTTP/1.1\r\n${head}x-long: ${'a'.repeat(mega)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*OperationOutcome/,
    );
    expect(await raw(`GET /fhir/Patient?family=${'a'.repeat(mega)} HTTP/1.1\r\n${head}\r\n`)).toMatch(
      /^HTTP\/1\.1 4\d\d /,
    );
    expect(await raw(`GET /fhir/Patient/kept HTTP/1.1\r\n${head}${'x: y\r\n'.repeat(5_000)}\r\n`)).toMatch(
      /^HTTP\/1\.1 4\d\d /,
    );
    expect(
      await raw(
        `POST /fhir/Patient HTTP/1.1\r\n${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1\.1 400 [\s\S]*OperationOutcome/);
    expect(await raw(`NONSENSE / HTTP/9.9\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 [\s\S]*OperationOutcome/);
    expect(await raw(Buffer.alloc(100_000, 0xff))).toMatch(/^HTTP\/1\.1 400 /);
    expect(
      await raw(
        `PUT /fhir/Patient/kept HTTP/1.1\r\n${head}content-type: application/fhir+json\r\ncontent-length: -5\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('connections that say nothing more do not keep others waiting', async () => {
    const { port } = new URL(hub.url);
    const sockets = Array.from({ length: 300 }, () => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => {});
      socket.write('POST /fhir/Patient HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{');
      return socket;
    });
    const answer = await bounded('GET', '/fhir/Patient/kept');
    expect(answer.status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });
});

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
