import { describe, expect, it } from 'vitest';
import type { Accounting, DisclosureLine } from './accounting.ts';
import { accountingCsv } from './accounting-csv.ts';
import { accountingPdf } from './accounting-pdf.ts';

const proofOf = (id: string) => `https://hub.example/proof/${id}`;

function line(i: number, over: Partial<DisclosureLine> = {}): DisclosureLine {
  return {
    id: `${i}.0.0`,
    at: '2026-11-26T18:00:00.000Z',
    recipient: { key: 'north', name: 'North Hospital', address: '1 Main Street, Springfield TX 75001' },
    by: 'Dr. Zoë Müller-Žižek',
    description: 'Opened an observation',
    purpose: { code: 'TREAT', words: 'treatment' },
    isRequired: false,
    index: i,
    ...over,
  };
}

function accounting(lines: DisclosureLine[]): Accounting {
  const [first] = lines;
  const summary = first
    ? [{ recipient: 'North', count: lines.length, first: first.at, last: first.at, isRequired: false }]
    : [];
  return {
    made: '2026-11-26T19:00:00.000Z',
    from: '2020-11-26T00:00:00.000Z',
    to: '2026-11-26T19:00:00.000Z',
    lines,
    summary,
  };
}

describe('an accounting as CSV', () => {
  it('has a row for each disclosure, with its proof', () => {
    const hostile = line(2, {
      recipient: { key: 'x', name: '=HYPERLINK("http://evil")' },
      purpose: undefined,
      isRequired: true,
    });
    const rows = accountingCsv(accounting([line(1), hostile]), proofOf).split('\r\n');
    expect(rows).toHaveLength(4);
    expect(rows[1]).toBe(
      '"2026-11-26T18:00:00.000Z","North Hospital","1 Main Street, Springfield TX 75001","Dr. Zoë Müller-Žižek","Opened an observation","treatment","TREAT","no","1","https://hub.example/proof/1.0.0"',
    );
    expect(rows[2]).toContain(`"'=HYPERLINK(""http://evil"")","not known"`);
    expect(rows[2]).toContain('"not known","","yes","2"');
  });
});

describe('an accounting as PDF', () => {
  const pages = (pdf: Buffer) => pdf.toString('latin1').match(/\/Type \/Page\b/g)?.length;
  const links = (pdf: Buffer) => pdf.toString('latin1').match(/\/URI \(https:\/\/hub.example\/proof\//g)?.length ?? 0;

  it('lists every disclosure, over as many pages as it takes, each with the link to its proof', async () => {
    const pdf = await accountingPdf(accounting(Array.from({ length: 60 }, (_, i) => line(i))), 'Zoë Žižek', proofOf);
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pages(pdf)).toBeGreaterThan(2);
    expect(links(pdf)).toBe(60);
  });

  it('says that there was nothing', async () => {
    const pdf = await accountingPdf(accounting([]), 'Zoë Žižek', proofOf);
    expect(pages(pdf)).toBe(1);
    expect(links(pdf)).toBe(0);
  });
});
