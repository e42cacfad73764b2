/**
 * The home of a patient of whom one source tells, as it was when it was last asked for. Most searches are about a patient of
 * whom something was just asked: these take it that the home is still all there is of the patient, and the rows that they
 * find tell whether it is (`link.presented`). So they need not ask first.
 */
import { ridOf } from '../keys.ts';
import type { StoredRow } from '../read.ts';
import type { ResolvePatient } from './predicate.ts';

type SourcePatients = Awaited<ReturnType<ResolvePatient>>;

const kept = 10_000;

export class KnownPatients {
  readonly #resolve: ResolvePatient;
  /** By the patient's id as it is stored. */
  readonly #homes = new Map<string, number>();

  constructor(resolve: ResolvePatient) {
    this.#resolve = resolve;
  }

  /** What is known of the id of a patient without asking. */
  get(id: string): SourcePatients | undefined {
    const rid = ridOf(id);
    const home = this.#homes.get(rid);
    return home === undefined ? undefined : { rids: [rid], homes: [home] };
  }

  /** Asks, and keeps the answer where the patient has one source. */
  readonly ask: ResolvePatient = async (id) => {
    const found = await this.#resolve(id);
    const rid = ridOf(id);
    this.#homes.delete(rid);
    if (found.homes.length === 1 && found.rids[0] === rid) {
      if (this.#homes.size >= kept) this.#homes.delete(this.#homes.keys().next().value!);
      this.#homes.set(rid, found.homes[0]!);
    }
    return found;
  };
}

/** What one search takes as known, and whether that is so. */
export class Assumptions {
  readonly #patients: KnownPatients;
  /** Homes by the ids of their patients. */
  readonly #homes = new Map<string, number>();
  /** Homes of which a row was found, and whether their patient had one source then. */
  readonly #told = new Map<number, boolean>();

  constructor(patients: KnownPatients) {
    this.#patients = patients;
  }

  readonly resolve: ResolvePatient = async (id) => {
    const known = this.#patients.get(id);
    if (known) this.#homes.set(id, known.homes[0]!);
    return known ?? this.#patients.ask(id);
  };

  /** Takes notice of what rows tell that the search found. */
  note(rows: readonly StoredRow[]): void {
    if (this.#homes.size === 0) return;
    for (const { home, presented } of rows) {
      this.#told.set(home, (this.#told.get(home) ?? true) && presented === null);
    }
  }

  /** Whether it is so; of what no row tells it is asked. */
  async hold(): Promise<boolean> {
    for (const [id, home] of this.#homes) {
      if (this.#told.get(home)) continue;
      const { homes } = await this.#patients.ask(id);
      if (homes.length !== 1 || homes[0] !== home) return false;
    }
    return true;
  }
}
