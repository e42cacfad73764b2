/** An accounting of disclosures on paper: PDF, with each line's number in the log and the address of its proof. */
import { createRequire } from 'node:module';
import type { Accounting, DisclosureLine } from './accounting.ts';

const require = createRequire(import.meta.url);
const fonts = {
  plain: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
  bold: require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
};

/** Parts of a line: how wide each is, of 515 points. */
const columns: { title: string; width: number; text: (line: DisclosureLine) => string }[] = [
  { title: 'Date (UTC)', width: 68, text: ({ at }) => `${at.slice(0, 10)}\n${at.slice(11, 19)}` },
  {
    title: 'Recipient',
    width: 147,
    text: ({ recipient, by }) =>
      [recipient.name, recipient.address ?? 'address not known', by].filter(Boolean).join('\n'),
  },
  { title: 'What was disclosed', width: 130, text: ({ description }) => description },
  { title: 'Purpose', width: 90, text: ({ purpose }) => purpose?.words ?? 'not known' },
  { title: 'By law', width: 35, text: ({ isRequired }) => (isRequired ? 'yes' : '') },
  { title: 'Log no.', width: 45, text: ({ index }) => (index === undefined ? '' : String(index)) },
];
const margin = 40;
const padding = 3;

/** @param person name and birth date @param proofOf the address of a line's proof */
export async function accountingPdf(
  accounting: Accounting,
  person: string,
  proofOf: (id: string) => string,
): Promise<Buffer> {
  const { lines, summary, from, to, made } = accounting;
  // Needed by few, and not small.
  const { default: PDFDocument } = await import('pdfkit');
  const pdf = new PDFDocument({
    size: 'A4',
    margin,
    bufferPages: true,
    lang: 'en',
    info: { Title: 'Accounting of disclosures', Creator: 'Causeway' },
  });
  pdf.registerFont('plain', fonts.plain).registerFont('bold', fonts.bold);
  pdf.font('bold').fontSize(16).text('Accounting of disclosures');
  pdf.font('plain').fontSize(9).moveDown(0.3);
  pdf.text(person);
  pdf.text(
    `From ${from.slice(0, 10)} to ${to.slice(0, 10)}; made on ${made.slice(0, 10)} at ${made.slice(11, 16)} UTC.`,
  );
  pdf.moveDown(0.5);
  pdf.text(
    'To whom what was disclosed of this record, and why. “By law” marks what 45 CFR 164.528 asks for; disclosures for treatment, payment and operations, and those that the person allowed, are listed as well. The number is that of the entry in the audit log of the hub; the link leads to its proof.',
  );
  if (lines.length === 0) pdf.moveDown().text('Nothing was disclosed.');
  else {
    heading(pdf, 'In short');
    for (const { recipient, purpose, count, first, last } of summary) {
      const when = count === 1 ? first.slice(0, 10) : `${count} times, ${first.slice(0, 10)} to ${last.slice(0, 10)}`;
      pdf.text(`${recipient}, for ${purpose ?? 'a purpose that is not known'}: ${when}`);
    }
    heading(pdf, 'Each disclosure');
    table(pdf, lines, proofOf);
  }
  numberPages(pdf);
  const chunks: Buffer[] = [];
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
  const done = new Promise<Buffer>((resolve, reject) => {
    pdf.on('end', () => resolve(Buffer.concat(chunks)));
    pdf.on('error', reject);
  });
  pdf.end();
  return done;
}

type Pdf = PDFKit.PDFDocument;

function heading(pdf: Pdf, text: string): void {
  pdf.moveDown().font('bold').fontSize(11).text(text, margin).moveDown(0.3).font('plain').fontSize(8);
}

function table(pdf: Pdf, lines: readonly DisclosureLine[], proofOf: (id: string) => string): void {
  const bottom = () => pdf.page.height - margin - 15;
  const titles = () => {
    pdf.font('bold');
    row(
      pdf,
      columns.map(({ title }) => title),
    );
    pdf.font('plain');
  };
  titles();
  for (const line of lines) {
    const texts = columns.map(({ text }) => text(line));
    if (pdf.y + heightOf(pdf, texts) > bottom()) {
      pdf.addPage();
      titles();
    }
    row(pdf, texts, proofOf(line.id));
  }
}

/** @param link where its last part leads */
function row(pdf: Pdf, texts: readonly string[], link?: string): void {
  const top = pdf.y;
  const height = heightOf(pdf, texts);
  let left = margin;
  for (const [i, { width }] of columns.entries()) {
    const isLinked = i === columns.length - 1 && link !== undefined && texts[i] !== '';
    pdf.text(texts[i]!, left, top + padding, {
      width: width - padding,
      ...(isLinked ? { link, underline: true } : { link: null, underline: false }),
    });
    left += width;
  }
  pdf.y = top + height;
  pdf.moveTo(margin, pdf.y).lineTo(left, pdf.y).lineWidth(0.3).strokeColor('#888888').stroke();
}

function heightOf(pdf: Pdf, texts: readonly string[]): number {
  const heights = texts.map((text, i) => pdf.heightOfString(text, { width: columns[i]!.width - padding }));
  return Math.max(...heights) + 2 * padding;
}

function numberPages(pdf: Pdf): void {
  const { start, count } = pdf.bufferedPageRange();
  for (let page = start; page < start + count; page++) {
    pdf.switchToPage(page);
    // Below the margin, where text would begin another page.
    pdf.page.margins.bottom = 0;
    pdf.fontSize(8).text(`${page + 1} of ${count}`, margin, pdf.page.height - margin + 10, { align: 'right' });
  }
}
