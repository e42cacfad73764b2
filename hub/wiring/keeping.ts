/** What is kept and what goes: old versions, expunged resources, persons who are erased, the keys of all that stays. */
import { auditKeyColumn, auditSubjectColumn, auditWitnessKeyColumn } from '../audit/index.ts';
import { signingKeyColumn } from '../authorization/index.ts';
import { jobKeyColumn } from '../bulk/index.ts';
import { requestNoteColumn, requestTextColumn } from '../compliance/index.ts';
import { connectorSecretColumn } from '../connectors/index.ts';
import { Erasures, erasureKeyColumn, Maintenance } from '../erasure/index.ts';
import { forgetPatients } from '../identity/index.ts';
import { messageKeyColumn } from '../inbox/index.ts';
import { forgetNetworks, matchingKeyColumn } from '../network/index.ts';
import { forgetDeliveries } from '../outbox/index.ts';
import { Expunger, homeKeyColumn, indexKeyColumn, Labels, Retention } from '../record/index.ts';
import { KeyRotation } from '../secrets/index.ts';
import { totpColumn } from '../trust/index.ts';
import type { Outbox } from './outbox.ts';
import type { RecordParts } from './record.ts';
import type { Store } from './store.ts';
import type { Trust } from './trust.ts';
import type { Wiring } from './wiring.ts';

export type Keeping = ReturnType<typeof wireKeeping>;

export function wireKeeping(
  { config, fault }: Wiring,
  parts: Store & Trust & RecordParts & Pick<Outbox, 'deliveryRetention'>,
) {
  const { system, reached, superuser, record, accessLog, audit, tokens, stops, deliveryRetention } = parts;
  const labels = new Labels(system, record);
  const expunger = new Expunger(system, record, accessLog);
  expunger.also(forgetPatients);
  expunger.also(forgetDeliveries);
  expunger.also(forgetNetworks);
  const erasures = new Erasures({
    database: system,
    record,
    accessLog,
    audit,
    tokens,
    stops,
    dataDir: config.dataDir,
    fault: fault('a person was not erased as was asked'),
  });
  const maintenance = new Maintenance(reached, superuser, fault('the files of the database were not cleared'));
  const retention = new Retention(system, expunger, fault('old versions were not removed as their retention says'));
  retention.also(deliveryRetention);
  return { labels, expunger, erasures, maintenance, retention };
}

/** Goes on with a replacement of the master key that was under way. */
export function wireKeyRotation({ config, fault, onStop }: Wiring, { system, master }: Store): KeyRotation {
  const columns = [
    homeKeyColumn,
    indexKeyColumn,
    erasureKeyColumn,
    messageKeyColumn,
    jobKeyColumn,
    signingKeyColumn,
    totpColumn,
    connectorSecretColumn,
    auditSubjectColumn,
    auditKeyColumn,
    auditWitnessKeyColumn,
    requestTextColumn,
    requestNoteColumn,
    matchingKeyColumn,
  ];
  const rotation = new KeyRotation(
    { database: system, master, dataDir: config.dataDir, columns },
    fault('keys were not wrapped anew as was asked'),
  );
  rotation.resume();
  onStop(() => rotation.close());
  return rotation;
}
