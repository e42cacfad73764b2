/**
 * EN, AD and TEL → HumanName, Address and ContactPoint.
 */

import type { XmlElement } from '@causeway/ccda';
import { translate } from './concept-maps.ts';
import { type Place, period } from './data-types.ts';
import type { Json } from './fhir-path.ts';
import { own } from './own.ts';
import type { Run } from './run.ts';

/** EN/PN → HumanName. A birth name (`BR`) is a maiden name where it is the family name that is marked. */
export function humanName(run: Run, element: XmlElement, place: Place): Json | undefined {
  const name: Json = {};
  const use = useOf(run, element, 'nameUse', place);
  let birth = false;
  for (const part of element.children) {
    if (part.text === '') continue;
    const path = `${place.path}.${part.name}`;
    if (part.name === 'family') {
      name.family = name.family === undefined ? part.text : `${name.family} ${part.text}`;
      run.account.mapped(part, '#text', place.draft, path);
      if (/\bBR\b/.test(part.attr('qualifier') ?? '')) birth = true;
    } else if (part.name === 'given' || part.name === 'prefix' || part.name === 'suffix') {
      name[part.name] ??= [];
      const list = name[part.name] as string[];
      run.account.mapped(part, '#text', place.draft, `${path}[${list.length}]`);
      list.push(part.text);
    }
    run.account.consumed(part, 'qualifier');
  }
  if (Object.keys(name).length === 0) {
    if (element.text === '') return undefined;
    name.text = element.text;
    run.account.mapped(element, '#text', place.draft, `${place.path}.text`);
  }
  if (birth) name.use = 'maiden';
  else if (use !== undefined) name.use = use;
  const valid = element.child('validTime');
  const during = valid && period(run, valid, { draft: place.draft, path: `${place.path}.period` });
  if (during !== undefined) name.period = during;
  return name;
}

const ADDRESS_PARTS: Record<string, string> = {
  city: 'city',
  county: 'district',
  state: 'state',
  postalCode: 'postalCode',
  country: 'country',
};

/** AD → Address. */
export function address(run: Run, element: XmlElement, place: Place): Json | undefined {
  const result: Json = {};
  const lines: string[] = [];
  for (const part of element.children) {
    if (part.text === '') continue;
    const name = own(ADDRESS_PARTS, part.name);
    if (name !== undefined && result[name] === undefined) {
      result[name] = part.text;
      run.account.mapped(part, '#text', place.draft, `${place.path}.${name}`);
    } else if (part.name !== 'useablePeriod') {
      run.account.mapped(part, '#text', place.draft, `${place.path}.line[${lines.length}]`);
      lines.push(part.text);
    }
  }
  if (lines.length > 0) result.line = lines;
  if (element.text !== '') {
    result.text = element.text;
    run.account.mapped(element, '#text', place.draft, `${place.path}.text`);
  }
  if (Object.keys(result).length === 0) return undefined;
  const use = useOf(run, element, 'addressUse', place);
  if (use !== undefined) result.use = use;
  const valid = element.child('useablePeriod');
  const during = valid && period(run, valid, { draft: place.draft, path: `${place.path}.period` });
  if (during !== undefined) result.period = during;
  return result;
}

const SCHEMES: [RegExp, string][] = [
  [/^tel:/i, 'phone'],
  [/^fax:/i, 'fax'],
  [/^mailto:/i, 'email'],
  [/^sms:/i, 'sms'],
  [/^(https?|ftp):/i, 'url'],
];

/** TEL → ContactPoint. `tel:`, `fax:` and `mailto:` go into the system. */
export function contactPoint(run: Run, element: XmlElement, place: Place): Json | undefined {
  const value = element.attr('value');
  if (value === undefined) return undefined;
  const scheme = SCHEMES.find(([pattern]) => pattern.test(value));
  const system = scheme?.[1] ?? (value.includes('@') ? 'email' : /^[+\d().\-\s x]+$/i.test(value) ? 'phone' : 'other');
  const bare = scheme === undefined || system === 'url' ? value : value.slice(value.indexOf(':') + 1).trim();
  if (bare === '') return undefined;
  run.account.mapped(element, 'value', place.draft, `${place.path}.value`);
  const result: Json = { system, value: bare };
  const use = useOf(run, element, 'telecomUse', place);
  if (use !== undefined) result.use = use;
  const valid = element.child('useablePeriod');
  const during = valid && period(run, valid, { draft: place.draft, path: `${place.path}.period` });
  if (during !== undefined) result.period = during;
  return result;
}

/** ON (a name of an organization or place) → string. */
export function organizationName(run: Run, element: XmlElement, place: Place): string | undefined {
  const name = element.allText;
  if (name === '') return undefined;
  run.account.mapped(element, '#text', place.draft, place.path);
  for (const part of element.children) run.account.mapped(part, '#text', place.draft, place.path);
  return name;
}

function useOf(
  run: Run,
  element: XmlElement,
  map: 'nameUse' | 'addressUse' | 'telecomUse',
  _place: Place,
): string | undefined {
  for (const code of element.attr('use')?.split(/\s+/) ?? []) {
    const use = translate(map, code);
    if (use === undefined) continue;
    run.account.consumed(element, 'use');
    return use;
  }
  return undefined;
}
