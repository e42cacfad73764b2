/**
 * Denial in CDA: `negationInd` of an act, and the `sdtc:valueNegationInd` extension that denies the value.
 */
import type { XmlElement } from '@causeway/ccda';

export const NEGATION_ATTRIBUTES = ['negationInd', 'sdtc:valueNegationInd'] as const;

/** Whether a statement is denied, by an XML Schema boolean. */
export function isDenied(element: XmlElement): boolean {
  return NEGATION_ATTRIBUTES.some((name) => /^(true|1)$/i.test(element.attr(name) ?? ''));
}
