/**
 * What a SMART server has to do, as checks over HTTP, each with the rows of SMART App Launch 2.2 that it holds the hub
 * against. A check throws where a row does not hold.
 */
import { secured } from '../requirement-rows/secured.ts';
import { brands } from './brands.ts';
import { discovery } from './discovery.ts';
import { launches } from './launches.ts';
import { services } from './services.ts';
import { tokens } from './tokens.ts';
import type { Check } from './world.ts';

export const checks: readonly Check[] = [...brands, ...discovery, ...launches, ...tokens, ...services, secured(231)];

/** Rows that no request to a server can show, or that are about what this one says it does not do. */
export const notAsked: { [row: number]: string } = {
  123: 'apps create by POST alone: a PUT to what is hidden and one to what is not there look alike',
  194: 'what an intent means is agreed between app and hub; it is handed on as it is',
  247: 'a decision of each operator',
  305: 'how a database keeps what it holds',
  364: 'context-standalone-encounter is not among the capabilities',
  371: 'smart-app-state is not among the capabilities',
};
