/** What the hub sends by e-mail, and how. */
export { isMailAddress, mailboxOf } from './address.ts';
export { Direct, type DirectNotification, type DirectReceiver } from './direct.ts';
export { type Mail, MailError, Mailer } from './mailer.ts';
export {
  contentType,
  decodedBody,
  type Entity,
  entityOf,
  field,
  leavesOf,
  mailboxIn,
  parameterized,
  receiversOf,
} from './mime.ts';
export { certificatesIn, type Signer } from './smime.ts';
export { openMail, type SignedContent, UnopenedMail } from './smime-open.ts';
export { xdmZip } from './xdm.ts';
export { type PackedCode, type PackedDocument, readXdm } from './xdm-read.ts';
