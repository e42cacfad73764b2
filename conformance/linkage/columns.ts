/** Rows of public linkage sets as demographics: which column means what, by the names such sets give them. */
import type { Demographics } from '@causeway/matching';

const COLUMNS = {
  given: ['given', 'given_name', 'first_name', 'first'],
  middle: ['mid', 'middle', 'middle_name'],
  family: ['family', 'surname', 'last_name', 'last'],
  maiden: ['maiden'],
  suffix: ['suffix'],
  sex: ['sex', 'gender'],
  birth: ['dob', 'date_of_birth', 'birthdate'],
  number: ['no', 'street_number'],
  street: ['street', 'address_1', 'address'],
  line2: ['address_2'],
  city: ['city', 'suburb'],
  state: ['state'],
  postalCode: ['zip', 'postcode', 'postcode_fake'],
  phone: ['phone', 'phone_number'],
  email: ['email'],
} as const;

/** Numbers that name a person by themselves: system and type (HL7 table 0203). */
const IDENTIFIERS: Readonly<Record<string, { system: string; type: string }>> = {
  ssn: { system: 'http://hl7.org/fhir/sid/us-ssn', type: 'SS' },
  soc_sec_id: { system: 'urn:soc_sec_id', type: 'SS' },
  uganda_nin: { system: 'urn:uganda_nin', type: 'NI' },
  art_number: { system: 'urn:art_number', type: 'MR' },
};

/** Takes what a row says of a person; columns it does not know say nothing. */
export function demographicsIn(row: Readonly<Record<string, string>>): Demographics {
  const cells = new Map(Object.entries(row).map(([name, value]) => [name.toLowerCase(), value]));
  const read = (name: keyof typeof COLUMNS): string => {
    for (const column of COLUMNS[name]) if (cells.get(column)) return cells.get(column)!;
    return '';
  };
  const line = [[read('number'), read('street')].filter(isText).join(' '), read('line2')].filter(isText);
  const given = [read('given'), read('middle')].filter(isText);
  const suffix = read('suffix') || undefined;
  const names = [{ family: read('family'), given, suffix, use: 'official' }];
  if (read('maiden')) names.push({ family: read('maiden'), given, suffix, use: 'maiden' });
  return {
    names,
    birthDate: dateOf(read('birth')),
    gender: ({ m: 'male', f: 'female', male: 'male', female: 'female' } as const)[read('sex').toLowerCase()],
    addresses:
      line.length > 0 || read('city') || read('postalCode')
        ? [
            {
              line,
              city: read('city') || undefined,
              state: read('state') || undefined,
              postalCode: read('postalCode') || undefined,
            },
          ]
        : [],
    phones: [read('phone')].filter(isText),
    emails: [read('email')].filter(isText),
    identifiers: Object.entries(IDENTIFIERS).flatMap(([column, identifier]) => {
      const value = cells.get(column);
      return value ? [{ ...identifier, value }] : [];
    }),
  };
}

/** `19281209`, `1928-12-09`, `1928/12/09` or `12/09/1928` as a FHIR date. */
function dateOf(written: string): string | undefined {
  const [, year, month, day] = /^(\d{4})[-/]?(\d{2})[-/]?(\d{2})/.exec(written) ?? [];
  if (year !== undefined) return `${year}-${month}-${day}`;
  const [, m, d, y] = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(written) ?? [];
  if (y !== undefined) return `${y}-${m!.padStart(2, '0')}-${d!.padStart(2, '0')}`;
  return /^\d{4}$/.test(written) ? written : undefined;
}

function isText(value: string): boolean {
  return value !== '';
}
