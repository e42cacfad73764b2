/**
 * The source's discharge summary that comes after the hub stated one of its own: in its transaction the hub's is superseded, and
 * names what took its place (`context.related`). Where that is taken back, the hub's is current again.
 */
import { typeCode } from '@causeway/fhir';
import type { DocumentReference, Encounter, Period, Resource } from '@medplum/fhirtypes';
import { type FhirRecord, openText, ridOf, sealIdentity, type WriteSet } from '../record/index.ts';
import { dischargeSummary, isHubSummary, summaryDocument } from './summaries.ts';

/** A stay that the hub summed up. */
interface Summed {
  loop: string;
  home: number;
  stay: Encounter;
}

export class ReplacedSummaries {
  readonly #record: FhirRecord;

  /** Adds itself to every transaction of the record: before the outbox, which tells of it. */
  constructor(record: FhirRecord) {
    this.#record = record;
    record.writer.beforeCommit((set) => this.#note(set));
  }

  async #note(set: WriteSet): Promise<void> {
    await this.#restore(set);
    const came = set.changes.flatMap((change) => {
      const { after } = change;
      if (after.home < 0 || after.type !== 'DocumentReference' || after.deleted) return [];
      const resource = change.parsed();
      return isSourceSummary(resource)
        ? { home: after.home, document: resource as object as DocumentReference, id: after.id }
        : [];
    });
    if (came.length === 0) return;
    const summed = await this.#summed(set, [...new Set(came.map(({ home }) => home))]);
    for (const { home, document, id } of came) {
      const own = summed.filter((one) => one.home === home);
      if (own.length === 0) continue;
      const named = await this.#named(set, document);
      const replaced = own.find((one) => isOf(document, named, one.stay, own.length === 1));
      if (!replaced) continue;
      summed.splice(summed.indexOf(replaced), 1);
      await this.#supersede(set, replaced, id);
    }
  }

