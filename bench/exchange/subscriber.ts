/** A browser that is told of every report over WebSocket. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchHub } from '../server/hub.ts';
import type { Arrivals } from './receivers.ts';
import { call } from './region.ts';

const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';

interface Parameter {
  name: string;
  valueString?: string;
  valueUrl?: string;
}

/** Subscribes, whole resources wanted, and notes what comes. */
export async function subscribe(hub: BenchHub, arrivals: Arrivals): Promise<{ close(): void }> {
  const { id } = (await call(hub, 'POST', '/fhir/Subscription', {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'bench',
    criteria: 'urn:causeway:SubscriptionTopic:result',
    channel: {
      type: 'websocket',
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${backport}/backport-payload-content`, valueCode: 'full-resource' }] },
    },
  })) as { id: string };
  while (((await call(hub, 'GET', `/fhir/Subscription/${id}`)) as { status: string }).status !== 'active')
    await delay(50);
  const { parameter } = (await call(hub, 'GET', `/fhir/Subscription/${id}/$get-ws-binding-token`)) as {
    parameter: Parameter[];
  };
  const value = (name: string) => {
    const found = parameter.find((one) => one.name === name)!;
    return found.valueString ?? found.valueUrl!;
  };
  const socket = new WebSocket(value('websocket-url'));
  await new Promise<void>((resolve, reject) => {
    socket.onerror = () => reject(new Error('The socket was not opened.'));
    socket.onopen = () => socket.send(`bind-with-token ${value('token')}`);
    socket.onmessage = () => resolve();
  });
  socket.onmessage = ({ data }) => {
    const { entry } = JSON.parse(data as string) as { entry: { resource?: { resourceType: string } }[] };
    for (const { resource } of entry)
      if (resource?.resourceType === 'DiagnosticReport') arrivals.note(JSON.stringify(resource), undefined);
  };
  return { close: () => socket.close() };
}
