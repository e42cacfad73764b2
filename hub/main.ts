/** Wires the parts of the hub; the only file that knows them all. */
import { join } from 'node:path';
import pino from 'pino';
import {
  AuditLog,
  auditKeyColumn,
  auditSubjectColumn,
  CheckpointFile,
  SelfCheck,
  Sequencer,
  takeOver,
} from './audit/index.ts';
import {
  Authorization,
  communityFiles,
  ExternalProvider,
  SigningKeys,
  signingKeyColumn,
  userResource,
} from './authorization/index.ts';
import { refuseUnfinished } from './backup/index.ts';
import { Bulk, jobKeyColumn } from './bulk/index.ts';
import { careRulesOf, LateMail, Loops, LoopWatch, Panels, Relationships, Summaries } from './care/index.ts';
import { Refusals, Requests, requestNoteColumn, requestTextColumn, Safeguards } from './compliance/index.ts';
import type { Config } from './config.ts';
import {
  Connectors,
  connectorSecretColumn,
  fhirSource,
  localFolderSource,
  sftpSource,
  sqlSource,
} from './connectors/index.ts';
import { Consents, relationTokens, representedBy } from './consent/index.ts';
import {
  type Database,
  DatabaseStartError,
  type EmbeddedDatabase,
  type Lead,
  LeaderLocks,
  Leadership,
  type LedWork,
  locks,
  migrate,
  openDatabase,
  startEmbeddedDatabase,
} from './database/index.ts';
import { Erasures, erasureKeyColumn, Maintenance, Stops, tokensOf } from './erasure/index.ts';
import { faultText } from './faults.ts';
import {
  ApplicationAcks,
  Authenticator,
  Certified,
  documentId,
  httpServer,
  RateLimits,
  recognise,
  Sending,
  ServerCertificate,
  startMllp,
  V2Gate,
  writeDocument,
} from './gate/index.ts';
import { forgetPatients, PersonIndex } from './identity/index.ts';
import {
  ConversionPool,
  Messages,
  messageKeyColumn,
  Processor,
  Receiver,
  Reprocess,
  ReprocessJobs,
} from './inbox/index.ts';
import type { Progress, RunningHub } from './lifecycle.ts';
import { Direct, Mailer } from './mail/index.ts';
import { forgetNetworks, Network } from './network/index.ts';
import {
  AcknowledgementRoutes,
  Deliveries,
  DeliveryRetention,
  Derivation,
  forgetDeliveries,
  Pickup,
  Sender,
  tryRoute,
  type WriteSummary,
} from './outbox/index.ts';
import { QueryResponder } from './query/index.ts';
import {
  Expunger,
  FhirRecord,
  HubLabels,
  homeKeyColumn,
  Labels,
  LargeBodies,
  LowPriority,
  patchBy,
  Retention,
  ridOf,
  useDefinitions,
} from './record/index.ts';
import { screens } from './screens/index.ts';
import { KeyRotation, masterKey, tokenKey } from './secrets/index.ts';
import { HealthLinks } from './share/index.ts';
import { Subscriptions } from './subscriptions/index.ts';
import {
  AccessLog,
  Accounts,
  Agreements,
  BesideLog,
  Bindings,
  type CertificateFile,
  Certificates,
  Emergencies,
  EmergencyLookups,
  ExternalAccounts,
  FanOut,
  NetworkPolicy,
  Notices,
  notify,
  Onboarding,
  Participants,
  Relations,
  type Role,
  readMapping,
  totpColumn,
  Users,
} from './trust/index.ts';

/**
 * Starts a hub: resolves when it answers, and when its demonstration, if any, is loaded.
 * @param pages finds the folder of the built screens, and builds them where they are missing
 */
