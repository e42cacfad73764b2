/** A list of people as an organisation uploads it: CSV with a line of column names, or a FHIR Group. */
import type { Group, Patient } from '@medplum/fhirtypes';

/** One person of a list. */
export interface PanelRow {
  /** From 1: the line of the file, or the place among the members. */
  line: number;
  /** The organisation's own record number. */
  number: string | undefined;
  /** A Patient of the hub, where a Group names one. */
  patient: string | undefined;
  described: Patient;
}

const most = 100_000;

/** What a column may be called, in any case and with blanks, dashes or underscores. */
const columnsOf: Record<string, readonly string[]> = {
  number: ['mrn', 'number', 'record number', 'patient id', 'id'],
  family: ['family', 'family name', 'last name', 'surname'],
  given: ['given', 'given name', 'first name', 'forename'],
  birthDate: ['birth date', 'birthdate', 'date of birth', 'dob'],
  gender: ['gender', 'sex'],
  line: ['address', 'street', 'address line'],
  city: ['city', 'town'],
  postalCode: ['postal code', 'postcode', 'zip', 'zip code'],
  phone: ['phone', 'telephone', 'mobile'],
};

/** The rows of a list in CSV, or what is wrong with it. */
export async function csvRows(text: string): Promise<PanelRow[] | { wrong: string }> {
  const { parse } = await import('csv-parse/sync');
  let records: { record: string[]; info: { lines: number } }[];
  try {
    const delimiter = /^[^\n]*;/.test(text) && !/^[^\n]*,/.test(text) ? ';' : ',';
    const read: unknown = parse(text, {
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    });
    records = read as typeof records;
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number };
    // The library's own sentences repeat what stands there.
    return { wrong: `The file is not CSV: ${code ?? 'unreadable'} near line ${lines ?? '?'}.` };
  }
  const [head, ...rest] = records;
  const names = head?.record.map(plain) ?? [];
  const place = (column: string) => names.findIndex((name) => columnsOf[column]!.includes(name));
  const places = Object.fromEntries(Object.keys(columnsOf).map((column) => [column, place(column)]));
  if (places.number === -1 && (places.family === -1 || places.birthDate === -1)) {
    return { wrong: 'The first line must name the columns: mrn, or at least family name and birth date.' };
  }
  if (rest.length > most) return { wrong: `A list may have ${most} people.` };
  return rest.map(({ record, info }) => {
    const value = (column: string) => record[places[column]!]?.trim() || undefined;
    return { line: info.lines, number: value('number'), patient: undefined, described: patientOf(value) };
  });
}

/** The rows of a list as a FHIR Group, or what is wrong with it. @param system that of the organisation's record numbers */
export function groupRows(group: Group, system: string | undefined): PanelRow[] | { wrong: string } {
  if (group.resourceType !== 'Group' || group.type !== 'person') return { wrong: 'The Group must be one of persons.' };
  if (!group.actual) return { wrong: 'The Group must be an actual one, which names its members.' };
  const members = group.member ?? [];
  if (members.length > most) return { wrong: `A list may have ${most} people.` };
  return members.flatMap(({ entity, inactive }, i): PanelRow[] => {
    if (inactive) return [];
    const { reference, identifier } = entity ?? {};
    const isOwn = identifier?.value !== undefined && (identifier.system === undefined || identifier.system === system);
    return [
      {
        line: i + 1,
        number: isOwn ? identifier.value : undefined,
        patient: /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(reference ?? '')?.[1],
        described: { resourceType: 'Patient', ...(identifier ? { identifier: [identifier] } : {}) },
      },
    ];
  });
}

function patientOf(value: (column: string) => string | undefined): Patient {
  const [family, given, phone] = [value('family'), value('given'), value('phone')];
  const address = {
    ...(value('line') ? { line: [value('line')!] } : {}),
    ...(value('city') ? { city: value('city')! } : {}),
    ...(value('postalCode') ? { postalCode: value('postalCode')! } : {}),
  };
  const gender = genders[value('gender')?.[0]?.toLowerCase() ?? ''];
  const birthDate = dateOf(value('birthDate'));
  return {
    resourceType: 'Patient',
    ...(family || given
      ? { name: [{ ...(family ? { family } : {}), ...(given ? { given: given.split(/\s+/) } : {}) }] }
      : {}),
    ...(gender ? { gender } : {}),
    ...(birthDate ? { birthDate } : {}),
    ...(phone ? { telecom: [{ system: 'phone', value: phone }] } : {}),
    ...(Object.keys(address).length > 0 ? { address: [address] } : {}),
  };
}

const genders: Record<string, Patient['gender']> = { m: 'male', f: 'female', w: 'female', o: 'other', u: 'unknown' };

/** A day of ISO 8601, with or without dashes. Others could be read in two ways. */
function dateOf(text: string | undefined): string | undefined {
  const [, year, month, day] = /^(\d{4})-?(\d\d)-?(\d\d)$/.exec(text ?? '') ?? [];
  const date = `${year}-${month}-${day}`;
  const time = year === undefined ? Number.NaN : Date.parse(date);
  // The 30th of February is read as a day of March.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date) ? date : undefined;
}

function plain(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ');
}
