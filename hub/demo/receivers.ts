/** The region's sites as destinations: they listen inside the hub's process and keep what they get as files. */
import { join } from 'node:path';
import { type Endpoint, mainRoute, type Participants, type Route } from '../trust/index.ts';
import { startHospital } from './hospital-receiver.ts';
import { startPractice } from './practice-receiver.ts';

export interface Receivers {
  /** Below which they are sent to over HTTP. */
  addresses: string[];
  close(): Promise<void>;
}

/**
 * Starts the hospital and the practice on free ports and tells the participants where they listen, by their route `main`;
 * what the hospital was said to want stays, as do other routes. What they get lies under `<dataDir>/region/<site>/`.
 */
export async function startReceivers(dataDir: string, participants: Participants): Promise<Receivers> {
  const open: { close(): Promise<void> }[] = [];
  const addresses: string[] = [];
  for (const site of participants.all()) {
    const folder = join(dataDir, 'region', site.key);
    const { routes = [] } = site;
    const before: Pick<Route, 'topics'> & { to?: Endpoint } = routes.find(({ name }) => name === mainRoute) ?? {};
    let to: Endpoint | undefined;
    if (site.key === 'harbor-hospital') {
      const hospital = await startHospital(folder, site.identifierAuthority);
      const wishes = before.to?.dialect === 'hl7v2' && 'host' in before.to ? before.to : {};
      to = { ...wishes, dialect: 'hl7v2', host: '127.0.0.1', port: hospital.port };
      open.push(hospital);
    } else if (site.key === 'millbrook-practice') {
      const practice = await startPractice(folder, site.identifierSystem);
      to = { dialect: 'fhir', url: practice.url };
      addresses.push(practice.url);
      open.push(practice);
    }
    const others = routes.filter(({ name }) => name !== mainRoute);
    if (to) await participants.put({ ...site, routes: [{ ...before, name: mainRoute, to }, ...others] });
  }
  return {
    addresses,
    close: async () => {
      await Promise.all(open.map((receiver) => receiver.close()));
    },
  };
}
