/**
 * Medications merged over their sources: the practice's list, the pharmacy's dispenses and the hospital's orders of one
 * drug become one line that names them all and says where they disagree.
 */
import type {
  CodeableConcept,
  Dosage,
  Medication,
  MedicationAdministration,
  MedicationDispense,
  MedicationRequest,
  MedicationStatement,
  Reference,
} from '@medplum/fhirtypes';
import { conceptKeys, conceptText, normalText } from './concepts.ts';
import { newestFirst } from './dates.ts';
import { digitsOf } from './decimals.ts';
import { quantityText, unitText } from './quantities.ts';
import { factsOf, type PersonRecord, resolve } from './record.ts';
import { gatherSame } from './same-fact.ts';
import { sourceOf } from './source.ts';

type MedicationFact = MedicationStatement | MedicationRequest | MedicationDispense | MedicationAdministration;

/** What one source says of a drug. */
export interface MedicationUse {
  fact: MedicationFact;
  concept: CodeableConcept | undefined;
  name: string;
  dosage: string;
  /** `taking`, `stopped`, or `event` for a dispense or administration, which says that it happened, not that it goes on. */
  standing: 'taking' | 'stopped' | 'event' | 'unclear';
  /** What the fact is, in words: `Prescribed`, `Dispensed`, `Reported`, `Given`, `Planned`. */
  kind: string;
  status: string;
  date: string | undefined;
}

export interface MedicationLine {
  name: string;
  /** Newest first. */
  uses: MedicationUse[];
  standing: 'current' | 'past' | 'unclear';
  /** The newest dosage any source gives. */
  dosage: string;
  /** What the sources do not agree on, in words; empty when they agree. */
  disagreements: string[];
  lastDispensed: string | undefined;
}

/** Lines by standing and name: current ones first. */
export function mergeMedications(record: PersonRecord): MedicationLine[] {
  const facts: MedicationFact[] = [
    ...factsOf(record, 'MedicationRequest'),
    ...factsOf(record, 'MedicationStatement'),
    ...factsOf(record, 'MedicationDispense'),
    ...factsOf(record, 'MedicationAdministration'),
  ];
  const uses = facts.map((fact) => useOf(record, fact));
  return gatherSame(uses, drugKeys)
    .map(lineOf)
    .sort((a, b) => ORDER.indexOf(a.standing) - ORDER.indexOf(b.standing) || a.name.localeCompare(b.name));
}

/**
 * A drug's plain product (one ingredient, one strength, no release form) as a key, so that `Metformin 500 MG Oral
 * Tablet` and `metformin 500mg tab` meet; undefined for anything less plain, which then only merges by code or words.
 */
export function plainProduct(name: string): string | undefined {
  const words = normalText(name);
  if (/[/+]| and |\b(er|xr|sr|xl|la|dr|ec|cr|extended|delayed|modified|sustained|release)\b/.test(words))
    return undefined;
  const parts = /^([a-z][a-z -]*?) (\d+(?:\.\d+)?) ?(mg|mcg|ug|g|unt|units?|meq)\b(?:[^\d]*)$/.exec(words);
  return parts ? `product|${parts[1]} ${Number(parts[2])} ${parts[3]}|${routeOf(words)}` : undefined;
}

const ORDER = ['current', 'unclear', 'past'];

function useOf(record: PersonRecord, fact: MedicationFact): MedicationUse {
  const concept = fact.medicationCodeableConcept ?? referenced(record, fact.medicationReference, fact);
  return {
    fact,
    concept,
    name: conceptText(concept) || fact.medicationReference?.display || 'Medication not stated',
    dosage: dosageOf(fact),
    standing: standingOf(fact),
    kind: KINDS[fact.resourceType],
    status: fact.status ?? 'status not stated',
    date: dateOf(fact),
  };
}

function referenced(record: PersonRecord, reference: Reference | undefined, holder: MedicationFact) {
  const medication = resolve(record, reference?.reference, holder) as Medication | undefined;
  return medication?.code;
}

function drugKeys(use: MedicationUse): string[] {
  const product = plainProduct(use.name);
  const named = use.name === 'Medication not stated' ? [] : [`text|${normalText(use.name)}`];
  return [...conceptKeys(use.concept), ...named, ...(product ? [product] : [])];
}

function lineOf(uses: MedicationUse[]): MedicationLine {
  const ordered = uses.toSorted((a, b) => newestFirst(a.date, b.date));
  const therapies = newestOfEachSource(ordered.filter((use) => use.standing !== 'event'));
  const taking = therapies.some((use) => use.standing === 'taking');
  const stopped = therapies.some((use) => use.standing === 'stopped');
  const doses = new Set(therapies.map((use) => dailyDose(use.fact)).filter((dose) => dose !== undefined));
  const disagreements: string[] = [];
  if (taking && stopped) disagreements.push('one has it stopped, another has it current');
  if (taking && doses.size > 1) disagreements.push('the dose or how often it is taken');
  return {
    name: shortestName(ordered),
    uses: ordered,
    standing: taking ? 'current' : stopped ? 'past' : 'unclear',
    dosage:
      (therapies.find((use) => use.standing === 'taking' && use.dosage) ?? ordered.find((use) => use.dosage))?.dosage ??
      '',
    disagreements,
    lastDispensed: ordered.find((use) => use.fact.resourceType === 'MedicationDispense')?.date,
  };
}

