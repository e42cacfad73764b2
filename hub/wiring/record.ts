/** The record, the labels that are put on it, who was erased from it, and whom it is about. */
import { Stops, tokensOf } from '../erasure/index.ts';
import { faultText } from '../faults.ts';
import { PersonIndex, patientsIndexed } from '../identity/index.ts';
import { FhirRecord, HubLabels, indexKeyOf } from '../record/index.ts';
import type { Store } from './store.ts';
import type { Trust } from './trust.ts';
import type { Wiring } from './wiring.ts';

export type RecordParts = Awaited<ReturnType<typeof wireRecord>>;

export async function wireRecord(
  { config, progress, log, fault, onStop }: Wiring,
  { database, system, master, participants, accessLog }: Store & Trust,
) {
  const index = await indexKeyOf(system, master);
  const record = new FhirRecord(system, master, index);
  const counted = (done: number, total: number) =>
    progress.count('Making the search index anew, resources', done, total);
  await record.buildIndex(counted, patientsIndexed(index));
  const isAnothers = () =>
    progress.fail('Another hub makes the search index of this database anew. Start this one again when that is done.');
  onStop(record.watchIndex(isAnothers, fault('whose the search index is was not looked up')));
  const hubLabels = new HubLabels({
    database: system,
    record,
    isPart2: (key) => participants.byKey(key).isPart2 === true,
    recordOf: (access) => (transaction, version) =>
      accessLog.recordWith(transaction, [
        { access, entry: { action: 'change-label-rules', what: `version ${version}`, status: 200 } },
      ]),
    fault: (error, text) => log.error({ error: faultText(error) }, text),
  });
  onStop(() => hubLabels.close());
  await hubLabels.start();
  const parameterFault = fault('custom search parameters were not brought up to date');
  await record.parameters.watch(parameterFault);
  onStop(() => record.parameters.close());
  const tokens = await tokensOf(database, master, config.dataDir);
  const stops = new Stops(database, tokens, fault('who was erased was not looked up'));
  await stops.watch();
  onStop(() => stops.close());
  record.keys.isErased = (rid) => stops.isErased(rid);
  stops.onErased = (homes) => record.keys.forget(homes);
  return { record, hubLabels, parameterFault, tokens, stops, persons: new PersonIndex(system, record) };
}
