/** The simulated region as a hub's first participants: its sites, its accounts, its story. */
export { bindDemoAccounts } from './bindings.ts';
export { startReceivers } from './receivers.ts';
export { demoAccounts, loadDay, loadRegion, registerSites } from './region.ts';
