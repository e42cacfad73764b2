/** Subscriptions as they are asked for, read, and asked about (Subscriptions R5 Backport 1.1, "Conformance", "Operations"). */
import { statusIn } from '../../hub/subscriptions/testing.ts';
import type { Json } from '../../hub/testing-calls.ts';
import type { Check } from '../requirement-rows/rows.ts';
import { backport, demand, numbers, report, subscribed, subscription, until, type Wish, type World } from './world.ts';

const guide = 'http://hl7.org/fhir/uv/subscriptions-backport';

async function mustRefuse(world: World, wish: Wish): Promise<void> {
  const { status, json } = await world.hub.send('POST', '/fhir/Subscription', subscription(world, wish));
  demand(status === 422, `${JSON.stringify(wish)} was answered ${status}`);
  const [issue] = json.issue;
  demand(issue.expression?.[0]?.startsWith('Subscription.'), `refused for something else: ${issue.diagnostics}`);
}

export const requests: Check<World>[] = [
  {
    name: 'subscriptions are created, read, changed, searched by their address and deleted',
    rows: [72, 73, 74, 114, 124, 125, 126, 127, 128, 129, 130, 133, 134, 137],
    async run(world) {
      const { hub } = world;
      const id = await subscribed(world, { path: '/life' });
      const { json } = await hub.get(`/fhir/Subscription/${id}`);
      demand(
        json.criteria === 'urn:causeway:SubscriptionTopic:result' && json.channel.endpoint && json.reason,
        'it is another',
      );
      const url = encodeURIComponent(json.channel.endpoint);
      for (const query of [`url=${url}`, `url=${url}&status=active`]) {
        const found = await hub.get(`/fhir/Subscription?${query}`);
        demand(
          found.json.entry?.some(({ resource }: Json) => resource.id === id),
          `${query} does not find it`,
        );
      }
      const changed = await hub.send('PUT', `/fhir/Subscription/${id}`, { ...json, reason: 'another' });
      demand(changed.status === 200 && changed.json.reason === 'another', 'it cannot be changed');
      demand((await hub.send('DELETE', `/fhir/Subscription/${id}`)).status === 204, 'it cannot be deleted');
      demand((await hub.get(`/fhir/Subscription/${id}`)).status === 410, 'it is there still');
    },
  },
  {
    name: 'what the server would not keep to is refused',
    rows: [8, 9, 10, 11, 12, 59, 60, 63, 66, 75, 90],
    async run(world) {
      const custom = { url: `${backport}/backport-channel-type`, valueCoding: { system: 'urn:x', code: 'pigeon' } };
      await mustRefuse(world, { topic: 'urn:nobody:knows' });
      await mustRefuse(world, { filters: ['DiagnosticReport?nonsense=1'] });
      await mustRefuse(world, { filters: ['Encounter?patient=Patient/p'] });
      await mustRefuse(world, { channel: { type: 'sms', endpoint: 'tel:+1' } });
      await mustRefuse(world, { channel: { _type: { extension: [custom] } } });
      await mustRefuse(world, { channel: { endpoint: 'ftp://example.org/' } });
      await mustRefuse(world, { content: 'everything' });
      await mustRefuse(world, { payload: 'application/fhir+json; fhirVersion=5.0' });
      await mustRefuse(world, { payload: 'text/csv' });
    },
  },
  {
    name: 'the CapabilityStatement tells of it',
    rows: [2, 47, 48, 50, 52, 54, 57, 58, 120, 121, 122, 123],
    async run({ hub }) {
      const { json } = await hub.get('/fhir/metadata');
      demand(
        json.instantiates.includes(`${guide}/CapabilityStatement/backport-subscription-server-r4`),
        'it claims nothing',
      );
      const own = json.rest[0].resource.find(({ type }: Json) => type === 'Subscription');
      demand(own.supportedProfile.includes(`${backport}/backport-subscription`), 'the profile is not named');
      for (const name of ['status', 'events', 'get-ws-binding-token']) {
        const definition = `${guide}/OperationDefinition/backport-subscription-${name}`;
        demand(
          own.operation.some((one: Json) => one.name === name && one.definition === definition),
          `$${name} is not named`,
        );
      }
      const topics = own.extension.filter(
        ({ url }: Json) => url === `${backport}/capabilitystatement-subscriptiontopic-canonical`,
      );
      demand(topics.length > 10, 'no topics are named');
    },
  },
  {
    name: '$status tells of one, of some, of those in a state, of all',
    rows: [106, 107, 108, 109, 110, 111, 112],
    async run(world) {
      const { hub } = world;
      const [one, other] = [await subscribed(world, { path: '/one' }), await subscribed(world, { path: '/other' })];
      const told = async (query: string): Promise<string[]> => {
        const { json } = await hub.get(`/fhir/Subscription/${query}`);
        demand(json.resourceType === 'Bundle' && json.type === 'searchset', `${query} gives no searchset`);
        return json.entry.map((entry: Json) =>
          statusIn({ entry: [entry] })
            .subscription.reference.split('/')
            .at(-1),
        );
      };
      demand((await told(`${one}/$status?id=${other}&status=off`)).join() === one, 'the instance heeds id or status');
      demand((await told(`$status?id=${one}&id=${other}`)).length === 2, 'ids are not joined by or');
      const active = await told('$status?status=active&status=error');
      demand(active.includes(one) && active.includes(other), 'states are not joined by or');
      demand(!(await told('$status?status=error')).includes(one), 'the state is not heeded');
      const all = await told('$status');
      demand(
        all.includes(one) && all.includes(other) && all.length >= active.length,
        'without parameters not all are told',
      );
    },
  },
  {
    name: '$events gives events by their numbers, both ends included',
    rows: [83, 115, 117, 118, 119],
    async run(world) {
      const id = await subscribed(world, { path: '/events', content: 'full-resource' });
      for (let i = 0; i < 4; i++) await report(world);
      await until(() => numbers(world, '/events').length === 4, 'four events');
      const { json } = await world.hub.get(`/fhir/Subscription/${id}/$events?eventsSinceNumber=2&eventsUntilNumber=3`);
      demand(json.type === 'history' && json.entry[0].resource.resourceType === 'Parameters', 'it is no notification');
      demand(
        statusIn(json)
          .events.map(({ number }: Json) => number)
          .join() === '2,3',
        'other events are told',
      );
      const less = await world.hub.get(`/fhir/Subscription/${id}/$events?content=empty`);
      demand(less.json.entry.length === 1 && statusIn(less.json).events.length === 4, 'less content is not given');
    },
  },
];
