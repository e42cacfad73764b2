/** How it is found out whether certificates are revoked: of clients, of servers, and of Direct mail. */
import {
  CertificateRevocation,
  ConnectionRevocation,
  type RevocationRule,
  RevocationSources,
} from '../authorization/index.ts';
import type { Distrust } from '../distrusting-agent.ts';
import type { Wiring } from './wiring.ts';

export type Revocation = ReturnType<typeof wireRevocation>;

export function wireRevocation({ config, log, onStop }: Wiring) {
  const sources = new RevocationSources(config.keysFrom, log);
  onStop(() => sources.close());
  const by = (rule: string, lists: readonly string[]) =>
    new CertificateRevocation({ rule: rule as RevocationRule, lists, sources });
  const { clientRevocation, clientCrls, serverRevocation, serverCrls, directRevocation, directCrls } = config;
  const servers = new ConnectionRevocation(by(serverRevocation, serverCrls), log, 'server');
  const distrust: Distrust = (socket) => servers.distrust(socket);
  return {
    revocationSources: sources,
    clientRevocation: new ConnectionRevocation(by(clientRevocation, clientCrls), log, 'client'),
    /** What is held against a server that the hub connects to; undefined where that is not asked. */
    distrust: serverRevocation === 'off' ? undefined : distrust,
    directRevocation: by(directRevocation, directCrls),
  };
}
