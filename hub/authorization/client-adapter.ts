/** Clients as `oidc-provider` asks for them: it finds active ones, and what it stores waits for an administrator. */
import { type Adapter, type AdapterPayload, type ClientMetadata, errors } from 'oidc-provider';
import { RecordError } from '../record/index.ts';
import type { Clients } from './clients.ts';

export function clientAdapter(clients: Clients): Adapter {
  const nothing = async () => undefined;
  return {
    find: async (id) => (await clients.active(id)) as AdapterPayload | undefined,
    upsert: (_id, payload) => clients.add(payload as ClientMetadata, 'pending', 'none').catch(toldToClient),
    findByUid: nothing,
    findByUserCode: nothing,
    consume: nothing,
    destroy: nothing,
    revokeByGrantId: nothing,
  };
}

/** A refusal in the form that clients are told. */
function toldToClient(error: unknown): never {
  if (!(error instanceof RecordError)) throw error;
  const told = new errors.CustomOIDCProviderError('temporarily_unavailable', error.message);
  throw Object.assign(told, { status: error.status, statusCode: error.status });
}
