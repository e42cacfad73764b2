/** Makes the simulated region's sites participants, and feeds their messages through the gate's own functions. */
import { dayMessages, messages, neighbourMessages, neighbourSites, sites } from '@causeway/region';
import type { Database } from '../database/index.ts';
import { acceptBundle, acceptCcda, acceptV2 } from '../gate/index.ts';
import type { Received, Receiver } from '../inbox/index.ts';
import type { Accounts, Participants, Role } from '../trust/index.ts';

/** The accounts a demonstration has. Their passwords are public; they are made only together with the region. */
export const demoAccounts: { username: string; password: string; name: string; role: Role }[] = [
  { username: 'clinician', password: 'causeway-clinician', name: 'Dr. Demo Clinician', role: 'clinician' },
  { username: 'steward', password: 'causeway-steward', name: 'Demo Steward', role: 'steward' },
  { username: 'privacy', password: 'causeway-privacy', name: 'Demo Privacy Officer', role: 'privacy-officer' },
  { username: 'patient', password: 'causeway-patient', name: 'Demo Patient', role: 'patient' },
  { username: 'proxy', password: 'causeway-proxy', name: 'Demo Parent', role: 'proxy' },
  { username: 'engineer', password: 'causeway-engineer', name: 'Demo Engineer', role: 'integration-engineer' },
  { username: 'admin', password: 'causeway-admin', name: 'Demo Administrator', role: 'administrator' },
];

/** Which network of the simulated region a hub is: that of the town, or its neighbour, which knows some of its people. */
export type Network = 'town' | 'neighbour';

/** What is told of the demonstration of one network. */
export interface Region {
  people: number;
  seed: number;
  network: Network;
}

const networkNames: Record<Network, string> = { town: 'Ellery Bay', neighbour: 'Brendan Health Network' };
/** Where the clinician of the town works: a participant, so that what its organisation has to close is theirs. */
const clinic = 'Harbor General Hospital';
const atOnce = 256;
const pollMs = 100;

/** Registers the region's sites, of which what somebody told since stays, and makes the demo accounts. */
export async function registerSites(participants: Participants, accounts: Accounts, network: Network): Promise<void> {
  for (const site of network === 'town' ? sites() : neighbourSites()) {
    const known = participants.all().find(({ key }) => key === site.key);
    await participants.put({
      ...known,
      key: site.key,
      name: site.name,
      kind: site.kind,
      sendingFacility: site.sendingFacility,
      sendingApplication: site.sendingApplication,
      identifierSystem: site.identifierSystem,
      identifierAuthority: site.identifierAuthority,
      settings: {
        ...known?.settings,
        oid: site.oid,
        timeZone: site.timeZone,
        identifierSystems: { ...known?.settings.identifierSystems, ...systemsOf(site) },
      },
    });
  }
  for (const { password, ...user } of demoAccounts) {
    const organization = network === 'town' && user.role === 'clinician' ? clinic : networkNames[network];
    await accounts.make({ ...user, organization }, password);
  }
}

function systemsOf(site: { identifierAuthority: string; identifierSystem: string }): Record<string, string> {
  return { [site.identifierAuthority]: site.identifierSystem };
}

/**
 * Feeds the region's story, once. A load that was interrupted goes on at the next start: what was received already is
 * recognised as the same message.
 */
export async function loadRegion(
  parts: { database: Database; receiver: Receiver; participants: Participants },
  { network, ...region }: Region,
  progress: (done: number, total: number) => void,
): Promise<void> {
  const state = await parts.database.query(`SELECT value FROM hub_state WHERE key = 'region'`);
  if (state.rows[0]?.value.loaded) return;
  let received = 0;
  let waiting: Promise<unknown>[] = [];
  for (const message of network === 'town' ? messages(region) : neighbourMessages(region)) {
    waiting.push(parts.receiver.receive(receivedOf(message, parts.participants)));
    received++;
    if (waiting.length >= atOnce) {
      await Promise.all(waiting);
      waiting = [];
      progress(0, received);
    }
  }
  await Promise.all(waiting);
  await processed(parts.database, (left) => progress(received - left, received));
  await parts.database.query(
    `INSERT INTO hub_state (key, value) VALUES ('region', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    [JSON.stringify({ ...region, network, messages: received, loaded: true })],
  );
}

/**
 * Feeds what the sites of the town say on the day on which the demonstration begins, once: what of it is left open is there to
 * be closed.
 */
export async function loadDay(
  parts: { database: Database; receiver: Receiver; participants: Participants },
  { people, seed }: Pick<Region, 'people' | 'seed'>,
  now: Date,
): Promise<void> {
  const { rowCount } = await parts.database.query(`SELECT FROM hub_state WHERE key = 'region-day'`);
  if (rowCount) return;
  for (const message of dayMessages({ people, seed }, now.getTime()))
    await parts.receiver.receive(receivedOf(message, parts.participants));
  await processed(parts.database, () => {});
  await parts.database.query(`INSERT INTO hub_state (key, value) VALUES ('region-day', $1) ON CONFLICT DO NOTHING`, [
    JSON.stringify({ day: now.toISOString() }),
  ]);
}

interface Told {
  dialect: 'hl7v2' | 'ccda' | 'fhir';
  site: string;
  body: string;
  controlId: string;
}

function receivedOf({ dialect, site, body, controlId }: Told, participants: Participants): Received {
  const bytes = Buffer.from(body);
  if (dialect === 'hl7v2') return acceptV2(bytes, participants).received;
  if (dialect === 'fhir') {
    const patient = /"resourceType":"Patient","id":"([^"]+)"/.exec(body)?.[1];
    return acceptBundle(bytes, site, patient, controlId);
  }
  const document = acceptCcda(bytes, site, participants);
  if (typeof document === 'string') throw new Error(`The region made a document that cannot be read: ${document}`);
  return document;
}

async function processed(database: Database, left: (messages: number) => void): Promise<void> {
  for (;;) {
    const { rows } = await database.query(
      `SELECT count(*) AS count FROM message WHERE state = 'received' OR state = 'failed'`,
    );
    left(Number(rows[0]!.count));
    if (Number(rows[0]!.count) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
