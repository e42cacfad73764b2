/** Where documents can be read: in stored texts as names within this server, in answers as full addresses. */

export const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** The id of the Binary that the original of a message is. */
export function originalId(message: string): string {
  return `original.${message}`;
}

const named = new RegExp(
  `"url":"(?:urn:causeway:message:(${uuid})(#nonXMLBody)?|((?:Binary|Bundle)/[A-Za-z0-9.-]{1,64}))"`,
  'g',
);

/** The text of a DocumentReference with full addresses of what this server holds (IHE MHD, section 2:3.67.4.2.2.1.1). */
export function withAddresses(base: string, type: string, text: string): string {
  if (type !== 'DocumentReference') return text;
  return text.replace(named, (_, message?: string, body?: string, path?: string) => {
    const address = path ?? `Binary/${originalId(message!)}${body ? '.body' : ''}`;
    return `"url":"${base}/${address}"`;
  });
}
