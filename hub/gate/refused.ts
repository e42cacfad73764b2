/** Which requests of known callers count as refused, as the register of refusals has them (45 CFR 171). */
import type { ObservedKind, Refused } from '../compliance/index.ts';
import type { Caller } from './authenticate.ts';

/** Why a request was not answered; undefined where it was wrong, or there is nothing of the kind. */
export function refusalKind(status: number, { refused, grant }: Caller): ObservedKind | undefined {
  if (status === 429 || status === 503 || status === 507) return 'busy';
  if (status !== 403) return undefined;
  if (refused !== undefined) return 'standing';
  return grant ? 'scope' : 'role';
}

export function refusedBy(kind: ObservedKind, { caller, action }: { caller: Caller; action: string }): Refused {
  const { organization, who, client } = caller;
  return { kind, organization, requester: client ?? who, action: action.slice(0, 100) };
}
