/** Leaves that stand in a resource as codes or extensions, by the place they came from. */
import { codeFor } from '../../v2/vocabularies.ts';
import type { Place } from './places.ts';
import { type Element, extensionOf } from './record.ts';
import { PARTICIPATION } from './segments/schedule.ts';
import { addressType } from './values/contacts.ts';

/** Codes of names, addresses and telecoms, which no table row names. */
export function codeLeaf(place: Place, holder: Element, member: string, value: string): string | undefined {
  const isName = holder.family !== undefined || holder.given !== undefined || holder.suffix !== undefined;
  const isPoint = holder.value !== undefined && holder.code === undefined;
  if (member === 'use' && isName) return codeFor('nameUse', value);
  if (member === 'use' && isPoint) return codeFor('telecomUse', value);
  if (member === 'use' || (member === 'type' && place.component === 7)) return addressType(holder);
  if (member === 'system' && isPoint && /^(phone|fax|email|pager|url|sms|other)$/.test(value))
    return value === 'phone' && holder.use === 'mobile' ? 'CP' : codeFor('telecomSystem', value);
  if (member === 'gender') return codeFor('gender', value);
  if (member === 'priority') return codeFor('requestPriority', value);
  if (member === 'docStatus') return codeFor('documentCompletion', value);
  if (member === 'status') return statusLeaf(place, value);
  return undefined;
}

/** Statuses of resources that one field states. */
function statusLeaf({ target }: Place, value: string): string | undefined {
  const type = target.slice(0, target.indexOf('/'));
  if (type === 'Account' || type === 'Location') return value;
  if (type === 'DocumentReference') return AVAILABILITY[value];
  if (type === 'Appointment' && target.includes('#participant')) return PARTICIPATION[value];
  if (type === 'DiagnosticReport') return codeFor('reportStatus', value);
  if (type === 'ServiceRequest' || type === 'MedicationRequest')
    return codeFor('requestStatus', value === 'cancelled' ? 'revoked' : value);
  return undefined;
}

/** HL7 table 0273. */
const AVAILABILITY: Record<string, string | undefined> = { current: 'AV', superseded: 'OB', 'entered-in-error': 'CA' };

/** The atom's own extension among those of its element, by the component it stood in. */
export function extensionLeaf(place: Place, holder: Element): string | undefined {
  const isPoint = holder.value !== undefined && typeof holder.system === 'string' && !holder.system.includes(':');
  if (place.component === 7 && holder.line !== undefined) return addressType(holder);
  const names = place.target.includes('_family')
    ? FAMILY[place.subcomponent]
    : isPoint
      ? POINT[place.component]
      : (ADDRESS[place.component] ?? CHECK);
  for (const name of names ?? []) {
    const value = extensionOf(holder, `http://hl7.org/fhir/StructureDefinition/${name}`);
    if (typeof value === 'string') return value;
  }
  return undefined;
}

const FAMILY: Record<number, readonly string[] | undefined> = {
  2: ['humanname-own-prefix'],
  3: ['humanname-own-name'],
  4: ['humanname-partner-prefix'],
  5: ['humanname-partner-name'],
};
const POINT: Record<number, readonly string[] | undefined> = {
  5: ['contactpoint-country'],
  6: ['contactpoint-area'],
  7: ['contactpoint-local'],
  8: ['contactpoint-extension'],
  9: ['contactpoint-comment'],
};
/** XAD.8 and .10; the check digit stands before its scheme in CX (2, 3), XON (4, 5) and XCN (11, 12). */
const ADDRESS: Record<number, readonly string[] | undefined> = {
  2: ['identifier-checkDigit'],
  3: ['namingsystem-checkDigit'],
  4: ['identifier-checkDigit'],
  5: ['namingsystem-checkDigit'],
  8: ['iso21090-ADXP-precinct'],
  10: ['iso21090-ADXP-censusTract'],
  12: ['namingsystem-checkDigit'],
};
const CHECK = ['humanname-assembly-order', 'identifier-checkDigit'];
