/**
 * The URLs of the screens. Everything but `/sign-in`, `/register`, `/join` and `/open-link` asks who is signed in first; the question of an app that wants to be
 * connected stands alone, all else in the frame.
 */
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { PeoplePage } from '../people/people-page.tsx';
import { homeOf, sessionQuery } from '../session/session.ts';
import { SignInPage } from '../sign-in/sign-in-page.tsx';
import { Frame } from './frame.tsx';
import { CrashedPage, MissingPage } from './problem-pages.tsx';
import { safeReturn, textParams } from './search-params.ts';

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: Outlet });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (
    search: Record<string, unknown>,
  ): { back?: string; ended?: boolean; goOn?: boolean; refused?: string } => ({
    back: safeReturn(search.back),
    ended: search.ended === true ? true : undefined,
    goOn: search.goOn === true ? true : undefined,
    refused: typeof search.refused === 'string' ? search.refused : undefined,
  }),
  component: SignInPage,
});

const register = createRoute({
  getParentRoute: () => root,
  path: '/register',
  validateSearch: textParams('code'),
  component: lazyRouteComponent(() => import('../register/register-page.tsx'), 'RegisterPage'),
});

const join = createRoute({
  getParentRoute: () => root,
  path: '/join',
  component: lazyRouteComponent(() => import('../join/join-page.tsx'), 'JoinPage'),
});

const openLink = createRoute({
  getParentRoute: () => root,
  path: '/open-link',
  validateSearch: textParams('patient'),
  component: lazyRouteComponent(() => import('../share/open-page.tsx'), 'OpenLinkPage'),
});

const askWho = async ({ context, location }: { context: { queryClient: QueryClient }; location: { href: string } }) => {
  const user = await context.queryClient.ensureQueryData(sessionQuery);
  if (!user) throw redirect({ to: '/sign-in', search: { back: safeReturn(location.href) } });
  return { user };
};

const consent = createRoute({
  getParentRoute: () => root,
  path: '/oauth/interaction/$uid',
  beforeLoad: askWho,
  component: lazyRouteComponent(() => import('../apps/consent-page.tsx'), 'ConsentPage'),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: askWho,
  component: Frame,
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  beforeLoad: ({ context }) => {
    throw redirect({ to: homeOf(context.user.role) });
  },
});

const mine = createRoute({
  getParentRoute: () => signedIn,
  path: '/mine',
  component: lazyRouteComponent(() => import('../mine/mine-page.tsx'), 'MinePage'),
});

const people = createRoute({
  getParentRoute: () => signedIn,
  path: '/people',
  validateSearch: textParams('name', 'birthdate', 'identifier'),
  component: PeoplePage,
});

const chart = createRoute({
  getParentRoute: () => signedIn,
  path: '/people/$id',
  component: lazyRouteComponent(() => import('../chart/chart-page.tsx'), 'ChartPage'),
});

const links = createRoute({
  getParentRoute: () => signedIn,
  path: '/people/$id/links',
  component: lazyRouteComponent(() => import('../links/links-page.tsx'), 'LinksPage'),
});

const messages = createRoute({
  getParentRoute: () => signedIn,
  path: '/messages',
  validateSearch: textParams('state', 'source', 'dialect', 'q', 'notMapped'),
  component: lazyRouteComponent(() => import('../messages/messages-page.tsx'), 'MessagesPage'),
});

const deliveries = createRoute({
  getParentRoute: () => signedIn,
  path: '/deliveries',
  validateSearch: textParams('state', 'destination', 'before'),
  component: lazyRouteComponent(() => import('../deliveries/deliveries-page.tsx'), 'DeliveriesPage'),
});

const maps = createRoute({
  getParentRoute: () => signedIn,
  path: '/maps',
  validateSearch: textParams('source'),
  component: lazyRouteComponent(() => import('../maps/maps-page.tsx'), 'MapsPage'),
});