/** Within one source the newest therapy speaks: an old, completed order beside its renewal is no disagreement. */
function newestOfEachSource(therapies: MedicationUse[]): MedicationUse[] {
  const seen = new Map<string, MedicationUse>();
  for (const use of therapies) {
    const key = sourceOf(use.fact).key;
    const known = seen.get(key);
    if (!known || (known.standing === 'unclear' && use.standing !== 'unclear')) seen.set(key, use);
  }
  return [...seen.values()];
}

function shortestName(uses: MedicationUse[]): string {
  return uses.map((use) => use.name).reduce((best, name) => (name.length < best.length ? name : best));
}

function standingOf(fact: MedicationFact): MedicationUse['standing'] {
  if (fact.resourceType === 'MedicationDispense' || fact.resourceType === 'MedicationAdministration') return 'event';
  if (fact.status === 'active' || fact.status === 'intended') return 'taking';
  if (['completed', 'stopped', 'cancelled', 'not-taken'].includes(fact.status ?? '')) return 'stopped';
  return 'unclear';
}

const KINDS: Record<MedicationFact['resourceType'], string> = {
  MedicationRequest: 'Prescribed',
  MedicationStatement: 'Reported',
  MedicationDispense: 'Dispensed',
  MedicationAdministration: 'Given',
};

function dateOf(fact: MedicationFact): string | undefined {
  switch (fact.resourceType) {
    case 'MedicationRequest':
      return fact.authoredOn ?? fact.meta?.lastUpdated;
    case 'MedicationStatement':
      return fact.dateAsserted ?? fact.effectiveDateTime ?? fact.effectivePeriod?.start;
    case 'MedicationDispense':
      return fact.whenHandedOver ?? fact.whenPrepared;
    case 'MedicationAdministration':
      return fact.effectiveDateTime ?? fact.effectivePeriod?.start;
  }
}

function dosageOf(fact: MedicationFact): string {
  if (fact.resourceType === 'MedicationAdministration') {
    return (
      fact.dosage?.text ?? [quantityText(fact.dosage?.dose), conceptText(fact.dosage?.route)].filter(Boolean).join(' ')
    );
  }
  const dosages = fact.resourceType === 'MedicationStatement' ? fact.dosage : fact.dosageInstruction;
  return (dosages ?? [])
    .map((dosage) => dosage.text ?? dosage.patientInstruction ?? composedDosage(dosage))
    .filter(Boolean)
    .join('; ');
}

function composedDosage(dosage: Dosage): string {
  const rate = dosage.doseAndRate?.[0];
  const dose = rate?.doseQuantity
    ? quantityText(rate.doseQuantity)
    : rate?.doseRange
      ? `${digitsOf(rate.doseRange.low ?? {}, 'value')}–${quantityText(rate.doseRange.high)}`
      : '';
  const every = conceptText(dosage.timing?.code) || timingText(dosage.timing?.repeat);
  const asNeeded = dosage.asNeededBoolean || dosage.asNeededCodeableConcept ? 'as needed' : '';
  return [dose || unitText(rate?.doseQuantity), conceptText(dosage.route), every, asNeeded].filter(Boolean).join(', ');
}

type Repeat = NonNullable<NonNullable<Dosage['timing']>['repeat']>;

function timingText(repeat: Repeat | undefined): string {
  const perDay = timesPerDay(repeat);
  if (perDay === 1) return 'once a day';
  if (perDay === 2) return 'twice a day';
  if (perDay !== undefined && perDay > 2 && Number.isInteger(perDay)) return `${perDay} times a day`;
  if (!repeat?.period) return '';
  const unit = PERIODS[repeat.periodUnit ?? ''] ?? repeat.periodUnit ?? '';
  const often = repeat.frequency && repeat.frequency > 1 ? `${repeat.frequency} times ` : '';
  return `${often}every ${repeat.period === 1 ? unit : `${repeat.period} ${unit}s`}`;
}

function timesPerDay(repeat: Repeat | undefined): number | undefined {
  const hours = HOURS[repeat?.periodUnit ?? ''];
  return repeat?.period && hours ? ((repeat.frequency ?? 1) * 24) / (repeat.period * hours) : undefined;
}

/** Dose and times a day where both are given as numbers; free text is not compared, since its wording always differs. */
function dailyDose(fact: MedicationFact): string | undefined {
  if (fact.resourceType !== 'MedicationStatement' && fact.resourceType !== 'MedicationRequest') return undefined;
  const dosages = (fact.resourceType === 'MedicationStatement' ? fact.dosage : fact.dosageInstruction) ?? [];
  const dose = dosages[0]?.doseAndRate?.[0]?.doseQuantity?.value;
  const perDay = timesPerDay(dosages[0]?.timing?.repeat);
  return dosages.length === 1 && dose !== undefined && perDay !== undefined ? `${dose} × ${perDay}` : undefined;
}

const PERIODS: Record<string, string> = { h: 'hour', d: 'day', wk: 'week', mo: 'month', a: 'year', min: 'minute' };
const HOURS: Record<string, number> = { h: 1, d: 24, wk: 168, min: 1 / 60 };

function routeOf(words: string): string {
  return (
    /\b(inject|injection|injectable|cream|ointment|patch|drops?|inhal|spray|solution|suspension|suppositor)/.exec(
      words,
    )?.[1] ?? 'oral'
  );
}
