/**
 * Creating, updating, patching and deleting one resource, by id or by condition (FHIR R4 §3.1.0.4 to §3.1.0.8). Each
 * change is held against its preconditions in the transaction that makes it.
 */
import type { ScannedResource } from '@causeway/fhir';
import type { Access, AccessNote } from '../trust/index.ts';
import { checkCondition, lockConditions } from './conditions.ts';
import { RecordError } from './errors.ts';
import { isId, ridOf } from './keys.ts';
import { logicalId } from './logical-id.ts';
import { newId } from './new-id.ts';
import { asShown, patchedResource, shownPatients } from './patch.ts';
import { type Patch, type PatchAside, type Patched, withPatches } from './path-patches.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import { homePatient } from './prepare.ts';
import { shownText } from './present.ts';
import { hasSecurity, withoutLabels } from './shown-labels.ts';
import { checkType, existing, mergedPatient, refuseOther, severalFound, targetOf } from './targets.ts';
import type { ResourceKey } from './transaction-resources.ts';
import type { WriteSet } from './write-set.ts';
import type { Writer } from './writer.ts';

/** What a change made; time and text hold once it is committed. */
export interface WriteOutcome {
  status: 200 | 201;
  id: string;
  version: number;
  readonly updated: Date;
  readonly text: string;
}

/** The version that says a resource was deleted, and the text that is gone; undefined where it was deleted before. */
export interface Removal {
  version: number;
  text: string | undefined;
  readonly updated: Date;
}

/** What a conditional search found. */
export interface Found {
  id: string;
  version: number;
  updated: Date;
  text: string;
}

/** The access that a change is, told by its outcome; recorded in the transaction of the change. */
export type Audit<T> = (outcome: T) => AccessNote;

/** What changes need of the record besides. */
export interface ChangeServices {
  writer: Writer;
  /** What carries out patches that may take long. */
  patchAside(): PatchAside;
  /** @throws RecordError 404, 410 */
  read(access: Access, type: string, id: string): Promise<unknown>;
  /** What a conditional search finds, at most `limit`. */
  find(access: Access, type: string, query: string, limit?: number): Promise<Found[]>;
  /** The source patients that a patient or person id stands for. */
  resolvePatient(id: string): Promise<{ rids: string[]; homes: number[] }>;
}

/** How many resources one conditional delete takes away. */
export const removedAtOnce = 1_000;

export class Changes {
  readonly #services: ChangeServices;

  constructor(services: ChangeServices) {
    this.#services = services;
  }

