/**
 * Codes that no row took: kept with the resource that tells of the statement, as an extension that says where they
 * stood, so that no coded value is only in the original.
 */
import { CLINICAL_STATEMENTS, type XmlElement } from '@causeway/ccda';
import { codeableConcept } from './data-types.ts';
import type { Draft } from './draft.ts';
import type { Run } from './run.ts';

export const CDA_ELEMENT = 'urn:causeway:extension:cda-element';
const NOT_CODED = new Set(['templateId', 'typeId', 'realmCode', 'languageCode', 'statusCode']);
/** `ActCode|ASSERTION` asks nothing: the value is the whole statement. */
const ASSERTION = 'ASSERTION';

/** Walks the body and hangs each open code on the nearest fact, or on `fallback`. */
export function keepOpenCodes(run: Run, root: XmlElement, fallback: Draft | undefined): void {
  run.account.rule = 'cda-element';
  walk(run, root, undefined, fallback, root);
}

function walk(
  run: Run,
  element: XmlElement,
  owner: Draft | undefined,
  fallback: Draft | undefined,
  base: XmlElement,
): void {
  if (element.name === 'text' && element.parent?.name === 'section') return;
  if (element.name === 'reference') consumePointer(run, element);
  const own = run.owners.get(element) ?? run.folded.get(element);
  const at = own ?? owner;
  const from = CLINICAL_STATEMENTS.has(element.name) ? element : base;
  const holder = at ?? fallback;
  if (holder !== undefined && isOpenCode(run, element)) {
    const path = `extension[${((holder.resource.extension as unknown[] | undefined) ?? []).length}]`;
    const value = codeableConcept(run, element, { draft: holder, path: `${path}.extension[1].valueCodeableConcept` });
    if (value !== undefined) {
      const where = element.path.slice(from.path.length + 1);
      holder.put('extension[]', {
        url: CDA_ELEMENT,
        extension: [
          { url: 'path', valueString: where === '' ? element.name : where },
          { url: 'value', valueCodeableConcept: value },
        ],
      });
    }
  }
  if (element.name !== 'entry') walkBelow(run, element, at, fallback, from);
  else {
    run.document.xml.within(element, () => {
      walkBelow(run, element, at, fallback, from);
      run.settle(element);
    });
  }
}

function walkBelow(
  run: Run,
  element: XmlElement,
  owner: Draft | undefined,
  fallback: Draft | undefined,
  base: XmlElement,
): void {
  for (const child of element.children) walk(run, child, owner, fallback, base);
}

/** A pointer into the narrative of a section, which the Composition holds whole. */
function consumePointer(run: Run, element: XmlElement): void {
  const target = element.attr('value');
  if (target === undefined || !run.account.isOpen(element, 'value') || !run.hasNarrative(target)) return;
  run.account.consumed(element, 'value', 'points into the narrative');
}

function isOpenCode(run: Run, element: XmlElement): boolean {
  if (element.name === 'code' && element.attr('code') === ASSERTION) {
    run.account.consumeBelow(element, 'assertion');
    return false;
  }
  if (NOT_CODED.has(element.name) || element.attr('code') === undefined) return false;
  return run.account.isOpen(element, 'code') && element.parent?.name !== 'text';
}
