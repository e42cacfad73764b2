import { expect, test } from 'vitest';
import { MailPace, mailOf } from './mail.ts';
import type { Kept } from './store.ts';

test('a mailbox is left alone for a while, whoever names it and however', () => {
  const pace = new MailPace(60_000);
  expect(pace.wait('ann@example.org', 1_000)).toBe(0);
  pace.told('ann@example.org', 1_000);
  expect(pace.wait('Ann@Example.org', 2_000)).toBe(59_000);
  expect(pace.wait('bob@example.org', 2_000)).toBe(0);
  expect(pace.wait('ann@example.org', 61_000)).toBe(0);
});

test('mail counts what is new; sent again it is the same mail', () => {
  const kept = { rid: 'r', id: 's1', version: 1, told: 4 } as Kept;
  const parts = { kept, mailbox: 'ann@example.org', pages: 'https://hub.example', from: 'hub@hub.example' };
  const mail = mailOf({ ...parts, type: 'event-notification', last: 5 });
  expect(mail.text).toMatch(/^There is 1 event for you/);
  expect(mailOf({ ...parts, type: 'event-notification', last: 5 }).messageId).toBe(mail.messageId);
  const next = mailOf({ ...parts, type: 'event-notification', last: 7 });
  expect(next.text).toMatch(/^There are 3 events/);
  expect(next.messageId).not.toBe(mail.messageId);
});
