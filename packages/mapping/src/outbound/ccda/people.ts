/** Names, addresses and telephone numbers in the forms that the US realm header asks for. */
import type { Address, ContactPoint, HumanName } from '@medplum/fhirtypes';
import { backwards } from './codes.ts';
import { type CdaElement, el } from './element.ts';
import { period } from './values.ts';

/** A person's name: parts where there are any, else the text. */
export function personName(name: HumanName | undefined): CdaElement {
  if (name === undefined) return el('name', { nullFlavor: 'UNK' });
  const { prefix = [], given = [], family, suffix = [], text, use } = name;
  if (family === undefined && given.length === 0) {
    return text === undefined ? el('name', { nullFlavor: 'UNK' }) : el('name', {}, text);
  }
  return el(
    'name',
    { use: nameUse(use) },
    prefix.map((part) => el('prefix', {}, part)),
    given.map((part) => el('given', {}, part)),
    family !== undefined && el('family', { qualifier: use === 'maiden' ? 'BR' : undefined }, family),
    suffix.length > 0 && el('suffix', {}, suffix.join(' ')),
  );
}

/** The patient's name, which has one family name and at least one given name. */
export function patientName(name: HumanName): CdaElement {
  const { prefix = [], given = [], family, suffix = [], text, use, period: during } = name;
  if (family === undefined && given.length === 0 && text === undefined) return el('name', { nullFlavor: 'UNK' });
  const last = family ?? (given.length === 0 ? text : undefined);
  return el(
    'name',
    { use: nameUse(use) },
    prefix.map((part) => el('prefix', {}, part)),
    given.length === 0 ? el('given', { nullFlavor: 'UNK' }) : given.map((part) => el('given', {}, part)),
    last === undefined
      ? el('family', { nullFlavor: 'UNK' })
      : el('family', { qualifier: use === 'maiden' ? 'BR' : undefined }, last),
    suffix.length > 0 && el('suffix', {}, suffix.join(' ')),
    during && period('validTime', during),
  );
}

function nameUse(use: HumanName['use']): string | undefined {
  return use === 'usual' ? 'L' : use === 'official' ? 'C' : use === 'nickname' ? 'P' : undefined;
}

export function nameWords(name: HumanName | undefined): string {
  if (name === undefined) return '';
  const parts = [...(name.prefix ?? []), ...(name.given ?? []), name.family, ...(name.suffix ?? [])];
  return name.text ?? parts.filter((part) => part !== undefined).join(' ');
}

const HOME = /^(us|usa|united states( of america)?)$/i;
const ZIP = /^\d{5}(-\d{4})?$/;
/** Codes of the U.S. Postal Service, by name. */
const STATES = new Map(
  (
    'AL Alabama,AK Alaska,AS American Samoa,AZ Arizona,AR Arkansas,CA California,CO Colorado,CT Connecticut,DE Delaware,' +
    'DC District of Columbia,FL Florida,GA Georgia,GU Guam,HI Hawaii,ID Idaho,IL Illinois,IN Indiana,IA Iowa,KS Kansas,' +
    'KY Kentucky,LA Louisiana,ME Maine,MD Maryland,MA Massachusetts,MI Michigan,MN Minnesota,MS Mississippi,MO Missouri,' +
    'MT Montana,NE Nebraska,NV Nevada,NH New Hampshire,NJ New Jersey,NM New Mexico,NY New York,NC North Carolina,' +
    'ND North Dakota,MP Northern Mariana Islands,OH Ohio,OK Oklahoma,OR Oregon,PA Pennsylvania,PR Puerto Rico,' +
    'RI Rhode Island,SC South Carolina,SD South Dakota,TN Tennessee,TX Texas,UT Utah,VT Vermont,VI Virgin Islands,' +
    'VA Virginia,WA Washington,WV West Virginia,WI Wisconsin,WY Wyoming'
  )
    .split(',')
    .map((entry): [string, string] => [entry.slice(3).toLowerCase(), entry.slice(0, 2)]),
);
const STATE_CODES = new Set(STATES.values());

/**
 * An address. In the United States, which is where one without a country is taken to be, state and postal code are
 * codes; what is no such code joins the street, since the parts may not hold it. HL7's schema has one line for the street.
 */
export function address(value: Address | undefined): CdaElement {
  if (value === undefined || !saysAnything(value)) return el('addr', { nullFlavor: 'UNK' });
  const { city, district, state, postalCode, country, text, use, period: during } = value;
  const lines = [...(value.line ?? [])];
  if (lines.length === 0 && text !== undefined) lines.push(text);
  const american = country === undefined || HOME.test(country.trim());
  let [stateCode, zip] = [state, postalCode];
  if (american) {
    stateCode = state === undefined ? undefined : stateCodeOf(state);
    zip = postalCode !== undefined && ZIP.test(postalCode.trim()) ? postalCode.trim() : undefined;
    if (state !== undefined && stateCode === undefined) lines.push(state);
    if (postalCode !== undefined && zip === undefined) lines.push(postalCode);
  }
  const part = (name: string, words: string | undefined, wanted = true): CdaElement | false =>
    words !== undefined && words.trim() !== '' ? el(name, {}, words) : wanted && el(name, { nullFlavor: 'UNK' });
  return el(
    'addr',
    { use: addressUse(use) },
    part('streetAddressLine', lines.length === 0 ? undefined : lines.join(', ')),
    part('city', city),
    part('county', district, false),
    part('state', stateCode, american),
    part('postalCode', zip, american),
    part('country', american && country !== undefined ? 'US' : country, false),
    during && period('useablePeriod', during, { 'xsi:type': 'IVL_TS' }),
  );
}

function saysAnything({ line, city, state, postalCode, country, text, district }: Address): boolean {
  return [line?.[0], city, state, postalCode, country, text, district].some((part) => part !== undefined);
}

function stateCodeOf(state: string): string | undefined {
  const short = state.trim().toUpperCase();
  return STATE_CODES.has(short) ? short : STATES.get(state.trim().toLowerCase());
}

function addressUse(use: Address['use']): string | undefined {
  return use === 'home' ? 'HP' : use === 'work' ? 'WP' : backwards('addressUse', use);
}

export function addresses(values: readonly Address[] | undefined): CdaElement[] {
  return values === undefined || values.length === 0 ? [address(undefined)] : values.map(address);
}

const SCHEMES: Readonly<Record<string, string>> = {
  phone: 'tel:',
  fax: 'fax:',
  email: 'mailto:',
  sms: 'sms:',
  pager: 'tel:',
};
const TELECOM_USE: Readonly<Record<string, string>> = { home: 'HP', work: 'WP', mobile: 'MC' };

export function telecoms(values: readonly ContactPoint[] | undefined): CdaElement[] {
  const made = (values ?? []).filter(({ value }) => value !== undefined).map(telecom);
  return made.length > 0 ? made : [el('telecom', { nullFlavor: 'UNK' })];
}

function telecom({ system, value = '', use }: ContactPoint): CdaElement {
  const scheme = system === undefined ? 'tel:' : (SCHEMES[system] ?? '');
  const named = /^[a-z]+:/i.test(value) ? value : scheme + value.replace(/\s+/g, system === 'phone' ? '' : ' ');
  return el('telecom', { use: use === undefined ? undefined : TELECOM_USE[use], value: named });
}
