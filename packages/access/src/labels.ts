/**
 * Security labels as bits: what a resource's codes mean and what its source says (docs/access.md, 2 Labels). Names of the
 * HL7 Healthcare Privacy and Security Classification System: v3-ActCode and v3-Confidentiality.
 */
import { type LabelName, label } from './label-bits.ts';
import { sensitivityOf, type WidenedCodes } from './sensitive-codes.ts';

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

const ofActCode: Record<string, number> = {
  '42CFRPart2': label.part2,
  PSYTHPN: label.psychotherapyNotes,
  ETHUD: label.substanceUse,
  ETH: label.substanceUse,
  SUD: label.substanceUse,
  OPIOIDUD: label.substanceUse,
  PSY: label.mentalHealth,
  MH: label.mentalHealth,
  BH: label.mentalHealth,
  HIV: label.hiv,
  STD: label.sexuallyTransmitted,
  SDV: label.violence,
  DV: label.violence,
  IPV: label.violence,
  SEV: label.violence,
  SEX: label.reproduction,
  PREGNANT: label.reproduction,
  REPRO: label.reproduction,
  GDIS: label.genetics,
};

/** The code that a label is given out as. */
const shownAs: Record<LabelName, { system: string; code: string } | undefined> = {
  unlabelled: undefined,
  part2: { system: actCode, code: '42CFRPart2' },
  psychotherapyNotes: { system: actCode, code: 'PSYTHPN' },
  substanceUse: { system: actCode, code: 'ETHUD' },
  mentalHealth: { system: actCode, code: 'PSY' },
  hiv: { system: actCode, code: 'HIV' },
  sexuallyTransmitted: { system: actCode, code: 'STD' },
  violence: { system: actCode, code: 'SDV' },
  reproduction: { system: actCode, code: 'SEX' },
  genetics: { system: actCode, code: 'GDIS' },
  restricted: { system: confidentiality, code: 'R' },
  veryRestricted: { system: confidentiality, code: 'V' },
};

/** The label of a code; 0 for one that restricts nothing (`N`, `L`, …), undefined for one that is not known. */
export function labelOfCode(system: string | undefined, code: string | undefined): number | undefined {
  if (code === undefined) return undefined;
  if (system === confidentiality || system === undefined) {
    if (code === 'R') return label.restricted;
    if (code === 'V') return label.veryRestricted;
    if (/^[ULMN]$/.test(code)) return 0;
  }
  if (system === actCode || system === undefined) return ofActCode[code];
  return undefined;
}

/**
 * The codings of labels, as `meta.security` has them. Of confidentialities there is one: what is very restricted is not
 * restricted too.
 */
export function codingsOf(labels: number): { system: string; code: string }[] {
  const isShown = (name: LabelName) =>
    labels & label[name] && !(name === 'restricted' && labels & label.veryRestricted);
  return (Object.keys(label) as LabelName[]).flatMap((name) => (isShown(name) ? (shownAs[name] ?? []) : []));
}

/** The names of labels, for people. */
export function namesOf(labels: number): LabelName[] {
  return (Object.keys(label) as LabelName[]).filter((name) => labels & label[name]);
}

/**
 * The labels of a resource: those that its source gave it, and those of what any of its codes means.
 * @param resource FHIR R4, as parsed
 * @param widened codes that a network labels beside the hub's own table
 */
export function labelsOf(resource: Record<string, unknown>, widened?: WidenedCodes): number {
  let labels = 0;
  const { security } = (resource.meta ?? {}) as { security?: unknown };
  if (Array.isArray(security)) {
    for (const one of security) labels |= labelOfCode(textOf(one?.system), textOf(one?.code)) ?? 0;
  }
  for (const name in resource) {
    if (name !== 'meta' && name !== 'text') labels |= labelsWithin(resource[name], widened);
  }
  return labels;
}

/** The key of the organisation that a resource came from; undefined where a client wrote it. */
export function sourceOf(resource: Record<string, unknown>): string | undefined {
  const { tag } = (resource.meta ?? {}) as { tag?: unknown };
  if (!Array.isArray(tag)) return undefined;
  return textOf(tag.find((one) => one?.system === 'urn:causeway:source')?.code);
}

function labelsWithin(value: unknown, widened: WidenedCodes | undefined): number {
  if (typeof value !== 'object' || value === null) return 0;
  let labels = 0;
  if (Array.isArray(value)) {
    for (const one of value) labels |= labelsWithin(one, widened);
    return labels;
  }
  const { system, code } = value as { system?: unknown; code?: unknown };
  if (typeof system === 'string' && typeof code === 'string') labels |= sensitivityOf(system, code, widened);
  for (const name in value) labels |= labelsWithin((value as Record<string, unknown>)[name], widened);
  return labels;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