  /** The stays of homes whose summary is the hub's. Nobody makes one of them until the commit. */
  async #summed(set: WriteSet, homes: number[]): Promise<Summed[]> {
    await set.transaction.query({
      name: 'summaries_hold',
      text: `SELECT FROM care_loop WHERE kind = 'transition' AND home = ANY($1) ORDER BY id FOR UPDATE`,
      values: [homes],
    });
    const { rows } = await set.transaction.query({
      name: 'summaries_made',
      text: `SELECT c.id AS loop, r.home, r.rid, r.version, r.body FROM care_loop c
             JOIN resource r ON r.rid = c.focus_rid AND r.type = c.focus_type AND NOT r.deleted
             WHERE c.kind = 'transition' AND c.home = ANY($1)
               AND (SELECT e.event FROM care_loop_event e WHERE e.loop = c.id AND e.event LIKE 'summary-%' ORDER BY e.id DESC LIMIT 1)
                 IN ('summary-made', 'summary-restored')
             ORDER BY c.opened`,
      values: [homes],
    });
    const keys = await this.#record.keys.load(set.transaction, homes);
    return rows.flatMap(({ loop, home, rid, version, body }) => {
      const key = keys.get(home);
      if (!key || !body) return [];
      const stay = JSON.parse(openText(body, key, sealIdentity({ type: 'Encounter', rid, version }))) as Encounter;
      return { loop, home, stay };
    });
  }

  /** The hub's summaries that were replaced by what is taken back now. */
  async #restore(set: WriteSet): Promise<void> {
    const gone = set.changes.flatMap((change) => {
      const { before, after } = change;
      if (after.type !== 'DocumentReference' || !before || before.deleted) return [];
      const isGone = after.deleted || (change.parsed() as DocumentReference | undefined)?.status === 'entered-in-error';
      return isGone ? after : [];
    });
    if (gone.length === 0) return;
    const { rows } = await set.transaction.query<{ loop: string; stay: string; by: string }>({
      name: 'summaries_replaced_by',
      text: `SELECT c.id AS loop, c.focus_rid AS stay, e.note AS by FROM care_loop c JOIN LATERAL (
               SELECT event, note FROM care_loop_event WHERE loop = c.id AND event LIKE 'summary-%' ORDER BY id DESC LIMIT 1) e ON true
             WHERE c.kind = 'transition' AND c.home = ANY($1) AND e.event = 'summary-replaced' AND e.note = ANY($2) FOR UPDATE OF c`,
      values: [gone.map(({ home }) => home), gone.map(({ id }) => `DocumentReference/${id}`)],
    });
    for (const { loop, stay, by } of rows) {
      const isBy = ({ reference }: { reference?: string }) => reference === by;
      await this.#change(set, stay, 'superseded', ({ context = {}, ...known }) => {
        const { related = [], ...other } = context;
        const left = related.filter((one) => !isBy(one));
        return { ...known, status: 'current', context: { ...other, ...(left.length > 0 ? { related: left } : {}) } };
      });
      note(set, loop, 'summary-restored', by);
    }
  }

  /** The Encounters that a document names, as the transaction leaves them. */
  async #named(set: WriteSet, { context }: DocumentReference): Promise<Encounter[]> {
    const rids = (context?.encounter ?? []).flatMap(({ reference }) => {
      const id = /^Encounter\/(.+)$/.exec(reference ?? '')?.[1];
      return id === undefined ? [] : ridOf(id);
    });
    const fresh = set.changes.flatMap((change) =>
      change.after.type === 'Encounter' && rids.includes(change.after.rid)
        ? ((change.parsed() as object as Encounter | undefined) ?? [])
        : [],
    );
    const known = new Set(fresh.map(({ id }) => ridOf(id!)));
    const missing = rids.filter((rid) => !known.has(rid));
    if (missing.length === 0) return fresh;
    const { rows } = await set.transaction.query({
      name: 'summaries_named',
      text: `SELECT home, rid, version, body FROM resource WHERE rid = ANY($1) AND type = ${typeCode('Encounter')} AND NOT deleted`,
      values: [missing],
    });
    const keys = await this.#record.keys.load(
      set.transaction,
      rows.map(({ home }) => home),
    );
    const stored = rows.flatMap(({ home, rid, version, body }) => {
      const key = keys.get(home);
      return key
        ? (JSON.parse(openText(body, key, sealIdentity({ type: 'Encounter', rid, version }))) as Encounter)
        : [];
    });
    return [...fresh, ...stored];
  }

  async #supersede(set: WriteSet, { loop, stay }: Summed, id: string): Promise<void> {
    const by = { reference: `DocumentReference/${id}` };
    await this.#change(set, ridOf(stay.id!), 'current', ({ context = {}, ...known }) => ({
      ...known,
      status: 'superseded',
      context: { ...context, related: [...(context.related ?? []), by] },
    }));
    note(set, loop, 'summary-replaced', by.reference);
  }

  /** Changes the hub's summary of a stay where it is of a status. */
  async #change(
    set: WriteSet,
    stay: string,
    status: DocumentReference['status'],
    change: (known: DocumentReference) => DocumentReference,
  ): Promise<void> {
    const id = summaryDocument(stay);
    await set.load([{ type: 'DocumentReference', id }], [], true);
    const text = set.get('DocumentReference', id)?.text;
    const known = text === undefined ? undefined : (JSON.parse(text) as DocumentReference);
    if (known?.status !== status) return;
    set.put(this.#record.scan(JSON.stringify(change(known)), 'DocumentReference'), 'DocumentReference', id);
  }
}

function note(set: WriteSet, loop: string, event: string, by: string): void {
  set.transaction.send({
    name: 'summary_noted',
    text: `INSERT INTO care_loop_event (loop, by_whom, event, note) VALUES ($1, 'hub', $2, $3)`,
    values: [loop, event, by],
  });
}

function isSourceSummary(resource: object | undefined): boolean {
  const { status, type, id } = (resource ?? {}) as DocumentReference;
  return (
    status === 'current' && !isHubSummary(id) && type?.coding?.some(({ code }) => code === dischargeSummary) === true
  );
}

/**
 * Whether a document is the summary of a stay: it names it, or a visit or time within it; one that says none of that is of the
 * only stay that there is, unless it was written before that began.
 */
function isOf(document: DocumentReference, named: readonly Encounter[], stay: Encounter, isOnly: boolean): boolean {
  if (named.some(({ id }) => id === stay.id)) return true;
  const times = [...named.map(({ period }) => period), document.context?.period].filter((one) => one !== undefined);
  if (times.length > 0) return times.some((one) => overlap(one, stay.period));
  const begun = Date.parse(stay.period?.start ?? '');
  return isOnly && !(Date.parse(document.date ?? '') < begun);
}

function overlap(a: Period, b: Period | undefined): boolean {
  const from = (period: Period | undefined) => timeOf(period?.start, -Infinity);
  const to = (period: Period | undefined) => timeOf(period?.end, Infinity);
  return from(a) <= to(b) && from(b) <= to(a);
}

function timeOf(text: string | undefined, unknown: number): number {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? unknown : time;
}

/** Whether a resource is a summary of the hub's own that the source's has replaced. */
export function isReplacedSummary(resource: Resource | undefined): boolean {
  return (
    resource?.resourceType === 'DocumentReference' && resource.status === 'superseded' && isHubSummary(resource.id)
  );
}
