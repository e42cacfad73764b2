/** What the tests of written documents look at. */
import { parseCda, parseXml, type XmlElement } from '@causeway/ccda';
import type { Resource } from '@medplum/fhirtypes';
import { convertCcda } from '../../ccda/convert.ts';
import { writeCcda } from './document.ts';
import { OPTIONS, record } from './sample.ts';

/** The document of a record, read as XML. */
export function write(resources: readonly Resource[] = record(), options = OPTIONS): XmlElement {
  const parsed = parseXml(writeCcda(resources, options).xml);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.document.root;
}

export function sectionOf(root: XmlElement, code: string): XmlElement | undefined {
  const components = root.find('component', 'structuredBody')?.all('component') ?? [];
  return components.map((one) => one.child('section')).find((one) => one?.child('code')?.attr('code') === code);
}

/** Every element below of that name, in order. */
export function below(element: XmlElement | undefined, name: string): XmlElement[] {
  if (element === undefined) return [];
  return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...below(child, name)]);
}

/** What a reader of C-CDA takes from the document. */
export function readBack(resources: readonly Resource[]): Resource[] {
  const parsed = parseCda(writeCcda(resources, OPTIONS).xml);
  if (!parsed.ok) throw new Error(parsed.error.message);
  const context = { source: 'test', receivedAt: '2026-03-06T00:00:00Z', messageUri: 'urn:causeway:message:1' };
  return convertCcda(parsed.document, context).facts.map(({ resource }) => resource);
}

export function ofType<T extends Resource>(resources: readonly Resource[], type: T['resourceType']): T[] {
  return resources.filter((one): one is T => one.resourceType === type);
}
