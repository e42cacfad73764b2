/**
 * Narratives of sections, made of words alone: what comes from resources is written as text, never as markup
 * (https://hl7.org/fhir/R4/narrative.html).
 */
import type { Narrative } from '@medplum/fhirtypes';

/** @param below sentences under the table */
export function tableNarrative(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  below: readonly string[] = [],
): Narrative {
  const head = `<thead><tr>${columns.map((name) => `<th>${escaped(name)}</th>`).join('')}</tr></thead>`;
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`).join('');
  return narrative(
    `${rows.length > 0 ? `<table>${head}<tbody>${body}</tbody></table>` : ''}${below.map(paragraph).join('')}`,
  );
}

export function wordsNarrative(...sentences: readonly string[]): Narrative {
  return narrative(sentences.map(paragraph).join(''));
}

function narrative(content: string): Narrative {
  const div = `<div xmlns="http://www.w3.org/1999/xhtml" lang="en" xml:lang="en">${content}</div>`;
  return { status: 'generated', div };
}

function paragraph(words: string): string {
  return `<p>${escaped(words)}</p>`;
}

const MARKUP: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text in XML: markup escaped, characters that XML does not allow left out. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll(/[&<>"]/g, (character) => MARKUP[character]!);
}
