/** Who asked for something that the hub does later (a job, a Subscription), as far as it has to be known then. */
import type { Access, Grant, Role, TokenOrigin } from './access.ts';

export interface Asker {
  who: string;
  name: string;
  role: Role;
  organization: string;
  /** What it was asked for; left out, what is usual for the role. */
  purpose?: string;
  client?: string;
  grant?: Grant;
  cameOf?: TokenOrigin;
  /** By a token that an operator made: there is no account that might be closed. */
  isScript?: true;
  /** The emergency access under which it was asked for, and with which it ends. */
  emergency?: string;
}

/** What is to be kept of an access. */
export function askerOf(access: Access): Asker {
  const { who, name, role, organization, purpose, client, grant, cameOf, isScript, emergency } = access;
  return {
    who,
    name,
    role,
    organization,
    purpose,
    ...(client === undefined ? {} : { client }),
    ...(grant ? { grant } : {}),
    ...(cameOf ? { cameOf } : {}),
    ...(isScript ? { isScript } : {}),
    ...(emergency === undefined ? {} : { emergency }),
  };
}
