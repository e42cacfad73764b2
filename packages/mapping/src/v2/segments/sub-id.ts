/** OBX-4: which of the observations that have one code this is. */
import { readText } from '../datatypes/primitive.ts';
import type { Draft, Element } from '../draft.ts';
import type { Run } from '../run.ts';
import type { SourceSegment } from '../source.ts';
import { cellOf } from './patient.ts';

const SUB_ID = 'http://hl7.org/fhir/StructureDefinition/observation-v2-subid';

/** OBX-4: the parts of OG, of which group and sequence are numbers; anything else as the original sub-identifier. */
export function subId(segment: SourceSegment, draft: Draft, run: Run): void {
  const cell = cellOf(segment, 4, run);
  if (cell === undefined) return;
  const list = (draft.resource.extension as Element[] | undefined) ?? [];
  const parts: Element[] = [];
  const place = { draft, base: `extension[${list.length}]` };
  const at = cell.at(place);
  const isGroup =
    [2, 3].some((component) => isNumber(at.peek(component))) && [2, 3].every((c) => at.atom(c, 2) === undefined);
  if (!isGroup || [2, 3].some((component) => at.peek(component) !== undefined && !isNumber(at.peek(component)))) {
    const text = readText(cell.at({ draft, base: `${place.base}.extension[0].valueString` }));
    if (text !== undefined) parts.push({ url: 'original-sub-identifier', valueString: text });
  } else
    for (const [component, url] of SUB_ID_PARTS) {
      const isText = component === 1 || component === 4;
      const name = isText ? 'valueString' : 'valueDecimal';
      const path = `extension[${parts.length}].${name}`;
      const value = isText ? at.text(path, component) : at.number(path, component);
      if (value !== undefined) parts.push({ url, [name]: value });
    }
  if (parts.length > 0) draft.resource.extension = [...list, { url: SUB_ID, extension: parts }];
}

const SUB_ID_PARTS = [
  [1, 'original-sub-identifier'],
  [2, 'group'],
  [3, 'sequence'],
  [4, 'identifier'],
] as const;

/** Digits, as a decimal takes them. */
export function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,9}(\.\d{1,9})?$/.test(text);
}