export async function startHub(config: Config, progress: Progress, pages = screens): Promise<RunningHub> {
  const log = pino({ level: config.logLevel }, pino.destination(2));
  const fault = (text: string) => (error: unknown) => log.error({ error: faultText(error) }, text);
  const closing: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closing.splice(0).reverse()) {
      await close().catch(fault('a part of the hub did not stop as it should'));
    }
  };
  try {
    const [{ database, reached, superuser }, folder] = await Promise.all([
      openStore(config, progress, closing),
      pages((text) => progress.say(text)),
      useDefinitions(config.dataDir),
    ]);
    const system = database.as('all');
    const master = masterKey(config.dataDir, await hasData(database));
    const participants = new Participants(database);
    await participants.load();
    const accounts = new Accounts(database, {
      master,
      limits: { hours: config.sessionHours, idleMinutes: config.sessionIdleMinutes },
      needsFactor: (role) => needsFactor(config, role),
    });
    const users = new Users(database, accounts);
    const audit = new AuditLog(database, master);
    await takeOver(database, audit, (rows) => progress.say(`Taking over the record of accesses: ${rows} rows`));
    const accessLog = new AccessLog(database, audit, new BesideLog(join(config.dataDir, 'access-log-beside'), master));
    accessLog.watch((brought) => log.warn(brought, 'accesses that were written beside were brought into their record'));
    closing.push(() => accessLog.close());
    const record = new FhirRecord(system, master);
    await record.buildIndex((done, total) => progress.count('Making the search index anew, resources', done, total));
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
    closing.push(() => hubLabels.close());
    await hubLabels.start();
    const parameterFault = fault('custom search parameters were not brought up to date');
    await record.parameters.watch(parameterFault);
    closing.push(() => record.parameters.close());
    const tokens = await tokensOf(database, master, config.dataDir);
    const stops = new Stops(database, tokens, fault('who was erased was not looked up'));
    await stops.watch();
    closing.push(async () => stops.close());
    record.keys.isErased = (rid) => stops.isErased(rid);
    stops.onErased = (homes) => record.keys.forget(homes);
    const persons = new PersonIndex(system, record);
    const agreements = new Agreements(database);
    const onboarding = new Onboarding(database, agreements);
    const policy = new NetworkPolicy(database, participants, agreements);
    policy.relationTokens = relationTokens;
    await policy.load();
    policy.watch(fault('what the network has decided was not brought up to date'));
    closing.push(() => policy.close());
    agreements.watch((expiring) =>
      log.warn({ expiring }, 'certificates or agreements end within 30 days, or have ended'),
    );
    closing.push(async () => agreements.close());
    const relations = new Relations(system, ridOf);
    accessLog.relations = relations;
    const consents = new Consents(record, persons, () => policy.lastKnown.zone);
    policy.beforeChange((transaction, { zone }) => consents.expect(transaction, zone));
    await system.transaction((transaction) => consents.expect(transaction, policy.lastKnown.zone), { scope: 'all' });
    consents.watch(system, fault('what persons decided was not read anew; their records stay closed'));
    closing.push(() => consents.close());
    const pool = new ConversionPool();
    closing.push(() => pool.close());
    record.writer.beforeCommit((set, transaction) => accessLog.recordWith(transaction, set.accesses));
    const lowPriority = new LowPriority(config.dataDir);
    closing.push(() => lowPriority.close());
    const largeBodies = new LargeBodies(lowPriority);
    record.patchAside = patchBy(lowPriority);
    const receiver = new Receiver(database, master, () => processor.wake());
    const isPressed = () => receiver.pressed;
    const spoolDirectory = join(config.dataDir, 'spool');
    const conversion = { database: system, participants, master, pool };
    const processor = new Processor({ ...conversion, record, persons, spoolDirectory, isPressed, log });
    const messages = new Messages(system, master, participants, pool);
    const reprocess = new Reprocess({ ...conversion, record, persons, spoolDirectory, log });
    const reprocessJobs = new ReprocessJobs(
      system,
      reprocess,
      isPressed,
      fault('stored messages were not converted anew as was asked'),
    );
    const signingKeys = new SigningKeys(database, master);
    const sendTo = [...config.sendTo];
    const http = { allowed: () => sendTo, keys: () => signingKeys.load() };
    const mailer = Mailer.of(config);
    const opened = { at: config.publicUrl ?? '' };
    const summary: WriteSummary = async (access, encounter, as) => {
      const writeCcda: ConversionPool['document'] = (texts, options) => pool.document(texts, options);
      return (await writeDocument({ record, writeCcda }, access, { kind: 'discharge-summary', encounter }, as)).xml;
    };
    const pickup =
      mailer &&
      new Pickup({
        database: system,
        record,
        participants,
        policy,
        accessLog,
        mailer,
        summary,
        tokenKey: tokenKey(config.dataDir),
        pages: () => opened.at,
      });
    const mail = { direct: Direct.of(config, mailer), pickup };
    const sender = new Sender({ database: system, record, participants, policy, accessLog, http, mail, summary, log });
    const careRules = () => careRulesOf(policy.lastKnown);
    const relationships = new Relationships(record.keys, participants, careRules);
    new Derivation(record, persons, participants, (...derived) => sender.derived(...derived), relationships);
    new Loops(record, participants, careRules);
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
    const deliveryRetention = new DeliveryRetention(system, participants);
    retention.also(deliveryRetention);
    const deliveries = new Deliveries(system, participants, () => sender.wake());
    const { importFrom, importBytes, bulkHours: hours } = config;
    const bulk = new Bulk({ database: system, record, master, log }, { importFrom, importBytes, hours });
    participants.watch(fault('what is known of the participants was not brought up to date'));
    closing.push(() => participants.close());
    const demo = config.demo ? await import('./demo/index.ts') : undefined;
    if (demo) {
      await demo.registerSites(participants, accounts, config.region);
      const receivers = await demo.startReceivers(config.dataDir, participants);
      sendTo.push(...receivers.addresses);
      closing.push(() => receivers.close());
    }
    const again = await erasures.applyRegister();
    if (again > 0) log.warn({ persons: again }, 'persons of the register of erasures were erased again');
    const leaderLocks = new LeaderLocks(database);
    const lead = async (what: Lead, work: LedWork) => {
      const leadership = new Leadership(leaderLocks, locks[what], work);
      await leadership.start();
      closing.push(() => leadership.stop());
    };
    await lead('inboxLead', processor);
    const checkpointFile = new CheckpointFile(config.dataDir);
    const auditFault = fault('the audit log was not signed');
    const host = new URL(config.publicUrl ?? 'http://causeway').host;
    const sequencer = new Sequencer({ database: system, master, file: checkpointFile, host, fault: auditFault });
    await lead('auditLead', sequencer);
    const tellOfAudit = (text: string) => {
      log.error({ audit: text }, 'the audit log is not as it was');
      return system.transaction(async (transaction) => notify(transaction, 'role:privacy-officer', 'audit', { text }));
    };
    await lead(
      'auditCheckLead',
      new SelfCheck(system, checkpointFile, tellOfAudit, fault('the audit log was not looked at')),
    );
    await lead('reprocessLead', reprocessJobs);

    const acks = new ApplicationAcks(system, master, log);
    closing.push(() => acks.stop());
    const responder = new QueryResponder({ record, persons, database: system, participants, policy, accessLog, log });
    const sending = new Sending({
      policy,
      agreements,
      onboarding,
      erased: (received) => stops.judged(received),
      log,
    });
    const gate = new V2Gate({ receiver, participants, acks, deliveries, responder, sending, log });
    const bindings = new Bindings(database);
    const https = httpsOf(config, log);
    const authorization = new Authorization({
      database,
      master,
      accessLog,
      log,
      keysFrom: config.keysFrom,
      udapFile: config.udap,
      asksCertificates: https?.asksClients ?? false,
      certificateSeen: (client, certificate) => certificates.seen({ client }, certificate),
      user: (username) => accounts.find(username),
      fhirUserOf: (user) => userResource(record, bindings, user),
    });
    closing.push(async () => authorization.close());
    const emergencies = new Emergencies(database);
    const notices = new Notices(database);
    emergencies.watch((overdue) =>
      log.warn({ overdue }, 'emergency accesses wait for their review for more than three days'),
    );
    closing.push(async () => emergencies.close());
    const lookups = new EmergencyLookups(database);
    lookups.watch(fault('look-ups for emergencies were not looked after'));
    closing.push(async () => lookups.close());
    const certificates = new Certificates(
      database,
      participants,
      () => certificateFiles(config),
      fault('when a certificate ends that somebody showed was not noted'),
    );
    certificates.watch(({ what, participant, subject, state }, days) =>
      log.warn({ what, participant, subject, state, days }, 'a certificate has ended, or ends within thirty days'),
    );
    closing.push(() => certificates.close());
    const certified = new Certified({ isAsked: https?.asksClients ?? false, participants, certificates });
    const columns = [
      homeKeyColumn,
      erasureKeyColumn,
      messageKeyColumn,
      jobKeyColumn,
      signingKeyColumn,
      totpColumn,
      connectorSecretColumn,
      auditSubjectColumn,
      auditKeyColumn,
      requestTextColumn,
      requestNoteColumn,
    ];
    const rotation = new KeyRotation(
      { database: system, master, dataDir: config.dataDir, columns },
      fault('keys were not wrapped anew as was asked'),
    );
    rotation.resume();
    closing.push(() => rotation.close());
    const authenticator = new Authenticator(
      accounts,
      tokenKey(config.dataDir),
      {
        verify: (token, shown) => authorization.verify(token, shown),
        certified: (request) => certified.participant(request),
        isActive: async (client) => (await authorization.clients.active(client)) !== undefined,
        homesOf: async (patient) => (await record.homesOf([patient])).get(patient) ?? [],
        emergency: (username, id) => emergencies.underWay(username, id),
        represented: (username, role) => representedBy({ database, record, bindings }, username, role, new Date()),
      },
      policy,
    );
    const subscriptions = new Subscriptions({
      database: system,
      record,
      accessLog,
      log,
      accessOf: (asker) => authenticator.later(asker),
      notifyTo: config.notifyTo,
      mailer,
      pauses: { mailMs: config.mailMinutes * 60_000 },
      tokenKey: tokenKey(config.dataDir),
      days: 30,
    });
    const network = new Network({
      database: system,
      record,
      participants,
      policy,
      accessLog,
      receiver,
      log,
      keys: () => signingKeys.load(),
      peersAt: config.peersAt,
    });
    const connectors = new Connectors({
      database: system,
      master,
      participants,
      pool,
      sources: {
        fhir: fhirSource(() => signingKeys.load()),
        folder: localFolderSource(config.connectorFolders, config.messageBytes),
        sftp: sftpSource(config.messageBytes),
        sql: sqlSource,
      },
      recognise: (bytes, participant) => recognise(bytes, { site: participant }, participants),
      take: async (received) => {
        const judged = await sending.judged(received);
        const receipt = await receiver.receive(judged);
        // One person who was erased keeps nobody else's data from being taken.
        return judged.isErased ? { ...receipt, duplicate: true } : { ...receipt, refused: judged.refused };
      },
      refused: async (participant) => {
        await policy.fresh();
        return policy.refused(participant, 'send');
      },
      log,
    });
    const refusals = new Refusals(system, fault('requests that were refused were not counted; it is tried again'));
    closing.push(() => refusals.close());
    const safeguards = new Safeguards(system, {
      database: system,
      keys: record.keys,
      audit,
      certificates,
      participants,
      settings: { ...config, isHttps: https !== undefined },
      knownAccounts: async () => (await import('./demo/index.ts')).demoAccounts,
      isPassword: (username, password) => accounts.isPassword(username, password),
    });
    const app = httpServer(
      {
        screens: folder,
        trustedProxies: config.trustedProxies,
        pages: {
          publicUrl: config.publicUrl,
          isHttps: https !== undefined,
          sessionSeconds: config.sessionHours * 3600,
        },
        tls: https,
        messageBytes: config.messageBytes,
        log,
      },
      {
        database: system,
        record,
        accessLog,
        audit,
        checkpointFile,
        authenticator,
        emergencies,
        erasures,
        maintenance,
        lookups,
        notices,
        bindings,
        policy,
        agreements,
        onboarding,
        relations,
        panels: new Panels({ database: system, record, persons, relationships, accessLog }),
        refusals,
        requests: new Requests(system, master),
        safeguards,
        sending,
        certified,
        authorization,
        rotation,
        signingKeys,
        network,
        certificates,
        rateLimits: new RateLimits(database),
        bundleBytes: config.bundleBytes,
        spoolDirectory,
        largeBodies,
        writeCcda: (texts, options) => pool.document(texts, options),
        healthLinks: new HealthLinks({ database: system, keys: record.keys }),
        writeSummary: (texts, options) => pool.summary(texts, options),
        accounts,
        users,
        external: externalOf(config, accounts, users),
        demoAccounts: demo?.demoAccounts ?? [],
        messages,
        processor,
        reprocess,
        reprocessJobs,
        persons,
        deliveries,
        receiver,
        gate,
        acks,
        onParticipants: () => sender.wake(),
        tryRoute: (route, participant) => tryRoute(route, participant, { http, mail }),
        beforeLabelling: (key) => record.forgetLabels(key),
        onLabelling: (key) => void hubLabels.relabel(key),
        labelRules: hubLabels.rules,
        participants,
        labels,
        expunger,
        retention,
        deliveryRetention,
        subscriptions,
        pickup,
        connectors,
        allowExpunge: config.allowExpunge,
        bulk,
      },
    );
    const mllp = await startMllp(
      {
        host: config.host,
        port: config.mllpPlain ? config.mllpPort : undefined,
        tls: tlsOf(config),
        maximumFrameBytes: config.messageBytes,
        maximumConnections: config.mllpConnections,
        idleMs: config.mllpIdleMinutes * 60_000,
      },
      { gate, acks, participants, certificates, log },
    );
    closing.push(() => mllp.close());
    if (demo) {
      await demo.loadRegion(
        { database: system, receiver, participants },
        { people: config.people, seed: config.seed, network: config.region },
        (done, total) => progress.count('Loading the simulated region, messages processed', done, total),
      );
      if (config.region === 'town')
        await demo.bindDemoAccounts({ record, persons, bindings }, { people: config.people, seed: config.seed });
    }
    await lead('outboxLead', sender);
    const routes = new AcknowledgementRoutes({ database: system, master, participants, http, log });
    await lead('acknowledgementsLead', routes);
    await lead('parametersLead', record.parameters.build(parameterFault));
    const fanOut = new FanOut(
      database,
      audit,
      (alarm) => log.warn(alarm, 'far more persons were looked at within an hour than usual'),
      fault('the record of accesses was not looked through'),
    );
    await lead('fanOutLead', fanOut);
    const loopWatch = new LoopWatch(
      system,
      (late) => log.warn({ late }, 'loops of care are late and were brought before people'),
      fault('loops of care were not looked at'),
      new Summaries(system, record, careRules, (encounter) => documentId({ kind: 'discharge-summary', encounter })),
      mailer && new LateMail({ database: system, participants, mailer, pages: () => opened.at }),
    );
    await lead('loopsLead', loopWatch);
    await lead('labelsLead', hubLabels.anew);
    await lead('erasuresLead', erasures);
    await lead('maintenanceLead', maintenance);
    if (config.allowExpunge) {
      await lead('retentionLead', retention);
    }
    const url = await app.listen({ host: config.host, port: config.port });
    closing.push(() => app.close());
    await authorization.open(config.publicUrl ?? url);
    opened.at ||= url;
    subscriptions.open(config.publicUrl ?? url, app.server);
    closing.push(() => subscriptions.close());
    await lead('subscriptionsLead', subscriptions);
    network.open(config.publicUrl ?? url);
    await lead('networkLead', network);
    // Jobs are carried out by the server's own routes: they end before it does.
    bulk.start();
    closing.push(() => bulk.stop());
    connectors.start();
    closing.push(() => connectors.stop());
    return {
      url,
      mllp: { host: config.host, port: mllp.port, tlsPort: mllp.tlsPort },
      accounts: demo?.demoAccounts ?? [],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The external provider, where there is one. */
function externalOf(config: Config, accounts: Accounts, users: Users) {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcSecretFile: secretFile, oidcName: name } = config;
  if (issuer === undefined || clientId === undefined) return undefined;
  const mapping = config.oidcAccountsFile === undefined ? undefined : readMapping(config.oidcAccountsFile);
  const scope = mapping?.scope ?? 'openid profile';
  return {
    provider: new ExternalProvider({ issuer, clientId, secretFile, name, scope }, accounts.steps),
    accounts: new ExternalAccounts(accounts, users, mapping),
  };
}

/** Whether a role needs a second factor to sign in. */
function needsFactor({ requireSecondFactor }: Config, role: Role): boolean {
  const officers: readonly Role[] = ['privacy-officer', 'administrator'];
  return requireSecondFactor === 'everybody' || (requireSecondFactor === 'officers' && officers.includes(role));
}

/** The certificates of the hub's own settings. */
async function certificateFiles(config: Config): Promise<CertificateFile[]> {
  const { tlsCertificate, tlsClientCa, mllpTlsCertificate, mllpTlsClientCa, udap } = config;
  return [
    ...(udap === undefined ? [] : await communityFiles(udap)),
    ...(tlsCertificate ? [{ what: 'HTTPS', path: tlsCertificate }] : []),
    ...(tlsClientCa ? [{ what: 'the authority of HTTPS clients', path: tlsClientCa }] : []),
    ...(mllpTlsCertificate ? [{ what: 'MLLP over TLS', path: mllpTlsCertificate }] : []),
    ...(mllpTlsClientCa ? [{ what: 'the authority of MLLP senders', path: mllpTlsClientCa }] : []),
  ];
}

/** The certificate for HTTPS, where the hub speaks it. */
function httpsOf({ tlsCertificate, tlsKey, tlsClientCa }: Config, log: pino.Logger): ServerCertificate | undefined {
  if (tlsCertificate === undefined) return undefined;
  const files = { certificate: tlsCertificate, key: tlsKey!, clientCa: tlsClientCa, clientRequired: false };
  return new ServerCertificate('HTTPS', files, log);
}

/** What the MLLP port with TLS needs, where there is one. */
function tlsOf(config: Config) {
  const { mllpTlsPort, mllpTlsCertificate, mllpTlsKey, mllpTlsClientCa, mllpTlsClientRequired } = config;
  if (mllpTlsPort === undefined) return undefined;
  return {
    port: mllpTlsPort,
    certificate: mllpTlsCertificate!,
    key: mllpTlsKey!,
    clientCa: mllpTlsClientCa,
    clientRequired: mllpTlsClientRequired,
  };
}

async function openStore(config: Config, progress: Progress, closing: (() => Promise<void>)[]) {
  let embedded: EmbeddedDatabase | undefined;
  if (config.databaseUrl === undefined) {
    embedded = await startEmbeddedDatabase({
      dataDir: config.dataDir,
      notice: (text) => progress.say(text),
      died: (reason) => progress.fail(reason),
    });
    closing.push(() => embedded!.stop());
  }
  const reached = embedded?.connection ?? config.databaseUrl!;
  const database = await openDatabase({
    connection: reached,
    maxConnections: config.databaseConnections,
    statementTimeoutMs: config.statementTimeoutMs,
  });
  closing.push(() => database.close());
  await refuseUnfinished(database);
  await migrate(database);
  const superuser = embedded && { ...embedded.superuser, database: embedded.connection.database };
  return { database, reached, superuser };
}

/** Whether the database holds anything that was sealed, so that a lost key is noticed. */
async function hasData(database: Database): Promise<boolean> {
  const { rows } = await database.query(
    'SELECT EXISTS (SELECT 1 FROM home_key) OR EXISTS (SELECT 1 FROM message) OR EXISTS (SELECT 1 FROM oauth_key) AS found',
  );
  if (rows.length === 0) throw new DatabaseStartError('The database gave no answer.');
  return rows[0]!.found;
}
