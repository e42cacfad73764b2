/**
 * Whether a narrative is safe and as R4 wants it (https://hl7.org/fhir/R4/narrative.html): one XHTML `div` of formatting
 * only (txt-1) with content (txt-2), that runs nothing. An image from another host is allowed by R4, and warned of.
 */
import type { Issue } from '../outcome.ts';
import { LOADS } from './rules.ts';
import { scanXhtml, XHTML } from './scan.ts';

/** At most so many findings about one narrative. */
const MAX_FINDINGS = 10;

/** The findings about `Narrative.div`, each sentence once; none when it is right. Never throws. */
export function narrativeIssues(div: string): Issue[] {
  const { malformed, broken, hasContent, namespace } = scanXhtml(div);
  if (malformed !== undefined) {
    return [
      { severity: 'error', code: 'structure', diagnostics: `the narrative is not well-formed XHTML: ${malformed}` },
    ];
  }
  const found = [...broken].slice(0, MAX_FINDINGS);
  if (namespace === undefined) found.push(`the div has to declare its namespace: xmlns="${XHTML}"`);
  if (!hasContent) found.push('a narrative has to have some content: text or an image (txt-2)');
  return found.map((diagnostics) => ({
    severity: diagnostics === LOADS ? 'warning' : 'error',
    code: 'invariant',
    diagnostics,
  }));
}
