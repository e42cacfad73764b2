/** What resources say, in words for a reader. */
import { unitWords } from '@causeway/fhir/unit-words';
import type { CodeableConcept, Period, Quantity, Range, Ratio } from '@medplum/fhirtypes';

/** The member `stem[x]` of an element, with its type. */
export function choice(holder: object, stem: string): { type: string; value: unknown } | undefined {
  for (const [key, value] of Object.entries(holder)) {
    const type = key.slice(stem.length);
    if (key.startsWith(stem) && /^[A-Z]/.test(type) && value !== undefined) return { type, value };
  }
  return undefined;
}

export function conceptWords(concept: CodeableConcept | undefined): string {
  if (concept === undefined) return '';
  const { text, coding = [] } = concept;
  return text ?? coding.find(({ display }) => display !== undefined)?.display ?? coding[0]?.code ?? '';
}

/** A key by which two concepts say the same; undefined where they say nothing. */
export function conceptKey(concept: CodeableConcept | undefined): string | undefined {
  const coding = concept?.coding?.find(({ code }) => code !== undefined);
  if (coding !== undefined) return `${coding.system ?? ''}|${coding.code}`;
  return concept?.text?.trim().toLowerCase();
}

/** A value of a choice element. */
export function valueWords(found: { type: string; value: unknown } | undefined): string {
  if (found === undefined) return '';
  const { type, value } = found;
  switch (type) {
    case 'CodeableConcept':
      return conceptWords(value as CodeableConcept);
    case 'Quantity':
    case 'Age':
    case 'Duration':
      return quantityWords(value as Quantity);
    case 'Range': {
      const { low, high } = value as Range;
      return [low, high].map((end) => (end === undefined ? '' : quantityWords(end))).join(' – ');
    }
    case 'Ratio': {
      const { numerator = {}, denominator = {} } = value as Ratio;
      return `${quantityWords(numerator)} / ${quantityWords(denominator)}`;
    }
    case 'Period':
      return periodWords(value as Period);
    case 'DateTime':
    case 'Date':
    case 'Instant':
      return dayWords(String(value));
    default:
      return digits(value) ?? (typeof value === 'object' ? '' : String(value));
  }
}

export function quantityWords({ comparator, value, unit, code }: Quantity): string {
  return [comparator, digits(value), unitWords(unit ?? code ?? '')].filter(Boolean).join(' ');
}

/** A number as it was stated. */
function digits(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return JSON.isRawJSON(value) ? (value as unknown as { rawJSON: string }).rawJSON : undefined;
}

/** A time to the minute. */
export function dayWords(time: string | undefined): string {
  return time === undefined ? '' : time.replace('T', ' ').replace(/^(.{16}).*$/, '$1');
}

export function periodWords({ start, end }: Period): string {
  if (start === undefined) return end === undefined ? '' : `until ${dayWords(end)}`;
  return end === undefined ? `since ${dayWords(start)}` : `${dayWords(start)} – ${dayWords(end)}`;
}
