/** Converting stored messages anew, for tests. */
import type { Json, TestHub } from './testing.ts';

/** The first page of what would change. */
export async function previewOf(hub: TestHub, filter: object = {}): Promise<Json> {
  const { status, text, json } = await hub.send('POST', '/api/reprocess/preview', filter);
  if (status !== 200) throw new Error(`The preview was answered with ${status}: ${text}`);
  return json;
}

/** What such a page says of all its lanes. */
export function changesOf(page: Json): Json[] {
  return page.lanes.flatMap((lane: Json) => lane.changes);
}

/** Converts anew, and waits for the end; the job as it is then. */
export async function carryOut(hub: TestHub, filter: object = {}): Promise<Json> {
  const { status, text, json } = await hub.send('POST', '/api/reprocess', filter);
  if (status !== 202) throw new Error(`The conversion was answered with ${status}: ${text}`);
  let job: Json;
  await waitFor(async () => {
    job = (await hub.get('/api/reprocess')).json.jobs.find(({ id }: Json) => id === json.id);
    return job.state !== 'running';
  });
  return job;
}

/** Makes the facility `CLINIC`, from which tests' messages come, a participant, whose settings can be changed then. */
export async function registerClinic(hub: TestHub): Promise<void> {
  await hub.test.database.query(
    `INSERT INTO participant (key, name, kind, sending_facility) VALUES ('clinic', 'The Clinic', 'practice', 'CLINIC')`,
  );
  await waitFor(async () => (await hub.get('/api/participants')).json.participants.length === 1);
}

/** Resolves when a condition holds; rejects when it does not within a minute. */
export async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('What was waited for did not come.');
}
