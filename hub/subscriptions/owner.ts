/** Who may see a Subscription, beside the hub's own: named as the access decision names accounts. */
import type { Access } from '../trust/index.ts';

export function ownerOf({ who }: Pick<Access, 'who'>): string {
  return `account:${who}`;
}
