/** Codes of a converted document, for which FHIR has no element, put back where they stood. */
import type { CodeableConcept, Extension } from '@medplum/fhirtypes';
import { CDA_ELEMENT } from '../../ccda/leftovers.ts';
import { attributeOf, type CdaElement, childNamed, el } from './element.ts';
import { inOrder } from './statement.ts';
import { template } from './templates.ts';
import { code } from './values.ts';

const STEP = /^([\w:]+|\{[^{}]+\}\w+)(?:\[(\d+)\])?$/;
const FOREIGN = /^\{([^{}]+)\}(\w+)$/;

/** Elements that are made where a code's path leads through them, with the attributes they must have. */
const MADE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  specimen: {},
  specimenRole: {},
  specimenPlayingEntity: {},
  participant: { typeCode: 'IND' },
  participantRole: {},
  playingEntity: {},
  reference: { typeCode: 'REFR' },
  externalDocument: {},
  externalObservation: {},
  qualifier: {},
};
const IN_A_CODE = ['originalText', 'qualifier', 'translation'];

/**
 * Puts codes that FHIR had no element for back where they stood in the document they came from (`leftovers.ts` keeps
 * them with their path): in the element itself where it has no code, else as its translation.
 */
export function putBack(element: CdaElement, resource: { extension?: Extension[] }): CdaElement {
  let made: Map<string, CdaElement> | undefined;
  for (const { url, extension } of resource.extension ?? []) {
    if (url !== CDA_ELEMENT) continue;
    const path = extension?.find((part) => part.url === 'path')?.valueString;
    const concept = extension?.find((part) => part.url === 'value')?.valueCodeableConcept;
    // Which nested statement a path meant is not known here: nothing is put into another one.
    if (path === undefined || concept === undefined || /\b(entryRelationship|component)\b/.test(path)) continue;
    made ??= new Map();
    putCode(element, path.split('/'), concept, made);
  }
  return made === undefined ? element : inOrder(element);
}

function putCode(
  element: CdaElement,
  path: readonly string[],
  concept: CodeableConcept,
  made: Map<string, CdaElement>,
): void {
  let at = element;
  let walked = '';
  for (const step of path.slice(0, -1)) {
    walked += `/${step}`;
    const next = goTo(at, step, walked, made);
    if (next === undefined) return;
    at = next;
  }
  const [, name, nth] = STEP.exec(path.at(-1)!) ?? [];
  if (name === undefined) return;
  const [, uri, local] = FOREIGN.exec(name) ?? [];
  if (uri !== undefined && local !== undefined) {
    const told = code(local, concept);
    told.attributes.push(['xmlns', uri]);
    at.children.push(told);
    return;
  }
  const known = childNamed(at, name);
  if (known === undefined || (name === 'value' && nth !== undefined && nth !== '1')) {
    at.children.push(code(name, concept, { type: name === 'value' && at.name !== 'qualifier' ? 'CD' : undefined }));
  } else if (attributeOf(known, 'code') === undefined && attributeOf(known, 'xsi:type') === undefined) {
    const told = code(name, concept);
    known.attributes = told.attributes;
    known.children.push(...told.children);
  } else if (known.name === 'code' || attributeOf(known, 'xsi:type') === 'CD') {
    known.children.push({ ...code(name, concept), name: 'translation' });
  }
}

/** The child that a step names, made where it may be; what took part is not what took part before. */
function goTo(
  element: CdaElement,
  step: string,
  walked: string,
  made: Map<string, CdaElement>,
): CdaElement | undefined {
  const known = made.get(walked);
  if (known !== undefined) return known;
  const [, name, nth = '1'] = STEP.exec(step) ?? [];
  if (name === undefined) return undefined;
  const alike = element.children.filter(
    (child): child is CdaElement => typeof child !== 'string' && child.name === name,
  );
  const found = name === 'participant' ? undefined : alike[Number(nth) - 1];
  if (found !== undefined) return found;
  const [, uri, local] = FOREIGN.exec(name) ?? [];
  const attributes = uri === undefined ? MADE[name] : { xmlns: uri };
  if (attributes === undefined) return undefined;
  const child = el(local ?? name, { ...attributes });
  if (name === 'participant' && element.name === 'substanceAdministration') {
    child.attributes = [['typeCode', 'CSM']];
    const role = el('participantRole', { classCode: 'MANU' }, template('drugVehicle'));
    child.children.push(role);
    made.set(`${walked}/participantRole`, role);
  }
  element.children.push(child);
  if (name === 'qualifier') element.children.sort((a, b) => placeInCode(a) - placeInCode(b));
  made.set(walked, child);
  return child;
}

function placeInCode(child: CdaElement | string): number {
  return typeof child === 'string' ? -1 : IN_A_CODE.indexOf(child.name);
}
