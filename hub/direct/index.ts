/** Direct mail that comes in. */
export { DirectInbox, type MailRefusal } from './inbox.ts';
export { DirectMails } from './mails.ts';
export { Notifier } from './notifier.ts';
export { type DirectServer, startDirect } from './server.ts';