const message = createRoute({
  getParentRoute: () => signedIn,
  path: '/messages/$id',
  component: lazyRouteComponent(() => import('../messages/message-page.tsx'), 'MessagePage'),
});

const resource = createRoute({
  getParentRoute: () => signedIn,
  path: '/resources/$type/$id',
  validateSearch: textParams('version', 'path'),
  component: lazyRouteComponent(() => import('../resources/resource-page.tsx'), 'ResourcePage'),
});

const reviews = createRoute({
  getParentRoute: () => signedIn,
  path: '/reviews',
  validateSearch: textParams('state', 'review'),
  component: lazyRouteComponent(() => import('../reviews/reviews-page.tsx'), 'ReviewsPage'),
});

const status = createRoute({
  getParentRoute: () => signedIn,
  path: '/status',
  component: lazyRouteComponent(() => import('../status/status-page.tsx'), 'StatusPage'),
});

const apps = createRoute({
  getParentRoute: () => signedIn,
  path: '/apps',
  component: lazyRouteComponent(() => import('../apps/connected-page.tsx'), 'ConnectedPage'),
});

const clients = createRoute({
  getParentRoute: () => signedIn,
  path: '/clients',
  component: lazyRouteComponent(() => import('../clients/clients-page.tsx'), 'ClientsPage'),
});

const communities = createRoute({
  getParentRoute: () => signedIn,
  path: '/trust-communities',
  component: lazyRouteComponent(() => import('../communities/communities-page.tsx'), 'CommunitiesPage'),
});

const security = createRoute({
  getParentRoute: () => signedIn,
  path: '/security',
  validateSearch: textParams('refused'),
  component: lazyRouteComponent(() => import('../security/security-page.tsx'), 'SecurityPage'),
});

const users = createRoute({
  getParentRoute: () => signedIn,
  path: '/users',
  validateSearch: textParams('q'),
  component: lazyRouteComponent(() => import('../users/users-page.tsx'), 'UsersPage'),
});

const emergencies = createRoute({
  getParentRoute: () => signedIn,
  path: '/emergencies',
  component: lazyRouteComponent(() => import('../emergency/emergencies-page.tsx'), 'EmergenciesPage'),
});

const consents = createRoute({
  getParentRoute: () => signedIn,
  path: '/consents/$patient',
  component: lazyRouteComponent(() => import('../consents/consents-page.tsx'), 'ConsentsPage'),
});

const accesses = createRoute({
  getParentRoute: () => signedIn,
  path: '/accesses/$patient',
  component: lazyRouteComponent(() => import('../accesses/accesses-page.tsx'), 'AccessesPage'),
});

const disclosures = createRoute({
  getParentRoute: () => signedIn,
  path: '/disclosures/$patient',
  component: lazyRouteComponent(() => import('../accesses/disclosures-page.tsx'), 'DisclosuresPage'),
});

const share = createRoute({
  getParentRoute: () => signedIn,
  path: '/share/$patient',
  component: lazyRouteComponent(() => import('../share/share-page.tsx'), 'SharePage'),
});

const labelRules = createRoute({
  getParentRoute: () => signedIn,
  path: '/label-rules',
  component: lazyRouteComponent(() => import('../label-rules/label-rules-page.tsx'), 'LabelRulesPage'),
});

const erasures = createRoute({
  getParentRoute: () => signedIn,
  path: '/erasures',
  validateSearch: textParams('patient'),
  component: lazyRouteComponent(() => import('../erasures/erasures-page.tsx'), 'ErasuresPage'),
});

const unproven = createRoute({
  getParentRoute: () => signedIn,
  path: '/unproven',
  component: lazyRouteComponent(() => import('../unproven/unproven-page.tsx'), 'UnprovenPage'),
});

const audit = createRoute({
  getParentRoute: () => signedIn,
  path: '/audit',
  component: lazyRouteComponent(() => import('../audit/audit-page.tsx'), 'AuditPage'),
});

