/** The region's sites as destinations: they listen inside the hub's process and keep what they get as files. */
import { join } from 'node:path';
import type { Endpoint, Participants } from '../trust/index.ts';
import { startHospital } from './hospital-receiver.ts';
import { startPractice } from './practice-receiver.ts';

/**
 * Starts the hospital and the practice on free ports and tells the participants where they listen; what the hospital was
 * said to want stays. What they get lies
 * under `<dataDir>/region/<site>/`.
 */
export async function startReceivers(dataDir: string, participants: Participants): Promise<{ close(): Promise<void> }> {
  const open: { close(): Promise<void> }[] = [];
  for (const site of participants.all()) {
    const folder = join(dataDir, 'region', site.key);
    let endpoint: Endpoint | undefined;
    if (site.key === 'harbor-hospital') {
      const hospital = await startHospital(folder, site.identifierAuthority);
      const wishes = site.endpoint?.dialect === 'hl7v2' && 'host' in site.endpoint ? site.endpoint : {};
      endpoint = { ...wishes, dialect: 'hl7v2', host: '127.0.0.1', port: hospital.port };
      open.push(hospital);
    } else if (site.key === 'millbrook-practice') {
      const practice = await startPractice(folder, site.identifierSystem);
      endpoint = { dialect: 'fhir', url: practice.url };
      open.push(practice);
    }
    if (endpoint) await participants.put({ ...site, endpoint });
  }
  return {
    close: async () => {
      await Promise.all(open.map((receiver) => receiver.close()));
    },
  };
}
