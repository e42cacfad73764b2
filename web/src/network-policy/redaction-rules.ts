/** Rules of redaction as a form has them. */
import type { PolicyRedaction } from '../api/contract.ts';

/** A rule as it is typed; the number only tells it from others. */
export type TypedRedaction = PolicyRedaction & { number: number };

/** Roles whose reading may be limited; the hub's own is not. */
export const REDACTED_ROLES = [
  'clinician',
  'system',
  'steward',
  'patient',
  'proxy',
  'public-health',
  'researcher',
  'privacy-officer',
];

/** A rule as it is stored. */
export function written({ number: _, ...rule }: TypedRedaction): PolicyRedaction {
  return rule;
}

/** Organisations that are named in rules stay choosable, though the network does not know them any more. */
export function choosable(
  known: readonly { key: string; name: string }[],
  rules: readonly PolicyRedaction[],
): { value: string; label: string }[] {
  const named = rules.flatMap(({ organizations = [] }) => organizations);
  const gone = [...new Set(named)].filter((key) => known.every((one) => one.key !== key));
  return [
    ...known.map(({ key, name }) => ({ value: key, label: name })),
    ...gone.map((key) => ({ value: key, label: key })),
  ];
}
