/** Extensions on elements under construction. */
import type { Element } from '../draft.ts';

/** Adds `{url, [valueName]: value}` to an element's extensions. */
export function addExtension(element: Element, url: string, valueName: string, value: unknown): void {
  element.extension ??= [];
  const list = element.extension as Element[];
  list.push({ url, [valueName]: value });
}

/** A CodeableConcept for a required code that the source does not give. */
export function absentConcept(text?: string): Element {
  const concept: Element = {
    coding: [
      { system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'unknown', display: 'Unknown' },
    ],
  };
  if (text !== undefined) concept.text = text;
  return concept;
}
