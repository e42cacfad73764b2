/** Random redaction rules, and what they hide, written from docs/access.md, 7 Redaction, apart from the code it tests. */
import { type LabelName, label, type RedactionRule, type RowFacts } from '@causeway/access';
import type { Random } from './testing-consents.ts';
import type { AccessUser } from './trust/index.ts';

export const redactable = [
  'Patient.address',
  'Patient.telecom',
  'Patient.birthDate',
  'Condition.note',
  'Observation.note',
];

/** Up to three rules. */
export function randomRedactions(r: Random): RedactionRule[] {
  return Array.from({ length: r.below(4) }, () => ({
    elements: redactable.filter(() => r.chance(0.4)).concat(r.of(redactable)),
    ...(r.chance(0.4) ? { purposes: [r.of(['TREAT', 'ETREAT', 'PATRQT', 'HOPERAT', 'HRESCH'])] } : {}),
    ...(r.chance(0.3) ? { roles: [r.of(['clinician', 'patient', 'researcher', 'system'])] } : {}),
    ...(r.chance(0.3) ? { organizations: [r.of(['north', 'south'])] } : {}),
    ...(r.chance(0.3) ? { labels: [r.of<LabelName>(['violence', 'hiv', 'restricted'])] } : {}),
  }));
}

/** The elements that rules hide of a row from somebody who is not the hub's own. */
export function hiddenOf(user: AccessUser, rules: readonly RedactionRule[], row: RowFacts): Set<string> {
  const firsts: Record<string, string> = {
    patient: 'PATRQT',
    proxy: 'FAMRQT',
    researcher: 'HRESCH',
    'public-health': 'PUBHLTH',
    'privacy-officer': 'HCOMPL',
    clinician: 'TREAT',
    system: 'TREAT',
  };
  let purpose = user.purpose ?? firsts[user.role]!;
  if (purpose === 'ETREAT' && !user.isEmergency) purpose = 'TREAT';
  const hidden = new Set<string>();
  for (const { elements, purposes, roles, organizations, labels } of rules) {
    if (purposes ? !purposes.includes(purpose) : ['PATRQT', 'ETREAT'].includes(purpose)) continue;
    if (roles && !roles.includes(user.role)) continue;
    if (organizations && user.participant !== undefined && !organizations.includes(user.participant)) continue;
    if (labels && !(row.labels & 1) && !labels.some((name) => row.labels & label[name])) continue;
    for (const element of elements) if (element.startsWith(`${row.type}.`)) hidden.add(element);
  }
  return hidden;
}
