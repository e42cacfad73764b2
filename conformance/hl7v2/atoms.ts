/**
 * Every piece of content in an HL7 v2 message, found by splitting the raw text: a second reading, apart from the
 * parser's, that a conversion's ledger is held against.
 */

export interface RawAtom {
  /** `PID[1]-5[1].1.1`, as in ledgers. */
  path: string;
  /** With the standard escapes undone. */
  value: string;
}

/** The atoms that hold more than blanks. */
export function rawAtoms(text: string): RawAtom[] {
  const start = text.indexOf('MSH');
  const field = text[start + 3]!;
  const marks = text.slice(start + 4).split(field, 1)[0]!;
  const [component, repetition, release, subcomponent, truncation] = marks;
  const atoms: RawAtom[] = [];
  const occurrences = new Map<string, number>();
  for (const line of linesOf(text.slice(start), field)) {
    const at = line.indexOf(field);
    const name = at >= 0 && at <= 3 ? line.slice(0, at) : line.slice(0, 3);
    const occurrence = (occurrences.get(name) ?? 0) + 1;
    occurrences.set(name, occurrence);
    const isHeader = name === 'MSH' || name === 'BHS' || name === 'FHS';
    const fields = line.split(field);
    if (isHeader) fields.splice(1, 0, field);
    for (const [number, content] of fields.entries()) {
      const place = `${name}[${occurrence}]-${number}`;
      if (isHeader && (number === 1 || number === 2)) {
        if (number < fields.length) atoms.push({ path: `${place}[1].1.1`, value: content });
        continue;
      }
      if (number === 0) {
        if (content !== name) atoms.push({ path: `${place}[1].1.1`, value: content });
        continue;
      }
      for (const [r, again] of cut(content, repetition).entries()) {
        for (const [c, part] of cut(again, component).entries()) {
          for (const [s, leaf] of cut(part, subcomponent).entries()) {
            if (leaf.trim() === '') continue;
            const value = unescaped(leaf, { field, component, repetition, release, subcomponent, truncation });
            atoms.push({ path: `${place}[${r + 1}].${c + 1}.${s + 1}`, value });
          }
        }
      }
    }
  }
  return atoms;
}

/** Lines that are segments: after a bare line feed in a message of CR-ended segments only what looks like one. */
function linesOf(text: string, field: string): string[] {
  const ownBreak = /\r|\n/.exec(text)?.[0] ?? '\r';
  const lines: string[] = [];
  for (const piece of text.split(/(?<=\r\n|\r(?!\n)|\n)/)) {
    const before = lines.at(-1);
    const looksRight = /^[A-Z][A-Z0-9]{2}$/.test(piece.slice(0, 3)) && piece[3] === field;
    const isOwnEnd = before === undefined || /\r\n?$/.test(before) || ownBreak === '\n';
    if (isOwnEnd || looksRight) lines.push(piece);
    else lines[lines.length - 1] = before + piece;
  }
  return lines.map((line) => line.replace(/[\r\n]+$/, '')).filter((line) => /[^\s\u0000\u000b\u001a\u001c]/.test(line));
}

function cut(text: string, mark: string | undefined): string[] {
  return mark === undefined ? [text] : text.split(mark);
}

interface Marks {
  field: string;
  component: string | undefined;
  repetition: string | undefined;
  release: string | undefined;
  subcomponent: string | undefined;
  truncation: string | undefined;
}

/** Delimiter, line break and hexadecimal escapes (HL7 v2.9 chapter 2.7); others stay as written. */
function unescaped(text: string, marks: Marks): string {
  const { release } = marks;
  if (release === undefined || !text.includes(release)) return text;
  const parts = text.split(release);
  let value = parts[0]!;
  for (let i = 1; i < parts.length; i += 2) {
    const code = parts[i]!;
    if (i + 1 === parts.length) return value + release + code;
    value += meaningOf(code, marks) + parts[i + 1]!;
  }
  return value;
}

function meaningOf(code: string, { field, component, repetition, release, subcomponent, truncation }: Marks): string {
  switch (code) {
    case 'F':
      return field;
    case 'S':
      return component ?? '^';
    case 'T':
      return subcomponent ?? '&';
    case 'R':
      return repetition ?? '~';
    case 'P':
      return truncation ?? '#';
    case 'E':
      return release ?? '\\';
    default:
      if (/^X([0-9A-F]{2})+$/i.test(code)) return Buffer.from(code.slice(1), 'hex').toString('utf8');
      return code.startsWith('.') || code === 'H' || code === 'N' ? '\n' : `${release}${code}${release}`;
  }
}
