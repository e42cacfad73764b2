/** What subscribers are told (Subscriptions R5 Backport 1.1, "Notifications", "Payload Types", "Channels", "Errors"). */
import { setTimeout as delay } from 'node:timers/promises';
import { statusIn } from '../../hub/subscriptions/testing.ts';
import type { Json } from '../../hub/testing-calls.ts';
import type { Check } from '../requirement-rows/rows.ts';
import { demand, numbers, report, stateOf, subscribed, subscription, told, until, type World } from './world.ts';

const events = (world: World, path: string) => told(world, path, 'event-notification');

async function oneEvent(world: World, path: string, wish: Parameters<typeof subscribed>[1]) {
  const id = await subscribed(world, { ...wish, path });
  const focus = await report(world);
  await until(() => events(world, path).length > 0, `a notification at ${path}`);
  return { id, focus, bundle: events(world, path)[0]!, got: world.endpoint.got.find((one) => one.path === path)! };
}

function isStatus(bundle: Json): boolean {
  const [first] = bundle.entry;
  const names = first.resource.parameter.map(({ name }: Json) => name);
  return (
    first.resource.resourceType === 'Parameters' &&
    ['subscription', 'status', 'type'].every((name) => names.includes(name))
  );
}

export const notifications: Check<World>[] = [
  {
    name: 'a handshake is posted, and taken, before a subscription is active',
    rows: [20, 25, 26, 27, 29, 30, 49, 51, 53],
    async run(world) {
      const { got } = await oneEvent(world, '/shake', { header: ['X-Theirs: secret'] });
      demand(got.method === 'POST' && got.headers['x-theirs'] === 'secret', 'the header is not conveyed');
      demand(String(got.headers['content-type']).startsWith('application/fhir+json'), 'the content type is another');
      demand(statusIn(got.json).type === 'handshake', 'the first notification is no handshake');
      const made = await world.hub.send('POST', '/fhir/Subscription', subscription(world));
      demand(made.json.status === 'requested', `a new subscription is ${made.json.status}`);
    },
  },
  {
    name: 'a handshake that fails puts the subscription in error',
    rows: [21, 31, 78, 79],
    async run(world) {
      world.endpoint.answer = 500;
      const { json } = await world.hub.send('POST', '/fhir/Subscription', subscription(world, { path: '/fails' }));
      await until(async () => (await stateOf(world, json.id)) === 'error', 'the subscription to be in error');
      const { json: status } = await world.hub.get(`/fhir/Subscription/${json.id}/$status`);
      demand(statusIn(status).status === 'error', '$status does not say so');
      world.endpoint.answer = 200;
      await world.hub.send('DELETE', `/fhir/Subscription/${json.id}`);
    },
  },
  {
    name: 'a notification is a history Bundle whose first entry is the status',
    rows: [7, 14, 15, 28, 69, 70, 102, 103, 138, 139],
    async run(world) {
      const { id, bundle } = await oneEvent(world, '/bundle', {});
      demand(bundle.resourceType === 'Bundle' && bundle.type === 'history' && isStatus(bundle), 'it is not');
      demand(
        bundle.entry.every(({ request }: Json) => request?.method && request.url),
        'an entry has no request',
      );
      demand(bundle.entry[0].request.url === `Subscription/${id}/$status`, 'the status does not match $status');
      const { events: told, ...status } = statusIn(bundle);
      demand(told[0].number === 1 && status['events-since-subscription-start'] === '1', 'it is not the first event');
      await report(world);
      await until(() => numbers(world, '/bundle').length === 2, 'the second event');
      demand(numbers(world, '/bundle').join() === '1,2', 'the numbers are not in sequence');
      const valid = await world.hub.send('POST', '/fhir/Bundle/$validate', bundle);
      demand(!valid.json.issue.some(({ severity }: Json) => severity === 'error'), 'it is not valid FHIR');
    },
  },
  {
    name: 'an empty notification names no resource',
    rows: [38, 39, 65, 67],
    async run(world) {
      const { bundle } = await oneEvent(world, '/empty', { content: 'empty' });
      demand(bundle.entry.length === 1, 'it has other entries');
      demand(
        statusIn(bundle).events.every(({ focus }: Json) => focus === undefined),
        'it has a focus',
      );
    },
  },
  {
    name: 'an id-only notification names its focus, and says no more of it',
    rows: [35, 40, 42, 67],
    async run(world) {
      const { bundle, focus } = await oneEvent(world, '/ids', {});
      demand(statusIn(bundle).events[0].focus.endsWith(`/fhir/DiagnosticReport/${focus}`), 'the focus is not named');
      for (const { fullUrl, request, resource } of bundle.entry.slice(1))
        demand(fullUrl && request.url && !resource, 'an entry has no address, or a resource');
    },
  },
  {
    name: 'a full notification has its focus as a resource',
    rows: [35, 43, 44, 45, 67],
    async run(world) {
      const { bundle, focus } = await oneEvent(world, '/full', { content: 'full-resource' });
      demand(statusIn(bundle).events[0].focus.endsWith(`/fhir/DiagnosticReport/${focus}`), 'the focus is not named');
      demand(bundle.entry.length === 2 && bundle.entry[1].resource.id === focus, 'the resource is not there');
    },
  },
  {
    name: 'all filters have to hold',
    rows: [95, 135, 136],
    async run(world) {
      const filters = ['DiagnosticReport?patient=Patient/p', 'DiagnosticReport?status=preliminary'];
      await subscribed(world, { filters, path: '/filtered' });
      await report(world);
      const wanted = await report(world, { status: 'preliminary' });
      await until(() => events(world, '/filtered').length > 0, 'the event');
      await delay(300);
      const foci = events(world, '/filtered').flatMap((bundle) =>
        statusIn(bundle).events.map(({ focus }: Json) => focus),
      );
      demand(foci.length === 1 && foci[0].endsWith(wanted), `told of ${foci}`);
    },
  },
  {
    name: 'while the channel fails events are counted; then they come, no more at once than was asked for',
    rows: [77, 98],
    async run(world) {
      const id = await subscribed(world, { most: 2, path: '/most' });
      world.endpoint.answer = 503;
      for (let i = 0; i < 5; i++) await report(world);
      const counted = async () =>
        statusIn((await world.hub.get(`/fhir/Subscription/${id}/$status`)).json)['events-since-subscription-start'];
      await until(async () => (await counted()) === '5', 'five events to be counted');
      world.endpoint.answer = 200;
      await until(() => numbers(world, '/most').length === 5, 'five events');
      demand(numbers(world, '/most').join() === '1,2,3,4,5', 'they are not in order');
      demand(
        events(world, '/most').every((bundle) => statusIn(bundle).events.length <= 2),
        'too many at once',
      );
    },
  },
  {
    name: 'an endpoint that says nothing has failed after the time that was asked for',
    rows: [97],
    async run(world) {
      const id = await subscribed(world, { timeout: 1, path: '/silent' });
      world.endpoint.silent = '/silent';
      const begun = performance.now();
      await report(world);
      await until(async () => (await stateOf(world, id)) === 'error', 'the subscription to be in error');
      world.endpoint.silent = undefined;
      demand(performance.now() - begun < 8_000, 'it was waited longer');
      await until(() => numbers(world, '/silent').length === 1, 'the event');
    },
  },
  {
    name: 'heartbeats come as often as they were asked for, and to nobody else',
    rows: [93, 94],
    async run(world) {
      await until(() => told(world, '/beat', 'heartbeat').length > 0, 'a heartbeat');
      demand(statusIn(told(world, '/beat', 'heartbeat')[0]!).events.length === 0, 'it has events');
      const others = world.endpoint.got.filter(({ path, json }) => path !== '/beat' && json?.resourceType === 'Bundle');
      demand(
        others.every(({ json }) => statusIn(json).type !== 'heartbeat'),
        'others were sent one',
      );
    },
  },
];
