/** An accounting of disclosures as CSV (RFC 4180), which a spreadsheet takes for text and never for formulas. */
import type { Accounting } from './accounting.ts';

const head = [
  'Date and time (UTC)',
  'Recipient',
  'Address of the recipient',
  'Person of the recipient',
  'What was disclosed',
  'Purpose',
  'Purpose code',
  'Required by 45 CFR 164.528',
  'Number in the log',
  'Proof',
];

/** @param proofOf the address of a line's proof */
export function accountingCsv({ lines }: Accounting, proofOf: (id: string) => string): string {
  const rows = lines.map(({ at, recipient, by, description, purpose, isRequired, index, id }) => [
    at,
    recipient.name,
    recipient.address ?? 'not known',
    by ?? '',
    description,
    purpose?.words ?? 'not known',
    purpose?.code ?? '',
    isRequired ? 'yes' : 'no',
    index === undefined ? '' : String(index),
    proofOf(id),
  ]);
  return `\uFEFF${[head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`;
}

/** A cell in quotes; what begins as formulas do gets an apostrophe before it. */
export function cell(text: string): string {
  const safe = /^[\s\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
