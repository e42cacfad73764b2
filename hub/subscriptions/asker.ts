/** On whose behalf a subscription looks at the record: who asked for it, as far as that has to be known later. */
import type { Access, Grant, Role } from '../trust/index.ts';

export interface Asker {
  who: string;
  name: string;
  role: Role;
  organization: string;
  client?: string;
  grant?: Grant;
  /** By a token that an operator made: there is no account that might be closed. */
  isScript?: true;
}

/** What is to be kept of an access. */
export function askerOf({ who, name, role, organization, client, grant, isScript }: Access): Asker {
  return {
    who,
    name,
    role,
    organization,
    ...(client === undefined ? {} : { client }),
    ...(grant ? { grant } : {}),
    ...(isScript ? { isScript } : {}),
  };
}

/** Who may see a Subscription, beside the hub's own: named as the access decision names accounts. */
export function ownerOf({ who }: Pick<Access, 'who'>): string {
  return `account:${who}`;
}