const refusals = createRoute({
  getParentRoute: () => signedIn,
  path: '/refusals',
  component: lazyRouteComponent(() => import('../compliance/refusals-page.tsx'), 'RefusalsPage'),
});

const safeguards = createRoute({
  getParentRoute: () => signedIn,
  path: '/safeguards',
  component: lazyRouteComponent(() => import('../compliance/safeguards-page.tsx'), 'SafeguardsPage'),
});

const loops = createRoute({
  getParentRoute: () => signedIn,
  path: '/loops',
  validateSearch: textParams('kind', 'state', 'mine'),
  component: lazyRouteComponent(() => import('../loops/loops-page.tsx'), 'LoopsPage'),
});

const loop = createRoute({
  getParentRoute: () => signedIn,
  path: '/loops/$id',
  component: lazyRouteComponent(() => import('../loops/loop-page.tsx'), 'LoopPage'),
});

const panel = createRoute({
  getParentRoute: () => signedIn,
  path: '/lists/$key',
  component: lazyRouteComponent(() => import('../lists/list-page.tsx'), 'ListPage'),
});

const participants = createRoute({
  getParentRoute: () => signedIn,
  path: '/participants',
  component: lazyRouteComponent(() => import('../participants/participants-page.tsx'), 'ParticipantsPage'),
});

const participant = createRoute({
  getParentRoute: () => signedIn,
  path: '/participants/$key',
  component: lazyRouteComponent(() => import('../participants/participant-page.tsx'), 'ParticipantPage'),
});

const subscriptions = createRoute({
  getParentRoute: () => signedIn,
  path: '/subscriptions',
  component: lazyRouteComponent(() => import('../subscriptions/subscriptions-page.tsx'), 'SubscriptionsPage'),
});

const subscription = createRoute({
  getParentRoute: () => signedIn,
  path: '/subscriptions/$id',
  component: lazyRouteComponent(() => import('../subscriptions/subscription-page.tsx'), 'SubscriptionPage'),
});

const connectors = createRoute({
  getParentRoute: () => signedIn,
  path: '/connectors',
  component: lazyRouteComponent(() => import('../connectors/connectors-page.tsx'), 'ConnectorsPage'),
});

const newConnector = createRoute({
  getParentRoute: () => signedIn,
  path: '/connectors/new',
  component: lazyRouteComponent(() => import('../connectors/new-connector-page.tsx'), 'NewConnectorPage'),
});

const connector = createRoute({
  getParentRoute: () => signedIn,
  path: '/connectors/$key',
  component: lazyRouteComponent(() => import('../connectors/connector-page.tsx'), 'ConnectorPage'),
});

const brands = createRoute({
  getParentRoute: () => signedIn,
  path: '/network-brands',
  component: lazyRouteComponent(() => import('../brands/brands-page.tsx'), 'BrandsPage'),
});

const networkPolicy = createRoute({
  getParentRoute: () => signedIn,
  path: '/network-policy',
  component: lazyRouteComponent(() => import('../network-policy/network-policy-page.tsx'), 'NetworkPolicyPage'),
});

const tree = root.addChildren([
  signIn,
  register,
  join,
  openLink,
  consent,
  signedIn.addChildren([
    home,
    mine,
    people,
    chart,
    links,
    messages,
    message,
    deliveries,
    maps,
    resource,
    reviews,
    connectors,
    newConnector,
    connector,
    status,
    apps,
    clients,
    communities,
    security,
    users,
    consents,
    share,
    accesses,
    disclosures,
    emergencies,
    labelRules,
    networkPolicy,
    brands,
    unproven,
    erasures,
    audit,
    refusals,
    safeguards,
    loops,
    loop,
    panel,
    participants,
    participant,
    subscriptions,
    subscription,
  ]),
]);

/** One router for the page's life; `queryClient` is asked for the session before any screen is shown. */
export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queryClient },
    defaultPreload: false,
    scrollRestoration: true,
    defaultNotFoundComponent: MissingPage,
    defaultErrorComponent: CrashedPage,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
