/** The pages on which a document is picked up: without scripts, and nothing of a document that could be one. */
import { type CdaSection, parseCda } from '@causeway/ccda';
import { sectionDiv } from '@causeway/mapping/narrative';
import type { NotPickedUp, PickedUp } from '../outbox/index.ts';

/** Larger documents are for download alone. */
const shownBytes = 2 * 1024 * 1024;

/** What a browser may do on these pages: show, and send their forms. */
export const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Asks for the PIN. @param failed why the last try did not open it */
export function pinPage(failed?: NotPickedUp): string {
  const said = failed === undefined ? '' : `<p class="bad" role="alert">${words[failed]}</p>`;
  const form = `<form method="post"><label for="pin">PIN of your organisation</label>
<input id="pin" name="pin" type="password" autocomplete="off" required autofocus><button>Open</button></form>`;
  const asks = failed === undefined || failed === 'wrong';
  return page('A document for your organisation', `${said}${asks ? form : ''}`);
}

const words: { [why in NotPickedUp]: string } = {
  unknown: 'There is no document here, or no longer. Ask whoever wrote to you.',
  wrong: 'That is not the PIN.',
  locked: 'The PIN was wrong too often. Ask whoever wrote to you to send it again.',
  gone: 'The document does not hold any more, or may not be shown to you any more.',
};

/** Shows a document. */
export function documentPage({ bytes, origin, ticket }: PickedUp): string {
  const read = bytes.length > shownBytes ? undefined : parseCda(bytes);
  const document = read?.ok ? read.document : undefined;
  const shown = document?.sections.map((section) =>
    sectionOf(section, (of) => document.xml.within(of, () => sectionDiv(of))),
  );
  const download = `<form method="post"><input type="hidden" name="ticket" value="${escaped(ticket)}"><button>Download</button></form>`;
  return page(
    document?.header?.title ?? 'A document',
    `<p class="quiet">From ${escaped(origin)}</p>${download}${shown?.join('') ?? '<p>It is for download alone.</p>'}`,
  );
}

function sectionOf(
  { title, text, sections }: CdaSection,
  div: (text: NonNullable<CdaSection['text']>) => string | undefined,
): string {
  const own = (text && div(text)) ?? '';
  const within = sections.map((one) => sectionOf(one, div)).join('');
  return `<section><h2>${escaped(title ?? '')}</h2>${own}${within}</section>`;
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>Causeway</title><style>${style}</style></head>
<body><main><h1>${escaped(title)}</h1>${body}</main></body></html>`;
}

const style = `:root{color-scheme:light dark;--line:light-dark(#d5d9de,#3a4149)}
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:light-dark(#f4f6f8,#14171a);color:light-dark(#1a1d21,#e8eaed)}
main{max-width:60rem;margin:2rem auto;padding:1.5rem;background:light-dark(#fff,#1e2328);border:1px solid var(--line);border-radius:6px}
h1{font-size:1.4rem;margin-top:0}h2{font-size:1.1rem;margin:1.5rem 0 .4rem}
form{display:flex;gap:.6rem;align-items:center;flex-wrap:wrap}
input,button{font:inherit;padding:.4rem .7rem;border:1px solid light-dark(#8a929b,#6d7680);border-radius:4px}
button{background:#0f5a63;color:#fff;cursor:pointer}
table{border-collapse:collapse;display:block;overflow-x:auto}td,th{border:1px solid var(--line);padding:.25rem .5rem;text-align:left}
.bad{color:light-dark(#9b1c1c,#ffb4ab)}.quiet{color:light-dark(#555d66,#a9b1ba)}`;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
