/**
 * What makes a statement the same statement in another document: the id its sender gave, or what it is about and when.
 */
import { CLINICAL_STATEMENTS, type XmlDocument, type XmlElement } from '@causeway/ccda';
import type { Run } from './run.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Resources of which the value is what they are about, not what was found. */
const NAMED_BY_VALUE = new Set(['AllergyIntolerance', 'Condition']);

/**
 * The id that the sender gave, or else what the statement is about and when. An id used for several things, or one
 * that may only name its authority, does not identify alone.
 */
export function identityOf(run: Run, element: XmlElement, resource: string): string[] {
  const assertion = element.child('code')?.attr('code') ?? 'ASSERTION';
  const withValue = NAMED_BY_VALUE.has(resource) || assertion === 'ASSERTION';
  const id = identifyingId(element);
  if (id === undefined) return [run.patientIdentity, contentOf(element, withValue)];
  const key = `${id.attr('root')}|${id.attr('extension') ?? ''}`;
  const alone = id.attr('extension') !== undefined || UUID.test(id.attr('root')!);
  if (run.isShared(element.name, key)) return [run.patientIdentity, key, contentOf(element, true)];
  return alone ? [run.patientIdentity, key] : [run.patientIdentity, key, contentOf(element, withValue)];
}

function identifyingId(element: XmlElement): XmlElement | undefined {
  return element.all('id').find((id) => id.attr('root') !== undefined && id.attr('nullFlavor') === undefined);
}

/** Code, agent and time of a statement, and its value where that is the subject. */
function contentOf(element: XmlElement, withValue: boolean): string {
  const part = (at: XmlElement | undefined): string => {
    if (at === undefined) return '';
    const attributes = ['code', 'value', 'unit', 'nullFlavor'].map((name) => at.attr(name) ?? '').join(' ');
    return `${attributes} ${at.allText}`.trim();
  };
  const time = element.child('effectiveTime');
  const material =
    element.find('consumable', 'manufacturedProduct', 'manufacturedMaterial', 'code') ??
    element.find('product', 'manufacturedProduct', 'manufacturedMaterial', 'code') ??
    element.find('participant', 'participantRole', 'playingEntity', 'code');
  const code = part(element.child('code'));
  const about = [code, part(material), withValue ? part(element.child('value')) : ''];
  const bare = about.every((one) => one === '');
  return [
    element.name,
    element.attr('moodCode') ?? '',
    ...about,
    part(time),
    part(time?.child('low')),
    bare ? element.allText.slice(0, 500) : '',
  ].join('/');
}

/** Ids that stand on more than one statement of a class with different content. */
export function findSharedIds({ root, within }: XmlDocument): Set<string> {
  const contents = new Map<string, string>();
  const shared = new Set<string>();
  const walk = (element: XmlElement): void => {
    const id = CLINICAL_STATEMENTS.has(element.name) ? identifyingId(element) : undefined;
    if (id !== undefined) {
      const key = `${element.name}|${id.attr('root')}|${id.attr('extension') ?? ''}`;
      const content = contentOf(element, true);
      const known = contents.get(key);
      if (known === undefined) contents.set(key, content);
      else if (known !== content) shared.add(key);
    }
    if (element.name === 'entry') within(element, () => walkBelow(element));
    else walkBelow(element);
  };
  const walkBelow = (element: XmlElement): void => {
    for (const child of element.children) if (child.name !== 'text') walk(child);
  };
  walk(root);
  return shared;
}
