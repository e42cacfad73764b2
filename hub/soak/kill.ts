/**
 * The kill test: a hub is fed over MLLP and killed with SIGKILL at moments drawn from a seed, also while it starts. In
 * the end every acknowledged message must be there exactly once and processed, and the record must say what the last
 * message about each patient said.
 */
import { rmSync } from 'node:fs';
import { signToken, tokenKey } from '../secrets/index.ts';
import { hubConfig } from '../testing-calls.ts';
import { adt, oru } from '../testing-messages.ts';
import { Feed, type FeedMessage } from './feed.ts';
import { dataFolder, generator, HubProcess, sleep } from './hub-under-test.ts';

export interface KillOptions {
  messages: number;
  kills: number;
  seed: number;
  say?: (text: string) => void;
}

export interface KillResult {
  messages: number;
  kills: number;
  acknowledged: number;
  /** Acknowledged messages that are not there. */
  missing: string[];
  /** Control ids that are there more than once. */
  doubled: string[];
  /** Messages that are not processed. */
  unprocessed: string[];
  /** Facts that differ from what was sent last; empty when the record is right. */
  wrongFacts: string[];
  seconds: number;
}

const patients = 20;
const processedMs = 120_000;

/** Runs the test in a folder of its own, which is deleted. Takes some two seconds a kill. */
export async function runKillTest({ messages, kills, seed, say = () => {} }: KillOptions): Promise<KillResult> {
  const begun = performance.now();
  const random = generator(seed);
  const dataDir = dataFolder();
  const feed = new Feed(messagesOf(messages));
  const hub = new HubProcess(hubConfig(dataDir, 'embedded', { logLevel: 'error' }));
  try {
    const moments = Array.from({ length: kills }, () => Math.floor(random() * messages)).sort((a, b) => a - b);
    await hub.start();
    for (const [i, moment] of moments.entries()) {
      feed.send(hub.mllpPort);
      await feed.acknowledged(moment);
      await sleep(random() * 60);
      await hub.kill();
      await feed.stopped();
      say(`kill ${i + 1} of ${kills} after ${feed.count} acknowledged messages`);
      if (random() < 0.25) await hub.killWhileStarting(random() * 1_500);
      await hub.start();
    }
    feed.send(hub.mllpPort);
    await feed.acknowledged(messages);
    await feed.stopped();
    const result = await inspect(hub.url, dataDir, feed);
    return { messages, kills, acknowledged: feed.count, ...result, seconds: (performance.now() - begun) / 1000 };
  } finally {
    await hub.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Changes of some patients, and a result of each after it. */
function messagesOf(count: number): FeedMessage[] {
  return Array.from({ length: count }, (_, i) => {
    const patient = Math.floor(i / 2) % patients;
    const person = {
      id: `K${patient}`,
      family: `Killed${letters(patient)}`,
      given: 'Kim',
      birth: `19${30 + patient}0101`,
      sex: 'F',
    };
    const time = new Date(Date.UTC(2024, 0, 1) + i * 1_000).toISOString().replace(/\D/g, '').slice(0, 14);
    const stamp = { controlId: `KILL${i}`, time, facility: 'FEED' };
    const text =
      i % 2 === 0
        ? adt('A08', { ...person, street: `${i} Street` }, stamp)
        : oru({ id: person.id }, { order: `ORDER${i}`, code: '718-7', value: String(i) }, stamp);
    return { controlId: stamp.controlId, text, lane: i };
  });
}

async function inspect(
  url: string,
  dataDir: string,
  feed: Feed,
): Promise<Pick<KillResult, 'missing' | 'doubled' | 'unprocessed' | 'wrongFacts'>> {
  const token = await signToken(tokenKey(dataDir), { subject: 'soak', role: 'administrator', expiresInSeconds: 3_600 });
  const get = async (path: string) => {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    // biome-ignore lint/suspicious/noExplicitAny: answers of several shapes.
    return (await response.json()) as any;
  };
  const deadline = Date.now() + processedMs;
  while (Date.now() < deadline) {
    const { waiting, failed } = await get('/api/status');
    if (waiting + failed === 0) break;
    await sleep(100);
  }
  const states = new Map<string, string[]>();
  for (let before: string | null = ''; before !== null; ) {
    const page: { messages: { controlId: string; state: string }[]; next: string | null } = await get(
      `/api/messages?limit=200${before && `&before=${before}`}`,
    );
    for (const { controlId, state } of page.messages) states.set(controlId, [...(states.get(controlId) ?? []), state]);
    before = page.next;
  }
  const ids = feed.texts.map(({ controlId }) => controlId);
  const wrongFacts: string[] = [];
  const results = feed.texts.filter((_, i) => i % 2 === 1).length;
  const { total } = await get('/fhir/Observation?_summary=count');
  if (total !== results) wrongFacts.push(`${total} Observations of ${results} results`);
  for (let patient = 0; patient < Math.min(patients, Math.ceil(feed.texts.length / 2)); patient++) {
    const found = await get(`/fhir/Patient?family:exact=Killed${letters(patient)}`);
    const last = ids.findLastIndex((_, i) => i % 2 === 0 && Math.floor(i / 2) % patients === patient);
    const line = found.entry?.[0]?.resource.address?.[0]?.line?.[0];
    if (found.entry?.length !== 1 || line !== `${last} Street`)
      wrongFacts.push(`patient ${patient}: ${found.entry?.length} found, ${line}, and not ${last} Street`);
  }
  return {
    missing: ids.filter((id) => !states.has(id)),
    doubled: ids.filter((id) => (states.get(id)?.length ?? 0) > 1),
    unprocessed: ids.filter((id) => states.get(id)?.some((state) => state !== 'processed')),
    wrongFacts,
  };
}

function letters(n: number): string {
  return String.fromCharCode(97 + (n % 26), 97 + ((n * 7) % 26), 97 + ((n * 11) % 26));
}
