/**
 * An HL7 v2 message cut into segments and fields for reading (chapter 2, ER7). It only cuts: what it was given comes out
 * again character for character, and a message too broken to parse can still be looked at.
 */

export interface SegmentView {
  name: string;
  /** From 1 among the segments of the same name, as the ledger counts. */
  occurrence: number;
  fieldSeparator: string;
  fields: FieldView[];
}

export interface FieldView {
  /** The field's number as HL7 counts it: the separator itself is MSH-1. */
  number: number;
  text: string;
}

/** Segments in order; carriage returns, line feeds and both together end a segment. */
export function viewSegments(original: string): SegmentView[] {
  const separator = /(?:MSH|FHS|BHS)([^\r\n])/.exec(original)?.[1] ?? '|';
  const seen = new Map<string, number>();
  return original
    .split(/\r\n|\r|\n/)
    .map((line) => line.replaceAll(/[\u000b\u001c]/g, ''))
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', ...texts] = line.split(separator);
      const occurrence = (seen.get(name) ?? 0) + 1;
      seen.set(name, occurrence);
      const first = name === 'MSH' || name === 'FHS' || name === 'BHS' ? 2 : 1;
      const fields = texts.map((text, at) => ({ number: at + first, text }));
      return { name, occurrence, fieldSeparator: separator, fields };
    });
}

/** The field a ledger entry speaks of: `PID[1]-5[1].1.1` → `PID[1]-5`; undefined for another notation. */
export function fieldOf(ledgerSource: string): string | undefined {
  const parts = /^([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?-(\d+)/.exec(ledgerSource);
  return parts ? `${parts[1]}[${parts[2] ?? 1}]-${parts[3]}` : undefined;
}
