/**
 * The content of an Attachment as the chart can show it: text in place; what is not text to be saved. Markup from
 * outside is never put into the page: HTML and XML are reduced to their text.
 */
import type { Attachment, Binary } from '@medplum/fhirtypes';
import { queryOptions } from '@tanstack/react-query';
import { getJson } from '../api/request.ts';
import { sameOriginPath } from './record-query.ts';

/** `message`: the document is itself the message of this id. */
export type AttachmentContent =
  | { kind: 'message'; id: string }
  | { kind: 'text'; text: string }
  | { kind: 'link'; href: string }
  | { kind: 'none' };

/** @param emergency id of the emergency access under which it is read */
export function attachmentQuery(attachment: Attachment, emergency?: string) {
  return queryOptions({
    queryKey: [
      'attachment',
      attachment.url ?? attachment.hash ?? attachment.data?.slice(0, 64) ?? '',
      attachment.size ?? 0,
      emergency ?? 'ordinary',
    ],
    queryFn: ({ signal }) => fetchContent(attachment, signal, emergency),
  });
}

async function fetchContent(
  attachment: Attachment,
  signal: AbortSignal,
  emergency: string | undefined,
): Promise<AttachmentContent> {
  if (attachment.data) return contentOf(attachment.data, attachment.contentType);
  const message = /(?:^urn:causeway:message:|\/fhir\/Binary\/original\.)([A-Za-z0-9-]{1,64})$/.exec(
    attachment.url ?? '',
  )?.[1];
  if (message) return { kind: 'message', id: message };
  const path = binaryPath(attachment.url);
  if (!path) return { kind: 'none' };
  const binary = await getJson<Binary>(path, signal, emergency);
  return binary.data ? contentOf(binary.data, binary.contentType ?? attachment.contentType) : { kind: 'none' };
}

/** Only Binaries of this hub are fetched; a URL to elsewhere is not followed. */
export function binaryPath(url: string | undefined): string | undefined {
  const id = /(?:^|\/fhir\/|^\/)Binary\/([A-Za-z0-9.-]{1,64})$/.exec(sameOriginPath(url) ?? '')?.[1];
  return id ? `/fhir/Binary/${id}` : undefined;
}

/** @param base64 the attachment's data @param contentType MIME type, perhaps with a charset */
export function contentOf(base64: string, contentType = 'text/plain'): AttachmentContent {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  const charset = parameters.map((each) => /^\s*charset=["']?([^"']+)/.exec(each)?.[1]).find(Boolean);
  if (!/^text\/|xml|json/.test(type)) return { kind: 'link', href: `data:${type};base64,${base64}` };
  let text: string;
  try {
    const bytes = Uint8Array.from(atob(base64.replaceAll(/\s/g, '')), (character) => character.charCodeAt(0));
    text = new TextDecoder(knownCharset(charset)).decode(bytes);
  } catch {
    return { kind: 'none' };
  }
  return { kind: 'text', text: /html|xml/.test(type) ? markupText(text) : text };
}

function knownCharset(charset: string | undefined): string {
  try {
    return new TextDecoder(charset ?? 'utf-8').encoding;
  } catch {
    return 'utf-8';
  }
}

/** The words of HTML or XML, a line for each block; script and style left out. Never rendered as markup. */
function markupText(markup: string): string {
  const page = new DOMParser().parseFromString(markup, 'text/html');
  for (const element of page.querySelectorAll('script, style, head > title')) element.remove();
  for (const block of page.querySelectorAll(
    'p, div, tr, li, br, h1, h2, h3, h4, title, text, section, paragraph, item',
  )) {
    block.append('\n');
  }
  for (const cell of page.querySelectorAll('td, th')) cell.append('\t');
  return (page.body.textContent ?? '').replaceAll(/[ \t]*\n\s*\n+/g, '\n').trim();
}
