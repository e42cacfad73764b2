/** One conversion under way: what is known of the message, the facts made so far, and what was found wrong. */
import type { ConversionContext, ConversionIssue, Fact } from '../conversion.ts';
import { factId } from '../fact-id.ts';
import type { Zone } from './datatypes/datetime.ts';
import { Draft } from './draft.ts';
import type { Atom, SourceSegment } from './source.ts';

const ISSUES_KEPT = 1000;

export class Run {
  readonly context: ConversionContext;
  readonly zone: Zone;
  /** When the message says what it says; facts with a time of their own carry that instead. */
  asOf: string;
  readonly issues: ConversionIssue[] = [];
  readonly drafts = new Map<string, Draft>();
  readonly #byReference = new Map<string, Draft>();
  readonly #repeats = new Map<string, number>();
  /** Segment whose rows are being carried out. */
  segment: SourceSegment | undefined;

  constructor(context: ConversionContext, zone: Zone, asOf: string) {
    this.context = context;
    this.zone = zone;
    this.asOf = asOf;
  }

  /** The fact with this identity, made on first use. `identity` must hold what makes the fact itself, in a fixed order. */
  draft(type: string, mode: Fact['mode'], ...identity: string[]): Draft {
    const key = `${type}|${identity.join('|')}`;
    let draft = this.drafts.get(key);
    if (draft === undefined) {
      const id = factId(this.context.source, type, ...identity);
      draft = new Draft(type, id, key, this.asOf, mode, this.context.messageUri);
      this.drafts.set(key, draft);
      this.#byReference.set(`${type}/${id}`, draft);
    } else if (draft.mode === 'reference') draft.mode = mode;
    return draft;
  }

  /** The fact a reference made in this run points at. */
  referred(reference: unknown): Draft | undefined {
    return this.#byReference.get(String(reference));
  }

  /** How often this identity has been asked for, from 1. */
  repeat(...identity: string[]): number {
    const key = identity.join('|');
    const times = (this.#repeats.get(key) ?? 0) + 1;
    this.#repeats.set(key, times);
    return times;
  }

  issue(severity: ConversionIssue['severity'], code: ConversionIssue['code'], source: string, message: string): void {
    if (this.issues.length < ISSUES_KEPT) this.issues.push({ severity, code, source, message });
  }

  /** An atom of the current segment in the ledger's notation. */
  sourceName(atom: Atom): string {
    const segment = this.segment;
    const where = segment === undefined ? '' : `${segment.name}[${segment.occurrence}]-`;
    return `${where}${atom.field}[${atom.repetition}].${atom.component}.${atom.subcomponent}`;
  }
}
