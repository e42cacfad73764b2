import { expect, test } from 'vitest';
import { isMailAddress, mailboxOf } from './address.ts';

test.each(['ann@example.org', 'a.b+c@mail.example.org', 'x@a-b.example'])('%s is a mailbox', (text) => {
  expect(isMailAddress(text)).toBe(true);
});

test.each([
  'ann',
  'ann@localhost',
  'ann@@example.org',
  'a b@example.org',
  'ann@example.org, bob@example.org',
  'ann@example.org\r\nBcc: bob@example.org',
  '"ann"@example.org',
  '.ann@example.org',
  'ann@-x.example',
  `${'a'.repeat(65)}@example.org`,
  `ann@${'a.'.repeat(130)}org`,
])('%j is none', (text) => {
  expect(isMailAddress(text)).toBe(false);
});

test('a mailto: names one mailbox and nothing else', () => {
  expect(mailboxOf('mailto:ann@example.org')).toBe('ann@example.org');
  expect(mailboxOf('MAILTO:ann%2Bx@example.org')).toBe('ann+x@example.org');
  expect(mailboxOf('mailto:ann@example.org?bcc=bob@example.org')).toBeUndefined();
  expect(mailboxOf('mailto:ann@example.org,bob@example.org')).toBeUndefined();
  expect(mailboxOf('mailto:ann@example.org%0d%0aBcc:bob@example.org')).toBeUndefined();
  expect(mailboxOf('mailto:%zz@example.org')).toBeUndefined();
  expect(mailboxOf('https://example.org')).toBeUndefined();
});
