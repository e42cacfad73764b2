import { expect, it } from 'vitest';
import { contentType, decodedBody, entityOf, field, leavesOf, mailboxIn, partsOf, receiversOf } from './mime.ts';

const entity = (text: string) => entityOf(Buffer.from(text, 'latin1'));

it.each(['\n', '\r\n'])('headers are read up to the empty line (%j)', (end) => {
  const one = entity(
    ['Subject: one', 'X:  two', '\tmore', 'Content-Type: Text/XML; name="a;\\"b"', '', 'body', ''].join(end),
  );
  expect([field(one, 'subject'), field(one, 'x'), one.body.toString()]).toEqual(['one', 'two more', `body${end}`]);
  expect(contentType(one)).toEqual({ value: 'text/xml', parameters: { name: 'a;"b' } });
});

it('a field that stands twice is none', () => {
  expect(field(entity('From: a@b.example\nFrom: c@d.example\n\n'), 'from')).toBeUndefined();
});

it.each([
  ['Ann <ann@x.example>', 'ann@x.example'],
  ['"Dow, Ann <no@y.example>" <Ann@X.example>', 'ann@x.example'],
  ['ann@x.example', 'ann@x.example'],
  ['ann@x.example, bob@x.example', undefined],
  ['a@x.example <b@x.example>', undefined],
  ['<a@x.example> b', undefined],
  ['', undefined],
])('%s names %s', (value, address) => {
  expect(mailboxIn(value)).toBe(address);
});

it('receivers are those of To and Cc, also of groups and several fields, and no name that looks like one', () => {
  const lines = [
    'To: "hub@x.example" <Ann@x.example>, bob@x.example',
    'Cc: Team: Cy <cy@x.example>, dan@x.example;',
    'Cc: "Last, First" <eve@x.example>, fay@x.example <gus@x.example>',
    'Bcc: hal@x.example',
  ];
  const found = receiversOf(entity(`${lines.join('\n')}\n\n`));
  expect(found).toEqual(['ann', 'bob', 'cy', 'dan', 'eve'].map((name) => `${name}@x.example`));
  expect(receiversOf(entity('From: a@x.example\n\n'))).toEqual([]);
});

it('the parts of a multipart are the bytes between its boundaries', () => {
  const body = Buffer.from('before\r\n--b\r\none\r\n\r\n--bb\r\n--b  \r\n\r\ntwo\r\n--b--\r\nafter');
  expect(partsOf(body, 'b')!.map(String)).toEqual(['one\r\n\r\n--bb', '\r\ntwo']);
  expect(partsOf(Buffer.from('--b\r\none\r\n'), 'b')).toBeUndefined();
});

it('what is inside is found and decoded', () => {
  const inner = '--i\n\ntext\n--i\nContent-Transfer-Encoding: base64\n\naGVs\nbG8=\n--i--';
  const last = 'Content-Transfer-Encoding: quoted-printable\n\na=3Db=\nc=C3=A4';
  const found = leavesOf(
    entity(
      `Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/x; boundary="i"\n\n${inner}\n--o\n${last}\n--o--`,
    ),
  )!;
  expect(found.map((one) => decodedBody(one).toString())).toEqual(['text', 'hello', 'a=bcä']);
});

it('of quoted-printable, blanks before a soft line break are text, and those at the end of a line are none', () => {
  const quoted = (text: string) =>
    decodedBody(entity(`Content-Transfer-Encoding: quoted-printable\n\n${text}`)).toString();
  expect(quoted('one =\r\ntwo= \t\nthree \t\r\nfour=20\nfive ')).toBe('one twothree\r\nfour \nfive');
  // In a time that grows with the length alone: also who signs nothing may send this.
  const long = 4 * 1024 * 1024;
  expect(quoted(`${' '.repeat(long)}.`)).toHaveLength(long + 1);
  expect(quoted('= '.repeat(long / 2))).toHaveLength(long - 1);
});

it('what nests without end is not followed', () => {
  let text = 'end';
  for (let i = 0; i < 20; i++) text = `Content-Type: multipart/mixed; boundary=b${i}x\n\n--b${i}x\n${text}\n--b${i}x--`;
  expect(leavesOf(entity(text))).toBeUndefined();
});
