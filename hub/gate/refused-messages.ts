/**
 * Messages that are refused by their acknowledgement (HL7 v2) or reply (Direct mail), in the record of accesses: which it is in
 * the list of messages, as whose it came or from where; nothing of what it says.
 */
import type { Logger } from 'pino';
import { faultText } from '../faults.ts';
import { type AccessLog, type AccessUser, accessOf } from '../trust/index.ts';
import type { Origin } from './accept.ts';

export class RefusedMessages {
  readonly #accessLog: Pick<AccessLog, 'record' | 'strangers'>;
  readonly #log: Logger;

  constructor(accessLog: Pick<AccessLog, 'record' | 'strangers'>, log: Logger) {
    this.#accessLog = accessLog;
    this.#log = log;
  }

  /**
   * Records one that was refused. Never rejects: its sender is answered anyway.
   * @param what kind of message, and its id in the inbox where it has one
   * @param status as HTTP would say it: 403 where who sends may not, 400 where the message is not as it must be
   */
  async told(
    { caller, certified, address }: Pick<Origin, 'caller' | 'certified' | 'address'>,
    what: string,
    status: 400 | 403,
  ): Promise<void> {
    const access = caller ?? (certified === undefined ? undefined : accessOf(systemOf(certified)));
    try {
      if (access === undefined) await this.#accessLog.strangers.refused(address ?? 'unknown', what, status);
      else
        await this.#accessLog.record(
          { ...access, address: access.address ?? address },
          { action: 'send', what, status },
        );
    } catch (error) {
      this.#log.error({ error: faultText(error) }, 'a message that was refused was not recorded');
    }
  }
}

/** The system of an organisation, known by its client certificate. */
export function systemOf(site: string): AccessUser {
  const name = `site:${site}`;
  return { username: name, name, role: 'system', organization: site, participant: site };
}
