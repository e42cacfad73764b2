/** What the hub sends by e-mail, and how. */
export { isMailAddress, mailboxOf } from './address.ts';
export { Direct, type DirectReceiver } from './direct.ts';
export { type Mail, MailError, Mailer } from './mailer.ts';
