/**
 * How a hub labels: by what codes mean, by the network's own value sets, and by where something comes from. What could not be
 * labelled, and what was labelled by older rules, is labelled beside; meanwhile the access decision has the last labels,
 * or takes what has none for restricted (docs/access.md, 5), so nothing need wait for it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { label, labelsOf, sourceOf } from '@causeway/access';
import type { Database, LedWork } from '../database/index.ts';
import { type Access, accessOf } from '../trust/index.ts';
import { LabelRules, type RecordChange } from './label-rules.ts';
import { LateLabelling } from './late-labelling.ts';
import type { FhirRecord } from './record.ts';
import { Relabelling } from './relabelling.ts';

export interface HubLabelsParts {
  database: Database;
  record: FhirRecord;
  /** Whether an organisation is a programme under 42 CFR Part 2. */
  isPart2(organization: string): boolean;
  /** Enters a change that the hub makes by itself in the record of accesses. */
  recordOf(access: Access): RecordChange;
  /** Is told what went wrong. */
  fault(error: unknown, text: string): void;
}

/** Other hubs hear of a change of a participant a moment later; what they stored meanwhile is labelled then. */
const heardMs = 5_000;

export class HubLabels {
  readonly rules: LabelRules;
  readonly #parts: HubLabelsParts;
  readonly #late: LateLabelling;
  readonly #anew: Relabelling;

  constructor(parts: HubLabelsParts) {
    const { database, record, isPart2, recordOf, fault } = parts;
    const hub = accessOf({ username: 'hub', name: 'The hub', role: 'system', organization: 'hub' });
    this.#parts = parts;
    this.rules = new LabelRules(
      database,
      (url) => record.valueSet(hub, url),
      () => record.parameters.refreshed(),
    );
    record.parameters.beforeVersion = () => this.rules.load();
    record.writer.labelling = (resource) =>
      labelsOf(resource, this.rules.codes) | (isPart2(sourceOf(resource) ?? '') ? label.part2 : 0);
    this.#late = new LateLabelling(record, fault);
    this.#anew = new Relabelling({
      database,
      keys: record.keys,
      rules: this.rules,
      labelling: (resource) => record.writer.labelling(resource),
      record: recordOf(hub),
      fault: (error) => fault(error, 'what was stored was not labelled anew'),
    });
    record.writer.afterCommit(({ changes }) => {
      if (changes.some(({ after }) => after.type === 'ValueSet' || after.type === 'CodeSystem')) this.#anew.wake();
    });
  }

  /** Loads the rules, and begins to label what nobody has labelled. */
  async start(): Promise<void> {
    await this.rules.load();
    void this.#late.run();
  }

  /** What one hub at a time does: labelling anew what older rules labelled. */
  get anew(): LedWork {
    return this.#anew;
  }

  /** Labels anew all of an organisation's patients. Never rejects. */
  async relabel(organization: string): Promise<void> {
    const { record, fault } = this.#parts;
    for (const waitMs of [0, heardMs]) {
      await delay(waitMs);
      await record.relabel(organization).catch((error) => fault(error, 'records were not labelled anew'));
    }
  }

  close(): Promise<void> {
    return this.#late.close();
  }
}
