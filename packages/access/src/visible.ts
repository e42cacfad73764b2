/**
 * The decision on one row, in memory: for what is not read by a statement, and for explaining. `hub/trust/decision.ts`
 * says the same in SQL.
 */
import { isInPatientCompartment } from '@causeway/fhir';
import { label } from './label-bits.ts';
import type { Limits } from './limits.ts';
import type { Provision } from './provisions.ts';
import type { Interval } from './time.ts';

/** What a decision looks at of a resource. */
export interface RowFacts {
  type: string;
  /** `Type/id` */
  reference: string;
  /** Undefined where it is of no patient. */
  patient?: { source: string };
  labels: number;
  /** The days of the data, `YYYY-MM-DD`; undefined where it has none. */
  days?: { from: string; to: string };
  /** `system|code` of what it is found by. */
  codes: ReadonlySet<string>;
}

/** A provision of a consent that holds for the row's source patient. */
export interface HeldProvision extends Provision {
  /** Tells provisions of one Consent from those of others. */
  consent: string;
  /** When it holds; a newer consent of its group that counts leaves gaps. */
  times: readonly Interval[];
}

/** Why a row is hidden. */
export type Hidden = 'role' | 'compartment' | 'label' | 'refusal' | 'permission';

/** Why a row is hidden from a caller; undefined where it is not. @param now milliseconds since 1970 */
export function hiddenBy(
  limits: Limits,
  row: RowFacts,
  provisions: readonly HeldProvision[],
  now: number,
): Hidden | undefined {
  if (limits.isCustodian) return undefined;
  if (!mayReadType(limits, row.type)) return 'role';
  if (!row.patient) return isOutside(limits, row) ? 'compartment' : undefined;
  if (hidingLabels(limits, row)) return 'label';
  const need = neededPermission(limits, row);
  if (limits.refusals === 'none' && need.labels === 0 && !need.isForAll) return undefined;
  const said = whatIsSaid(limits, row, provisions, now);
  if (said.refusing.length > 0) return 'refusal';
  return lacking(need, said) ? 'permission' : undefined;
}

export function mayReadType({ types }: Limits, type: string): boolean {
  return types === 'all' || types.includes(type);
}

/** Whether what is of no patient is out of bounds for who is confined to patients. */
export function isOutside({ isConfined }: Limits, row: RowFacts): boolean {
  return row.patient === undefined && isConfined && isInPatientCompartment(row.type);
}

/** Whether it is of the caller's organisation, whose own records are excepted. */
export function isOwnRecord({ own }: Limits, { patient }: RowFacts): boolean {
  return own !== undefined && patient?.source === own;
}

/** The labels of a row that hide it. */
export function hidingLabels(limits: Limits, row: RowFacts): number {
  return row.labels & limits.withheld & ~(isOwnRecord(limits, row) ? limits.ownOpens : 0);
}

/** What permission is needed for: labels, and whether for everything. */
export interface Need {
  labels: number;
  isForAll: boolean;
}

export function neededPermission(limits: Limits, row: RowFacts): Need {
  if (isOwnRecord(limits, row)) return { labels: 0, isForAll: false };
  return { labels: row.labels & limits.permissionFor, isForAll: limits.isPermissionNeeded };
}

/** What is missing of a permission that is needed: labels, or, where nothing permits at all, -1. */
export function lacking(need: Need, { permitting, covers }: Said): number {
  return need.isForAll && permitting.length === 0 ? -1 : need.labels & ~covers;
}

/** What consents say of a row to a caller. */
export interface Said {
  refusing: HeldProvision[];
  permitting: HeldProvision[];
  /** Labels for which there is permission. */
  covers: number;
}

/** The provisions that decide: those that apply and of whose exceptions none does. */
export function whatIsSaid(limits: Limits, row: RowFacts, provisions: readonly HeldProvision[], now: number): Said {
  const said: Said = { refusing: [], permitting: [], covers: 0 };
  const isOwn = isOwnRecord(limits, row);
  const applying = new Set<Provision>();
  for (const provision of provisions) {
    const parent = parentOf(provisions, provision);
    if ((!parent || applying.has(parent)) && applies(limits, row, provision, now)) applying.add(provision);
  }
  for (const provision of provisions) {
    if (
      !applying.has(provision) ||
      provisions.some((one) => parentOf(provisions, one) === provision && applying.has(one))
    )
      continue;
    const isNamed = isNaming(provisions, provision);
    if (limits.refusals === 'named' && !isNamed) continue;
    const isBinding = limits.refusals !== 'none' && (isNamed || !isOwn);
    if (provision.effect === 'deny' && isBinding) said.refusing.push(provision);
    if (provision.effect !== 'permit') continue;
    said.permitting.push(provision);
    said.covers |= coveredBy(provisions, provision);
  }
  return said;
}

/** The labels that a permitting provision covers: those that it names, or else the nearest that it is nested in; or all. */
export function coveredBy(provisions: readonly HeldProvision[], provision: HeldProvision): number {
  const path = pathOf(provisions, provision);
  const named = path.findLast(({ labels }) => labels !== undefined)?.labels;
  if (named !== undefined) return named;
  return path[0]!.purposes === undefined ? 0 : ~label.psychotherapyNotes;
}

/** Whether a provision, or what it is nested in, names actors. */
export function isNaming(provisions: readonly HeldProvision[], provision: HeldProvision): boolean {
  return pathOf(provisions, provision).some(({ actors }) => actors !== undefined);
}

function pathOf(provisions: readonly HeldProvision[], { consent, path }: HeldProvision): HeldProvision[] {
  return provisions.filter((one) => one.consent === consent && path.includes(one.node));
}

function parentOf(provisions: readonly HeldProvision[], { consent, path }: HeldProvision): HeldProvision | undefined {
  const parent = path.at(-2);
  return provisions.find((one) => one.consent === consent && one.node === parent);
}

/** Whether a provision's own criteria hold. */
function applies({ names, purpose }: Limits, row: RowFacts, provision: HeldProvision, now: number): boolean {
  const { actors, purposes, labels, types, codes, days, instances, authors, times } = provision;
  if (provision.never || !times.some(({ from, to }) => now >= from && now < to)) return false;
  if (actors && !actors.some((one) => names.includes(one))) return false;
  if (purposes && !purposes.includes(purpose)) return false;
  if (labels !== undefined && (row.labels & labels) === 0) return false;
  if (types && !types.includes(row.type)) return false;
  if (codes && !codes.some((one) => row.codes.has(one))) return false;
  if (instances && !instances.includes(row.reference)) return false;
  if (authors && !authors.includes(authorName(row.patient!.source))) return false;
  return !days || ofDays(days, row.days, provision.permits);
}

/** The name by which a provision names an organisation as an author. */
export function authorName(source: string): string {
  return `${participantSystem}|${source}`;
}

/** The system of participants' keys, where a reference names one by its identifier. */
export const participantSystem = 'urn:causeway:participant';

function ofDays(asked: { from?: string; to?: string }, own: RowFacts['days'], permits: boolean): boolean {
  if (!own) return !permits;
  const { from = '0000', to = '9999-99' } = asked;
  return permits ? own.from >= from && own.to <= to : own.to >= from && own.from <= to;
}
