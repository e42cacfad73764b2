/** Asks the hub for summaries, one person's after the other, and holds each against the guide and against the record. */
import { strict as assert } from 'node:assert';
import type { HubCalls } from '../../hub/testing-calls.ts';
import { BindingCounts } from './bindings.ts';
import type { Checker } from './checker.ts';
import { checkDocument } from './document.ts';
import { MUTANTS, mutated } from './mutants.ts';
import { sourceFaults } from './source.ts';
import type { Fields } from './values.ts';

/** What was found of one person. */
export interface Examined {
  reasons: string[];
  entries: number;
  bytes: number;
}

/** What was found of all: counts by the profile that resources meet, lines of bindings, kinds of spoilt documents found out. */
export interface Report {
  met: [string, number][];
  bindings: [string, number][];
  found: string[];
  counts: Record<string, number>;
}

export class Examiner {
  readonly #hub: HubCalls;
  readonly #checker: Checker;
  readonly #met = new Map<string, number>();
  readonly #bindings = new BindingCounts();
  readonly #found = new Set<string>();

  constructor(hub: HubCalls, checker: Checker) {
    this.#hub = hub;
    this.#checker = checker;
  }

  async examine(id: string): Promise<Examined> {
    const base = `${this.#hub.url}/fhir`;
    const { bundle, stored, bytes } = await summaryOf(this.#hub, id);
    const checked = checkDocument(this.#checker, bundle);
    for (const name of checked.met) this.#met.set(name, (this.#met.get(name) ?? 0) + 1);
    this.#bindings.add(checked.notes);
    const reasons = [...new Set([...checked.faults, ...sourceFaults(bundle, stored, base)])];
    if (reasons.length === 0) this.#spoil(bundle, stored, base);
    return { reasons, entries: (bundle.entry as unknown[]).length, bytes };
  }

  report(): Report {
    return {
      met: [...this.#met],
      bindings: [...this.#bindings.lines],
      found: [...this.#found],
      counts: { ...this.#checker.counts },
    };
  }

  /** Notes which kinds of faults the checker finds in a sound document that is spoilt; each kind is looked for until it is found. */
  #spoil(bundle: Fields, stored: Fields[], base: string): void {
    for (const [name, expected, how] of MUTANTS) {
      if (this.#found.has(name)) continue;
      const spoilt = mutated(bundle, how);
      if (spoilt === undefined) continue;
      const faults = [...checkDocument(this.#checker, spoilt).faults, ...sourceFaults(spoilt, stored, base)];
      if (faults.some((fault) => expected.test(fault))) this.#found.add(name);
    }
  }
}

async function summaryOf(hub: HubCalls, id: string): Promise<{ bundle: Fields; stored: Fields[]; bytes: number }> {
  const { status, json, text } = await hub.get(`/fhir/Patient/${id}/$summary`);
  assert.equal(status, 200, text.slice(0, 300));
  const stored: Fields[] = [];
  for (let path: string | undefined = `/fhir/Patient/${id}/$everything?_count=5000`; path !== undefined; ) {
    const page = await hub.get(path);
    assert.equal(page.status, 200, page.text.slice(0, 300));
    stored.push(...page.json.entry.map(({ resource }: { resource: Fields }) => resource));
    const next: string | undefined = page.json.link.find(({ relation }: Fields) => relation === 'next')?.url;
    path = next?.slice(hub.url.length);
  }
  return { bundle: json, stored, bytes: Buffer.byteLength(text) };
}
