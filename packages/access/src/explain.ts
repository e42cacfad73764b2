/**
 * Why somebody sees a row, or does not: what each layer of docs/access.md says of it, by the same functions as the
 * decision itself, and in plain words.
 */
import type { LabelName } from './label-bits.ts';
import { namesOf } from './labels.ts';
import type { Limits } from './limits.ts';
import {
  coveredBy,
  type HeldProvision,
  type Hidden,
  hidingLabels,
  isOutside,
  isOwnRecord,
  lacking,
  mayReadType,
  neededPermission,
  type RowFacts,
  whatIsSaid,
} from './visible.ts';

/** Who asks, as the decision sees it. */
export interface Asker {
  limits: Limits;
  /** The limits that it would have if the network had no rules of its own. */
  withoutRules: Limits;
  isEmergency: boolean;
  /** The row is of a person to whom the caller is not admitted. */
  isElsewhere?: boolean;
}

/** What one layer says. */
export interface Layer {
  layer: Hidden;
  passes: boolean;
  /** The labels that decided: those that hide it, or for which permission is needed. */
  labels: LabelName[];
  /** Those of them that a rule of the network names, and the table itself does not. */
  byRule: LabelName[];
  /** The consents that decided, by the ids that their provisions have. */
  consents: string[];
  because: Reason;
}

/** What a layer goes by. */
export type Reason =
  | 'custodian'
  | 'type-allowed'
  | 'type-not-allowed'
  | 'no-patient'
  | 'admitted'
  | 'not-admitted'
  | 'no-label'
  | 'own-record'
  | 'labelled'
  | 'emergency'
  | 'not-asked'
  | 'nothing-said'
  | 'refused'
  | 'permission-given'
  | 'permission-missing'
  | 'permission-not-needed';

export interface Explanation {
  isVisible: boolean;
  /** The first layer that hides it. */
  hiddenBy: Hidden | undefined;
  /** All five; those after one that hides say what they would have said. */
  layers: Layer[];
}

/** @param now milliseconds since 1970 */
export function explain(asker: Asker, row: RowFacts, provisions: readonly HeldProvision[], now: number): Explanation {
  const layers = asker.limits.isCustodian
    ? (['role', 'compartment', 'label', 'refusal', 'permission'] as const).map((one) => passing(one, 'custodian'))
    : [
        roleLayer(asker, row),
        compartmentLayer(asker, row),
        labelLayer(asker, row),
        ...consentLayers(asker, row, provisions, now),
      ];
  const hiddenBy = layers.find(({ passes }) => !passes)?.layer;
  return { isVisible: hiddenBy === undefined, hiddenBy, layers };
}

function passing(layer: Hidden, because: Reason, more: Partial<Layer> = {}): Layer {
  return { layer, passes: true, labels: [], byRule: [], consents: [], because, ...more };
}

function roleLayer({ limits }: Asker, { type }: RowFacts): Layer {
  const passes = mayReadType(limits, type);
  return passing('role', passes ? 'type-allowed' : 'type-not-allowed', { passes });
}

function compartmentLayer({ limits, isElsewhere = false }: Asker, row: RowFacts): Layer {
  const passes = !isElsewhere && !isOutside(limits, row);
  return passing('compartment', !passes ? 'not-admitted' : row.patient ? 'admitted' : 'no-patient', { passes });
}

function labelLayer({ limits, withoutRules, isEmergency }: Asker, row: RowFacts): Layer {
  if (!row.patient) return passing('label', 'no-patient');
  const hiding = hidingLabels(limits, row);
  if (hiding) {
    const byRule = namesOf(hiding & ~hidingLabels(withoutRules, row));
    return passing('label', 'labelled', { passes: false, labels: namesOf(hiding), byRule });
  }
  const opened = row.labels & limits.withheld;
  if (opened) return passing('label', 'own-record', { labels: namesOf(opened) });
  const labels = namesOf(row.labels);
  return passing('label', labels.length === 0 ? 'no-label' : isEmergency ? 'emergency' : 'not-asked', { labels });
}

function consentLayers(
  { limits, withoutRules, isEmergency }: Asker,
  row: RowFacts,
  provisions: readonly HeldProvision[],
  now: number,
): Layer[] {
  if (!row.patient) return [passing('refusal', 'no-patient'), passing('permission', 'no-patient')];
  const said = whatIsSaid(limits, row, provisions, now);
  const refusing = idsOf(said.refusing);
  const isAsked = limits.refusals !== 'none';
  const refusal =
    refusing.length > 0
      ? passing('refusal', 'refused', { passes: false, consents: refusing })
      : passing('refusal', isAsked ? 'nothing-said' : isEmergency ? 'emergency' : 'not-asked');
  const need = neededPermission(limits, row);
  const labels = namesOf(need.labels);
  const byRule = namesOf(need.labels & ~neededPermission(withoutRules, row).labels);
  const missing = lacking(need, said);
  if (missing) {
    const lacked = { labels: missing === -1 ? labels : namesOf(missing), byRule };
    return [refusal, passing('permission', 'permission-missing', { passes: false, ...lacked })];
  }
  if (need.labels === 0 && !need.isForAll) {
    const isOwn = isOwnRecord(limits, row) && (row.labels & limits.permissionFor || limits.isPermissionNeeded);
    const because = isEmergency ? 'emergency' : isOwn ? 'own-record' : 'permission-not-needed';
    return [refusal, passing('permission', because)];
  }
  const giving = said.permitting.filter((one) => need.isForAll || coveredBy(provisions, one) & need.labels);
  return [refusal, passing('permission', 'permission-given', { labels, byRule, consents: idsOf(giving) })];
}

function idsOf(provisions: readonly HeldProvision[]): string[] {
  return [...new Set(provisions.map(({ consent }) => consent))];
}
