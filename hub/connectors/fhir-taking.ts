/** Puts resources of a FHIR server into the inbox: those that are not known as they are. */
import type { Received } from '../inbox/index.ts';
import { bundlesOf, patientOf, type ServerResource } from './fhir-bundles.ts';
import { digestOf } from './items.ts';
import type { Run } from './run.ts';
import { type Counts, noCounts } from './store.ts';

const goneDigest = digestOf('gone');

/**
 * @param resources of one that stands there several times, the first is how it is now
 * @param at a deletion, or what says no time of its own, is taken for said then
 * @param begun what was found since then, there or deleted, stays so: of a history the newest comes first @returns what it did
 */
export async function takeResources(
  run: Run,
  base: string,
  resources: readonly ServerResource[],
  at: string,
  begun?: Date,
): Promise<Counts> {
  const named = resources.map((one) => {
    const item = `${one.resource.resourceType}/${one.resource.id}`;
    const patient = patientOf(one.resource, base);
    return { ...one, item, patient, digest: one.text === undefined ? goneDigest : digestOf(one.text) };
  });
  const newest = [...new Map(named.toReversed().map((one) => [one.item, one])).values()];
  const found =
    begun === undefined
      ? new Map()
      : await run.items.foundSince(
          newest.map(({ item }) => item),
          begun,
        );
  const all = newest.filter(({ item, text }) => found.get(item) !== (text === undefined ? 'taken' : 'gone'));
  const present = await run.items.changed(all.filter(({ text }) => text !== undefined));
  const absent = all.filter(({ text }) => text === undefined);
  const known = await run.items.known(absent.map(({ item }) => item));
  const gone = absent.flatMap((one) => (known.has(one.item) ? { ...one, patient: known.get(one.item) } : []));
  const taken = await run.take(bundlesOf(run.participant.key, base, [...present, ...gone], new Date(at)));
  const refused = taken.find((one) => one.refused !== undefined)?.refused;
  if (refused !== undefined) throw new Error(`A Bundle of the server's resources was refused: ${refused}`);
  await run.items.note(present, 'taken');
  await run.items.note(absent, 'gone');
  await run.items.seen(all.flatMap(({ text, item }) => (text === undefined ? [] : [item])));
  const unchanged = all.length - present.length - absent.length;
  return { ...noCounts, taken: present.length, unchanged, gone: gone.length };
}

/** Resources as the messages that they would be. */
export function changedBundles(
  { participant }: Pick<Run, 'participant'>,
  base: string,
  resources: readonly ServerResource[],
  at: Date,
): Received[] {
  return bundlesOf(participant.key, base, resources, at);
}
