/**
 * The rows of the test procedure for § 170.315(g)(10), each with what shows it: the checks of the suite `smart` for
 * the rows that restate SMART App Launch, and checks of their own.
 */
import type { Check as RowCheck } from '../requirement-rows/rows.ts';
import { secured } from '../requirement-rows/secured.ts';
import { checks as smartChecks } from '../smart/checks.ts';
import { appChecks } from './app-checks.ts';
import { exportChecks } from './export-checks.ts';
import { usCoreChecks } from './us-core-checks.ts';
import type { World } from './world.ts';

export type Check = RowCheck<World>;

/** By the name of a check of the suite `smart`. */
const shownBySmart: { [name: string]: string[] } = {
  'discovery tells what there is': ['AUT-PAT-5', 'AUT-PAT-24', 'AUT-PAT-6', 'AUT-PAT-25'],
  'authorization by GET: code, state, token': [
    ...['AUT-PAT-1', 'AUT-PAT-3', 'AUT-PAT-4', 'AUT-PAT-8', 'AUT-PAT-26', 'AUT-PAT-27'],
    ...['AUT-PAT-14', 'AUT-PAT-15', 'AUT-PAT-30'],
  ],
  'authorization by POST': ['AUT-PAT-27'],
  'a refusal is told': ['AUT-PAT-18'],
  'the code verifier is asked for and checked; plain is not taken': ['AUT-PAT-26', 'AUT-PAT-31'],
  'a launch from a chart has its context': ['AUT-PAT-1', 'AUT-PAT-2', 'AUT-PAT-29'],
  'a token is held against its time, its scopes and its audience': ['AUT-PAT-13', 'AUT-PAT-37'],
  refreshing: ['AUT-PAT-20', 'AUT-PAT-23'],
  'clients with a secret': ['AUT-PAT-15', 'AUT-PAT-30'],
  'scopes of versions 1 and 2': ['AUT-PAT-9', 'AUT-PAT-28'],
  'services: registered keys, what they may, short tokens': [
    ...['APP-REG-2', 'AUT-SYS-1', 'AUT-SYS-2', 'AUT-SYS-3', 'AUT-SYS-8', 'AUT-SYS-9', 'AUT-SYS-10'],
  ],
  'assertions are held against the rules': ['AUT-SYS-3', 'AUT-SYS-6', 'AUT-SYS-7', 'AUT-SYS-10'],
  'key sets by address': ['AUT-SYS-4', 'AUT-SYS-5'],
  introspection: ['TOK-INTRO-1'],
};

export const checks: readonly Check[] = [
  ...Object.entries(shownBySmart).map(([name, rows]): Check => {
    const check = smartChecks.find((one) => one.name === name);
    if (!check) throw new Error(`There is no check with the name: ${name}`);
    return { ...check, rows };
  }),
  ...appChecks,
  ...exportChecks,
  ...usCoreChecks,
  secured('SEC-CNN-1'),
];

const profiles =
  'what has to be in a resource by its US Core profile is checked when the hub validates against profiles';
const published = 'documents are for people to judge: docs/apps.md and the CapabilityStatement';

/** Rows that no request to a hub can show. */
export const notAsked: { [row: string]: string } = {
  'DAT-PAT-1': profiles,
  'DAT-PAT-18': profiles,
  'DAT-PAT-2': profiles,
  'API-DOC-1': published,
  'API-DOC-2': published,
};
