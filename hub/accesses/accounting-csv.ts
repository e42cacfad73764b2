/** An accounting of disclosures as CSV. */
import { csvText } from '../csv.ts';
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
  return csvText([head, ...rows]);
}
