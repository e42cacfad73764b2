/** How callers show who they are: accounts, tokens of apps, certificates; and what is opened to them in an emergency. */
import {
  Authorization,
  communityFiles,
  ExternalProvider,
  NamedProvider,
  userResource,
} from '../authorization/index.ts';
import type { Config } from '../config.ts';
import { representedBy } from '../consent/index.ts';
import { Authenticator, Certified, ServerCertificate } from '../gate/index.ts';
import {
  type Accounts,
  Bindings,
  type CertificateFile,
  Certificates,
  Emergencies,
  EmergencyLookups,
  ExternalAccounts,
  readMapping,
  type Users,
} from '../trust/index.ts';
import type { Ground } from './decision.ts';
import type { Revocation } from './revocation.ts';
import type { Wiring } from './wiring.ts';

export type Access = ReturnType<typeof wireAccess>;

export function wireAccess(wiring: Wiring, parts: Ground & Revocation) {
  const { config, log, fault, onStop } = wiring;
  const { database, master, tokenKey, participants, accounts, users, accessLog, record, policy } = parts;
  const bindings = new Bindings(database);
  const https = httpsOf(wiring);
  const asksCertificates = https?.asksClients ?? false;
  const authorization = new Authorization({
    database,
    master,
    accessLog,
    log,
    keysFrom: config.keysFrom,
    udapFile: config.udap,
    revocationSources: parts.revocationSources,
    steps: accounts.steps,
    asksCertificates,
    certificateSeen: (client, certificate) => certificates.seen({ client }, certificate),
    user: (username) => accounts.find(username),
    fhirUserOf: (user) => userResource(record, bindings, user),
  });
  onStop(() => authorization.close());
  const emergencies = new Emergencies(database);
  emergencies.watch((overdue) =>
    log.warn({ overdue }, 'emergency accesses wait for their review for more than three days'),
  );
  onStop(() => emergencies.close());
  const lookups = new EmergencyLookups(database);
  lookups.watch(fault('look-ups for emergencies were not looked after'));
  onStop(() => lookups.close());
  const certificates = new Certificates(
    database,
    participants,
    () => certificateFiles(config),
    fault('when a certificate ends that somebody showed was not noted'),
  );
  certificates.watch(({ what, participant, subject, state }, days) =>
    log.warn({ what, participant, subject, state, days }, 'a certificate has ended, or ends within thirty days'),
  );
  onStop(() => certificates.close());
  const certified = new Certified({ isAsked: asksCertificates, participants, certificates });
  const authenticator = new Authenticator(
    accounts,
    tokenKey,
    {
      verify: (token, shown) => authorization.verify(token, shown),
      certified: (request) => certified.participant(request),
      isActive: async (client) => (await authorization.clients.active(client)) !== undefined,
      isTakenBack: (cameOf) => authorization.grants.isTakenBack(cameOf),
      keyed: (hashes) => record.keys.index.keyed(hashes),
      homesOf: async (patient) => (await record.homesOf([patient])).get(patient) ?? [],
      emergency: (username, id) => emergencies.underWay(username, id),
      represented: (username, role) => representedBy({ database, record, bindings }, username, role, new Date()),
    },
    policy,
  );
  const external = externalOf(config, accounts, users);
  return {
    bindings,
    https,
    authorization,
    emergencies,
    lookups,
    certificates,
    certified,
    authenticator,
    external,
  };
}

/** The certificate for HTTPS, where the hub speaks it. */
function httpsOf({ config: { tlsCertificate, tlsKey, tlsClientCa }, log }: Wiring): ServerCertificate | undefined {
  if (tlsCertificate === undefined) return undefined;
  const files = { certificate: tlsCertificate, key: tlsKey!, clientCa: tlsClientCa, clientRequired: false };
  return new ServerCertificate('HTTPS', files, log);
}

/** The certificates of the hub's own settings. */
async function certificateFiles(config: Config): Promise<CertificateFile[]> {
  const { tlsCertificate, tlsClientCa, mllpTlsCertificate, mllpTlsClientCa, udap, directCertificate } = config;
  return [
    ...(udap === undefined ? [] : await communityFiles(udap)),
    ...(tlsCertificate ? [{ what: 'HTTPS', path: tlsCertificate }] : []),
    ...(tlsClientCa ? [{ what: 'the authority of HTTPS clients', path: tlsClientCa }] : []),
    ...(mllpTlsCertificate ? [{ what: 'MLLP over TLS', path: mllpTlsCertificate }] : []),
    ...(mllpTlsClientCa ? [{ what: 'the authority of MLLP senders', path: mllpTlsClientCa }] : []),
    ...(directCertificate ? [{ what: 'Direct', path: directCertificate }] : []),
  ];
}

/** The external provider, where there is one. */
function externalOf(config: Config, accounts: Accounts, users: Users) {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcSecretFile: secretFile, oidcName: name } = config;
  if (issuer === undefined || clientId === undefined) return undefined;
  const mapping = config.oidcAccountsFile === undefined ? undefined : readMapping(config.oidcAccountsFile);
  const scope = mapping?.scope ?? 'openid profile';
  return {
    name,
    issuer,
    provider: new ExternalProvider(new NamedProvider({ issuer, clientId, secretFile, scope }), accounts.steps),
    accounts: new ExternalAccounts(accounts, users, mapping),
  };
}
