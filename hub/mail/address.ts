/** Addresses of mailboxes: the part of RFC 5321 that is in use, and nothing by which a header could be written. */

const longest = 254;

/** Whether a text is the address of one mailbox: `name@domain`. */
export function isMailAddress(text: string): boolean {
  return text.length <= longest && mailbox.test(text);
}

/** The mailbox of a `mailto:` address; undefined where it names several, has headers, or is none. */
export function mailboxOf(uri: string): string | undefined {
  const [, encoded] = /^mailto:([^?#]+)$/i.exec(uri) ?? [];
  if (encoded === undefined) return undefined;
  try {
    const address = decodeURIComponent(encoded);
    return isMailAddress(address) ? address : undefined;
  } catch {
    return undefined;
  }
}

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const mailbox = new RegExp(`^(?=.{1,64}@)${atom}(?:\\.${atom})*@${label}(?:\\.${label})+$`);
