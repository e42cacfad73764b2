/** A brand as a form has it: what the form does not show stays as it was. */
import type { Brand, BrandExtension } from '../api/contract.ts';

export interface Portal {
  /** Only tells it from others. */
  number: number;
  name: string;
  url: string;
  description: string;
  /** What else is said of it. */
  rest: BrandExtension[];
}

export interface TypedBrand {
  name: string;
  alias: string[];
  website: string;
  /** An https address, a picture as a data URL, or nothing. */
  logo: string;
  line: string;
  city: string;
  state: string;
  postalCode: string;
  country: string;
  portals: Portal[];
}

const structure = 'http://hl7.org/fhir/StructureDefinition/organization-';
const brandUrl = `${structure}brand`;
const portalUrl = `${structure}portal`;
const longestLogo = 20_000;

export function typedOf(brand: Brand | null): TypedBrand {
  const { name = '', alias = [], telecom = [], address = [], extension = [] } = brand ?? {};
  const own = extension.find(({ url }) => url === brandUrl)?.extension ?? [];
  const { line = [], city = '', state = '', postalCode = '', country = '' } = address[0] ?? {};
  return {
    name,
    alias,
    website: telecom[0]?.value ?? '',
    logo: own.find(({ url }) => url === 'brandLogo')?.valueUrl ?? '',
    line: line.join(', '),
    city,
    state,
    postalCode,
    country,
    portals: extension.filter(({ url }) => url === portalUrl).map(portalOf),
  };
}

function portalOf({ extension = [] }: BrandExtension, number: number): Portal {
  const part = (name: string) => extension.find(({ url }) => url === name);
  const known = ['portalName', 'portalUrl', 'portalDescription', 'portalEndpoint'];
  return {
    number,
    name: part('portalName')?.valueString ?? '',
    url: part('portalUrl')?.valueUrl ?? '',
    description: part('portalDescription')?.valueMarkdown ?? '',
    rest: extension.filter(({ url }) => !known.includes(url)),
  };
}

/** The Organization that is stored. @param before what was stored, of which the rest stays */
export function brandOf(before: Brand | null, typed: TypedBrand): Brand {
  const { address: _, alias: __, extension: ___, ...rest } = before ?? {};
  const trimmed = (text: string) => text.trim();
  const ownBefore = before?.extension?.find(({ url }) => url === brandUrl)?.extension ?? [];
  const own = [
    ...ownBefore.filter(({ url }) => url !== 'brandLogo'),
    ...(trimmed(typed.logo) === '' ? [] : [{ url: 'brandLogo', valueUrl: trimmed(typed.logo) }]),
  ];
  const extension = [
    ...(own.length > 0 ? [{ url: brandUrl, extension: own }] : []),
    ...typed.portals.map(storedPortal),
  ];
  const alias = typed.alias.map(trimmed).filter((one) => one !== '');
  const line = typed.line
    .split(',')
    .map(trimmed)
    .filter((one) => one !== '');
  const place = Object.fromEntries(
    (['city', 'state', 'postalCode', 'country'] as const)
      .map((name) => [name, trimmed(typed[name])] as const)
      .filter(([, text]) => text !== ''),
  );
  const address = { ...(line.length > 0 ? { line } : {}), ...place };
  return {
    ...rest,
    resourceType: 'Organization',
    name: trimmed(typed.name),
    ...(alias.length > 0 ? { alias } : {}),
    telecom: [{ system: 'url', value: trimmed(typed.website) }],
    ...(Object.keys(address).length > 0 ? { address: [address] } : {}),
    ...(extension.length > 0 ? { extension } : {}),
  };
}

function storedPortal({ name, url, description, rest }: Portal): BrandExtension {
  return {
    url: portalUrl,
    extension: [
      ...(name.trim() === '' ? [] : [{ url: 'portalName', valueString: name.trim() }]),
      { url: 'portalUrl', valueUrl: url.trim() },
      ...(description.trim() === '' ? [] : [{ url: 'portalDescription', valueMarkdown: description.trim() }]),
      ...rest,
    ],
  };
}

/** What is wrong with a logo; undefined where nothing is. */
export function logoFault(logo: string): string | undefined {
  const text = logo.trim();
  if (text === '' || /^data:image\/(png|svg\+xml);base64,/.test(text)) return undefined;
  return URL.parse(text)?.protocol === 'https:' ? undefined : 'An https address';
}

/** A file as a data URL. */
export async function readLogo(file: File): Promise<{ logo: string } | { fault: string }> {
  if (!/^image\/(png|svg\+xml)$/.test(file.type)) return { fault: 'It is neither PNG nor SVG' };
  if (file.size > longestLogo) return { fault: 'It is larger than 20 kB' };
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { logo: `data:${file.type};base64,${btoa(binary)}` };
}
