/**
 * What was taken from a FHIR server and is not there any more: all ids of each type are asked for, and of what does not show
 * each resource by itself. Only an answer that it is not there (404, 410) counts, and not too many of them. What was taken for
 * deleted and shows again was hidden for a while, and is there again.
 */
import type { FhirClient, Json } from './fhir-client.ts';
import { type Run, SourceFault } from './run.ts';
import type { FhirSettings } from './settings.ts';

const pageSize = 1_000;

/** `Type/id` of each that is missing, and of each that is back. @throws SourceFault where more are missing than is believed */
export async function comparedIds(
  run: Run<FhirSettings>,
  client: FhirClient,
  types: readonly string[],
): Promise<{ missing: string[]; back: string[] }> {
  const { mostGone } = run.settings;
  const missing: string[] = [];
  const back: string[] = [];
  for (const type of types) {
    const begun = await run.items.now();
    let next: string | undefined = `${type}?_elements=id&_count=${pageSize}`;
    while (next !== undefined) {
      const { json }: { json: Json } = await client.get(next);
      const ids = (json?.entry ?? []).flatMap(({ resource }: Json) => (resource?.id ? `${type}/${resource.id}` : []));
      back.push(...(await run.items.gone(ids)));
      await run.items.seen(ids);
      const link = (json?.link ?? []).find(({ relation }: Json) => relation === 'next')?.url;
      next = typeof link === 'string' ? client.own(link) : undefined;
      await run.save(run.progress);
    }
    const unseen = await run.items.unseen(type, begun, mostGone + 1);
    if (unseen.length + missing.length > mostGone) {
      throw new SourceFault(
        `More than ${mostGone} resources are not at the server any more, which is not believed: nothing was withdrawn. Where it is right, let mostGone be higher.`,
      );
    }
    for (const item of unseen) {
      const { status } = await client.ask('GET', item);
      if (status === 404 || status === 410) missing.push(item);
      else if (status === 200) await run.items.seen([item]);
    }
  }
  return { missing, back };
}
