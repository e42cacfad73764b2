/** What the hub can be told. */
export { type Config, type Setting, settings } from './settings.ts';
