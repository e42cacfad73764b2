/** Sharing by the person: SMART Health Links. */
export { type HealthLink, HealthLinks, type NewLink, type Opened, type SharedFile } from './health-links.ts';
