import { expect, it } from 'vitest';
import { entityOf } from '../mail/index.ts';
import { dispositionOf, isReport } from './notifications.ts';

const report = (type: string, ...lines: string[]) =>
  entityOf(
    Buffer.from(
      [
        'Content-Type: multipart/report; boundary=r',
        '',
        '--r',
        '',
        'Read me.',
        '--r',
        `Content-Type: ${type}`,
        '',
        ...lines,
        '',
        '--r--',
      ].join('\r\n'),
    ),
  );
const disposition = (said: string) =>
  report(
    'message/disposition-notification',
    'Final-Recipient: rfc822;dr@x.example',
    'Original-Message-ID: <1@hub.example>',
    `Disposition: ${said}`,
  );

it.each([
  ['automatic-action/MDN-sent-automatically; processed', true],
  ['automatic-action/MDN-sent-automatically;dispatched', true],
  ['automatic-action/MDN-sent-automatically;Failed', false],
  ['automatic-action/MDN-sent-automatically;processed/error', false],
  ['manual-action/MDN-sent-manually; something', undefined],
])('%s', (said, isTaken) => {
  expect(isReport(disposition(said))).toBe(true);
  expect(dispositionOf(disposition(said))).toEqual({ original: '1@hub.example', isTaken });
});

it('a failed delivery is told by another kind of report', () => {
  const lines = [
    'Reporting-MTA: dns;x.example',
    'X-Original-Message-ID: <1@hub.example>',
    '',
    'Final-Recipient: rfc822;dr@x.example',
    'Action: failed',
    'Status: 5.1.1',
  ];
  expect(dispositionOf(report('message/delivery-status', ...lines))).toEqual({
    original: '1@hub.example',
    isTaken: false,
  });
});

it('what names no mail says nothing', () => {
  expect(dispositionOf(report('message/disposition-notification', 'Disposition: x; processed'))).toBeUndefined();
  expect(dispositionOf(report('text/plain', 'Original-Message-ID: <1@x>'))).toBeUndefined();
});
