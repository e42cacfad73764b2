/** The segments that say who a message is about (MSH, EVN, PID, PD1, NK1), as hospital and laboratory write them. */

import { compactTime, V2_OFFSET } from './calendar.ts';
import { components, rawComponents, segment } from './er7.ts';
import type { Person } from './people.ts';
import type { Demographics } from './registrations.ts';
import { type Clinician, OIDS, siteOf } from './sites.ts';

/** The hospital writes its offset behind every time; the laboratory writes none. */
export function hospitalTime(at: number): string {
  return compactTime(at) + V2_OFFSET;
}

/** MSH; the type as `ADT^A01^ADT_A01`, of which v2.3.1 takes the first two parts. */
export function header(site: 'harbor-hospital' | 'ellery-lab', type: string, at: number, controlId: string): string {
  const { sendingApplication, sendingFacility, v2Version } = siteOf(site);
  const [code, trigger, structure] = type.split('^') as [string, string, string | undefined];
  const time = site === 'harbor-hospital' ? hospitalTime(at) : compactTime(at);
  const name = site === 'harbor-hospital' ? components(code, trigger, structure) : components(code, trigger);
  const receiver = 'CAUSEWAY|HUB';
  const charset = site === 'harbor-hospital' ? '||||||UNICODE UTF-8' : '';
  return `MSH|^~\\&|${sendingApplication}|${sendingFacility}|${receiver}|${time}||${name}|${controlId}|P|${v2Version}${charset}`;
}

/** The hospital's PID; in an update PID-14 says `""`, since the desk asks for a business phone and strikes it. */
export function hospitalPatient(
  person: Person,
  known: Demographics,
  mrn: string,
  account?: string,
  isUpdate = false,
): string {
  const site = siteOf('harbor-hospital');
  const authority = `${site.identifierAuthority}&${site.oid}&ISO`;
  return segment('PID', {
    1: '1',
    3: rawComponents(mrn, undefined, undefined, authority, 'MR'),
    5: components(
      known.family.toUpperCase(),
      known.given.toUpperCase(),
      known.middle?.toUpperCase(),
      known.suffix?.toUpperCase(),
      '',
      '',
      'L',
    ),
    7: known.birthDate?.replaceAll('-', ''),
    8: known.sex,
    10: known.address ? components(person.race, RACES[person.race], 'CDCREC') : undefined,
    11:
      known.address &&
      components(known.address.line, '', known.address.city, known.address.state, known.address.zip, 'USA', 'H'),
    13: phones(known),
    14: isUpdate ? '""' : undefined,
    15: components(person.language, LANGUAGES[person.language], 'ISO639'),
    16: person.marital,
    18: account && components(account, '', '', 'HGHACCT', 'AN'),
    24: person.birthOrder ? 'Y' : undefined,
    25: person.birthOrder?.toString(),
  });
}

/** The laboratory's PID (v2.3.1). */
export function labPatient(known: Demographics, number: string): string {
  const { address } = known;
  return segment('PID', {
    1: '1',
    3: components(number, '', '', siteOf('ellery-lab').identifierAuthority),
    5: components(known.family, known.given, known.middle, known.suffix),
    7: known.birthDate?.replaceAll('-', ''),
    8: known.sex,
    11: address && components(address.line, '', address.city, address.state, address.zip),
    13: known.phone && nationalPhone(known.phone),
  });
}

/** PD1-4: the family doctor. */
export function careProvider(doctor: Clinician): string {
  return segment('PD1', { 4: clinician(doctor) });
}

/** ROL: the family doctor as primary care provider. */
export function careRole(doctor: Clinician): string {
  return segment('ROL', {
    1: '1',
    2: 'AD',
    3: components('PP', 'Primary care provider', 'HL70443'),
    4: clinician(doctor),
  });
}

/** XCN with the national number (v2.5.1). */
export function clinician(doctor: Clinician): string {
  const authority = `NPI&${OIDS.npi}&ISO`;
  const name = components(doctor.npi, doctor.family, doctor.given);
  return rawComponents(name, '', '', '', doctor.degree, '', authority, 'L', '', '', 'NPI');
}

/** XCN as v2.3.1 has it. */
export function labClinician(doctor: Clinician): string {
  return components(doctor.npi, doctor.family, doctor.given, '', '', 'DR', doctor.degree);
}

/** NK1 of the person's next of kin. */
export function kin(person: Person, relative: Person, setId: number): string {
  const kind = person.relations.find((relation) => relation.person === relative.key)?.kind ?? '';
  const [code, text] =
    kind === 'spouse of' ? ['SPO', 'Spouse'] : kind.endsWith('child of') ? parentCode(relative) : ['CHD', 'Child'];
  return segment('NK1', {
    1: String(setId),
    2: components(relative.family.toUpperCase(), relative.given.toUpperCase()),
    3: components(code, text, 'HL70063'),
    4: components(relative.address.line, '', relative.address.city, relative.address.state, relative.address.zip),
    5: nationalPhone(relative.mobile ?? relative.phone),
    7: components('N', 'Next of kin', 'HL70131'),
  });
}

function parentCode(relative: Person): [string, string] {
  return relative.sex === 'F' ? ['MTH', 'Mother'] : ['FTH', 'Father'];
}

function phones(known: Demographics): string | undefined {
  const list: string[] = [];
  if (known.phone)
    list.push(
      components(
        nationalPhone(known.phone),
        'PRN',
        'PH',
        '',
        '',
        ...known.phone.split('-').slice(0, 1),
        known.phone.slice(4).replace('-', ''),
      ),
    );
  if (known.mobile)
    list.push(
      components(
        nationalPhone(known.mobile),
        'ORN',
        'CP',
        '',
        '',
        ...known.mobile.split('-').slice(0, 1),
        known.mobile.slice(4).replace('-', ''),
      ),
    );
  if (known.email) list.push(components('', 'NET', 'Internet', known.email));
  return list.join('~') || undefined;
}

function nationalPhone(phone: string): string {
  return `(${phone.slice(0, 3)})${phone.slice(4)}`;
}

const RACES: Readonly<Record<Person['race'], string>> = {
  '2106-3': 'White',
  '2054-5': 'Black or African American',
  '2028-9': 'Asian',
  '2131-1': 'Other race',
};

const LANGUAGES: Readonly<Record<Person['language'], string>> = {
  en: 'English',
  es: 'Spanish',
  pt: 'Portuguese',
  vi: 'Vietnamese',
};
