/** Direct mail that comes in. */
export { DirectInbox } from './inbox.ts';
export { DirectMails } from './mails.ts';
export { type DirectServer, startDirect } from './server.ts';
