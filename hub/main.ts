/** Starts a hub: wires its rooms one after the other (`wiring/`), and lets each begin its work in its turn. */
import { begin } from './begin.ts';
import type { Config } from './config.ts';
import { type Lead, LeaderLocks, Leadership, type LedWork, locks } from './database/index.ts';
import type { Progress, RunningHub } from './lifecycle.ts';
import { useDefinitions } from './record/index.ts';
import {
  beginWiring,
  openDirect,
  openMllp,
  openStore,
  wireAccess,
  wireAudit,
  wireDecision,
  wireExchange,
  wireHttp,
  wireInbox,
  wireKeeping,
  wireKeyRotation,
  wireMessages,
  wireOutbox,
  wireRecord,
  wireRevocation,
  wireTrust,
} from './wiring/index.ts';

/**
 * Starts a hub: resolves when it answers, and when its demonstration, if any, is loaded.
 * @param pages finds the folder of the built screens, and builds them where they are missing
 * @param begun what was begun before
 */
export async function startHub(
  config: Config,
  progress: Progress,
  pages?: (say: (text: string) => void) => Promise<string | undefined>,
  begun = begin(config, progress, pages),
): Promise<RunningHub> {
  const wiring = beginWiring(config, progress);
  const { log, fault, onStop, stop } = wiring;
  try {
    const [store] = await Promise.all([openStore(wiring, begun.database), useDefinitions(config.dataDir)]);
    const trust = await wireTrust(wiring, store);
    const record = await wireRecord(wiring, { ...store, ...trust });
    const decision = await wireDecision(wiring, { ...store, ...trust, ...record });
    const ground = { ...store, ...trust, ...record, ...decision };
    const inbox = wireInbox(wiring, ground);
    const revocation = wireRevocation(wiring);
    const outbox = wireOutbox(wiring, { ...ground, ...inbox, ...revocation });
    const keeping = wireKeeping(wiring, { ...ground, ...outbox });
    const audit = await wireAudit(wiring, ground);
    const { participants, accounts, persons } = ground;
    participants.watch(fault('what is known of the participants was not brought up to date'));
    onStop(() => participants.close());

    const demo = config.demo ? await import('./demo/index.ts') : undefined;
    if (demo) {
      await demo.registerSites(participants, accounts, config.region);
      const receivers = await demo.startReceivers(config.dataDir, participants);
      outbox.sendTo.push(...receivers.addresses);
      onStop(() => receivers.close());
    }
    const again = await keeping.erasures.applyRegister();
    if (again > 0) log.warn({ persons: again }, 'persons of the register of erasures were erased again');

    const leaderLocks = new LeaderLocks(store.database);
    const lead = async (what: Lead, work: LedWork) => {
      const leadership = new Leadership(leaderLocks, locks[what], work);
      await leadership.start();
      onStop(() => leadership.stop());
    };
    await lead('inboxLead', inbox.processor);
    await lead('auditLead', audit.sequencer);
    await lead('auditCheckLead', audit.selfCheck);
    await lead('witnessesLead', audit.witnesses);
    if (audit.keyRetention) await lead('auditKeysLead', audit.keyRetention);
    await lead('reprocessLead', inbox.reprocessJobs);

    const messages = wireMessages(wiring, { ...ground, ...inbox, ...outbox });
    const access = wireAccess(wiring, { ...ground, ...revocation });
    const rotation = wireKeyRotation(wiring, store);
    const exchange = wireExchange(wiring, { ...ground, ...inbox, ...outbox, ...messages, ...access, ...revocation });
    const app = wireHttp(
      wiring,
      {
        ...ground,
        ...inbox,
        ...outbox,
        ...keeping,
        ...audit,
        ...messages,
        ...access,
        ...revocation,
        ...exchange,
        rotation,
      },
      { screens: await begun.pages, demoAccounts: demo?.demoAccounts ?? [] },
    );
    const mllp = await openMllp(wiring, { ...ground, ...messages, ...access, ...revocation });
    const direct = await openDirect(wiring, { ...ground, ...inbox, ...outbox, ...messages, ...revocation });
    if (demo) {
      const { people, seed, region } = config;
      await demo.loadRegion(
        { database: store.system, receiver: inbox.receiver, participants },
        { people, seed, network: region },
        (done, total) => progress.count('Loading the simulated region, messages processed', done, total),
      );
      if (region === 'town') {
        const told = { database: store.system, receiver: inbox.receiver, participants };
        await demo.loadDay(told, { people, seed }, new Date());
        await demo.bindDemoAccounts({ record: record.record, persons, bindings: access.bindings }, { people, seed });
      }
    }
    await lead('outboxLead', outbox.sender);
    if (direct) await lead('directLead', direct.notifier);
    await lead('acknowledgementsLead', outbox.acknowledgementRoutes);
    await lead('parametersLead', record.record.parameters.build(record.parameterFault));
    await lead('fanOutLead', audit.fanOut);
    await lead('loopsLead', outbox.loopWatch);
    await lead('labelsLead', record.hubLabels.anew);
    await lead('erasuresLead', keeping.erasures);
    await lead('maintenanceLead', keeping.maintenance);
    if (config.allowExpunge) await lead('retentionLead', keeping.retention);

    const { subscriptions, network, bulk, connectors } = exchange;
    const url = await app.listen({ host: config.host, port: config.port });
    onStop(() => app.close());
    await access.authorization.open(config.publicUrl ?? url);
    outbox.opened.at ||= url;
    subscriptions.open(config.publicUrl ?? url, app.server);
    onStop(() => subscriptions.close());
    await lead('subscriptionsLead', subscriptions);
    network.open(config.publicUrl ?? url);
    await lead('networkLead', network);
    // Jobs are carried out by the server's own routes: they end before it does.
    bulk.start();
    onStop(() => bulk.stop());
    connectors.start();
    onStop(() => connectors.stop());
    return {
      url,
      mllp: { host: config.host, port: mllp.port, tlsPort: mllp.tlsPort },
      directPort: direct?.server.port,
      accounts: demo?.demoAccounts ?? [],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
