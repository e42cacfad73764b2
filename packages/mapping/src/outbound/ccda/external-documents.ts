/** Documents that a resource refers to, other than notes: External Document References. */
import type { DocumentReference, Resource } from '@medplum/fhirtypes';
import { type CdaElement, el } from './element.ts';
import { template } from './templates.ts';
import { code, ids } from './values.ts';
import type { Writer } from './writer.ts';

export function externalDocuments(writer: Writer, resource: Resource): CdaElement[] {
  const targets = new Set<string>();
  collect(resource, targets);
  return [...targets]
    .map((reference) => writer.chart.find<DocumentReference>({ reference }))
    .filter((one) => one !== undefined)
    .map((document) => {
      writer.take(document);
      const identified = {
        ...document,
        identifier: [document.masterIdentifier, ...(document.identifier ?? [])].filter((one) => one !== undefined),
      };
      return el(
        'reference',
        { typeCode: 'REFR' },
        el(
          'externalDocument',
          { classCode: 'DOCCLIN', moodCode: 'EVN' },
          template('externalDocument'),
          ids(identified).slice(0, 1),
          code('code', document.type),
        ),
      );
    });
}

function collect(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const one of value) collect(one, into);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const { reference } = value as { reference?: unknown };
  if (typeof reference === 'string' && reference.startsWith('DocumentReference/')) into.add(reference);
  for (const member of Object.values(value)) if (typeof member === 'object') collect(member, into);
}