  /** Creates a resource under an id of the hub's making; with `ifNoneExist`, only when that finds nothing. */
  async create(
    access: Access,
    scanned: ScannedResource,
    ifNoneExist?: string,
    audit?: Audit<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const id = newId();
    const type = scanned.resourceType;
    if (ifNoneExist !== undefined) checkCondition(ifNoneExist, 'If-None-Exist');
    const patient = type === 'Patient' ? undefined : homePatient(scanned, id);
    return this.#services.writer.write({
      access,
      keys: [],
      made: [{ type, id }],
      patients: patient === undefined ? [] : [patient],
      alone: ifNoneExist !== undefined,
      ...(audit ? { audit } : {}),
      apply: async (set) => {
        if (ifNoneExist === undefined) return put(set, scanned, id);
        await lockConditions(set.transaction, [{ type, query: ifNoneExist }]);
        const found = await this.#findOne(access, type, ifNoneExist);
        return found ? { status: 200, ...found } : put(set, scanned, id);
      },
    });
  }

  /** Stores the next version of a resource, or its first. @throws RecordError 412 where a precondition does not hold */
  update(
    access: Access,
    scanned: ScannedResource,
    id: string,
    when: Preconditions = {},
    audit?: Audit<WriteOutcome>,
  ): Promise<WriteOutcome> {
    if (!isId(id)) throw new RecordError(400, 'value', 'An id has 1 to 64 letters, digits, - and dots.', 'id');
    if (scanned.id !== id) {
      throw new RecordError(400, 'invariant', 'The id of the resource must be that of the address.', 'id');
    }
    return this.#write(access, scanned, id, audit, (set) => this.#next(set, scanned, id, when));
  }

  /** Updates what a search finds, or creates (FHIR R4 §3.1.0.4.3). @throws RecordError 412 for several */
  async conditionalUpdate(
    access: Access,
    scanned: ScannedResource,
    query: string,
    when: Preconditions = {},
    audit?: Audit<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const type = scanned.resourceType;
    const stated = scanned.id;
    return this.#onCondition(access, type, query, audit, async (set) => {
      const found = await this.#findOne(access, type, query);
      const id = targetOf(found?.id, stated);
      const patient = homePatient(scanned, id);
      await set.load([{ type, id }], patient === undefined ? [] : [patient], hasSecurity(scanned));
      if (!found && stated !== undefined) refuseOther(set.get(type, id));
      return this.#next(set, scanned, id, when, found !== undefined);
    });
  }

  /**
   * Stores what a patch makes of the current version; one that changes nothing makes no version.
   * @throws RecordError 404, 410, 412, 400 for what is no patch, 422 for one that the resource cannot take
   */
  async patch(
    access: Access,
    type: string,
    id: string,
    patch: Patch,
    when: Preconditions = {},
    audit?: Audit<WriteOutcome>,
  ): Promise<WriteOutcome> {
    await this.#services.read(access, type, id);
    return withPatches(access.who, this.#services.patchAside(), (patched) =>
      this.#services.writer.write({
        access,
        keys: [{ type, id }],
        patients: [],
        texts: true,
        ...(audit ? { audit } : {}),
        apply: (set) => this.#patched(set, { type, id }, patch, patched, when),
      }),
    );
  }

  /** Patches what a search finds (FHIR R4 §3.1.0.6.3). @throws RecordError 404 for nothing, 412 for several */
  async conditionalPatch(
    access: Access,
    type: string,
    query: string,
    patch: Patch,
    when: Preconditions = {},
    audit?: Audit<WriteOutcome>,
  ): Promise<WriteOutcome> {
    checkType(type);
    return withPatches(access.who, this.#services.patchAside(), (patched) =>
      this.#onCondition(access, type, query, audit, async (set) => {
        const found = await this.#findOne(access, type, query);
        if (!found) {
          throw new RecordError(404, 'not-found', `The condition finds no ${type} that could be patched.`);
        }
        const key = { type, id: found.id };
        await set.load([key], [], true);
        if (!set.get(type, found.id)) throw mergedPatient();
        return this.#patched(set, key, patch, patched, when);
      }),
    );
  }

  /** Deletes a resource; deleting what is not there changes nothing. Returns the version that says so. */
  async remove(
    access: Access,
    type: string,
    id: string,
    when: Preconditions = {},
    audit?: Audit<Removal | undefined>,
  ): Promise<Removal | undefined> {
    checkType(type);
    return this.#services.writer.write({
      access,
      keys: [{ type, id }],
      patients: [],
      texts: true,
      ...(audit ? { audit } : {}),
      apply: async (set) => {
        const before = set.get(type, id);
        checkPreconditions(when, before);
        if (!before) await this.refuseMerged(type, id);
        if (!before || before.deleted) return before;
        const shown = await shownPatients(set, [before]);
        const after = set.remove(type, id);
        return {
          version: after.version,
          text: asShown(before, shown.get(before.home)),
          get updated() {
            return after.updated;
          },
        };
      },
    });
  }

  /**
   * Deletes all that a search finds, in one transaction; returns what it found.
   * @throws RecordError 412 where it finds more than `removedAtOnce`, or several under If-Match
   */
  async conditionalRemove(
    access: Access,
    type: string,
    query: string,
    when: Preconditions = {},
    audit?: Audit<Found[]>,
  ): Promise<Found[]> {
    checkType(type);
    return this.#onCondition(access, type, query, audit, async (set) => {
      const found = await this.#services.find(access, type, query, removedAtOnce + 1);
      if (found.length > removedAtOnce) {
        const text = `The condition finds more than ${removedAtOnce} resources, which is as many as are deleted at once.`;
        throw new RecordError(412, 'multiple-matches', text);
      }
      if (when.ifMatch !== undefined && found.length > 1) throw severalFound();
      await set.load(
        found.map(({ id }) => ({ type, id })),
        [],
      );
      if (found.length === 0) checkPreconditions(when, undefined);
      for (const { id } of found) {
        const before = set.get(type, id);
        if (!before) throw mergedPatient();
        checkPreconditions(when, before);
        if (!before.deleted) set.remove(type, id);
      }
      return found;
    });
  }

  /** A merged Patient is made from its sources; nothing can be stored under its id. @throws RecordError 409 */
  async refuseMerged(type: string, id: string): Promise<void> {
    if (type !== 'Patient') return;
    const { homes, rids } = await this.#services.resolvePatient(id);
    if (homes.length > 0 && !rids.includes(ridOf(id))) throw mergedPatient();
  }

  /** Carries out a change of what a condition finds, while nobody else decides about that condition. */
  #onCondition<T>(
    access: Access,
    type: string,
    query: string,
    audit: Audit<T> | undefined,
    apply: (set: WriteSet) => Promise<T>,
  ): Promise<T> {
    checkCondition(query);
    return this.#services.writer.write({
      access,
      keys: [],
      patients: [],
      alone: true,
      ...(audit ? { audit } : {}),
      apply: async (set) => {
        await lockConditions(set.transaction, [{ type, query }]);
        return apply(set);
      },
    });
  }

  async #findOne(access: Access, type: string, query: string): Promise<Found | undefined> {
    const found = await this.#services.find(access, type, query);
    if (found.length > 1) throw severalFound();
    return found[0];
  }

  /** The next version, or the first. @param isFound whether a search said that the resource exists */
  async #next(
    set: WriteSet,
    scanned: ScannedResource,
    id: string,
    when: Preconditions,
    isFound = false,
  ): Promise<WriteOutcome> {
    const before = set.get(scanned.resourceType, id);
    checkPreconditions(when, before);
    if (!before && isFound) throw mergedPatient();
    if (!before) await this.refuseMerged(scanned.resourceType, id);
    return put(set, scanned, id);
  }

  async #patched(
    set: WriteSet,
    key: ResourceKey,
    patch: Patch,
    patched: Patched,
    when: Preconditions,
  ): Promise<WriteOutcome> {
    const { type } = key;
    const before = set.get(type, key.id);
    if (!before) await this.refuseMerged(type, key.id);
    const { version, updated, text } = existing(before, type);
    checkPreconditions(when, before);
    const id = logicalId(text!);
    const shown = await shownPatients(set, [before!]);
    const scanned = patchedResource(before!, patch, patched, shown.get(before!.home));
    if (!scanned) return { status: 200, id, version, updated, text: asShown(before!, shown.get(before!.home)) };
    const patient = homePatient(scanned, id);
    if (patient !== undefined) await set.load([], [patient]);
    return put(set, scanned, id);
  }

  #write(
    access: Access,
    scanned: ScannedResource,
    id: string,
    audit: Audit<WriteOutcome> | undefined,
    apply: (set: WriteSet) => Promise<WriteOutcome> | WriteOutcome,
  ): Promise<WriteOutcome> {
    const patient = homePatient(scanned, id);
    return this.#services.writer.write({
      access,
      keys: [{ type: scanned.resourceType, id }],
      patients: patient === undefined ? [] : [patient],
      texts: hasSecurity(scanned),
      ...(audit ? { audit } : {}),
      apply,
    });
  }
}

function put(set: WriteSet, scanned: ScannedResource, id: string): WriteOutcome {
  const before = set.get(scanned.resourceType, id);
  const after = set.put(withoutLabels(scanned, before), scanned.resourceType, id);
  const status = before && !before.deleted ? 200 : 201;
  return {
    status,
    id,
    version: after.version,
    get updated() {
      return after.updated;
    },
    get text() {
      return shownText(after)!;
    },
  };
}
