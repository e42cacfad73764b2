/** Annotations of a resource as Comment Activities, their words in the narrative of a cell of their own. */
import type { Annotation } from '@medplum/fhirtypes';
import { LOINC } from './codes.ts';
import { type CdaElement, el } from './element.ts';
import { author } from './participants.ts';
import { related, statement } from './statement.ts';
import { template } from './templates.ts';
import { fixed } from './values.ts';
import type { Writer } from './writer.ts';

export function notes(annotations: readonly Annotation[] | undefined, writer: Writer): (CdaElement | undefined)[] {
  return (annotations ?? []).map(({ text, time, authorReference, authorString }) =>
    related(
      'SUBJ',
      statement(
        'act',
        { classCode: 'ACT', moodCode: 'EVN' },
        template('comment'),
        fixed('code', '48767-8', LOINC, 'Annotation comment'),
        el('text', {}, text, el('reference', { value: `#${writer.footnote(text)}` })),
        (authorReference ?? authorString) !== undefined &&
          author(writer, { who: authorReference ?? { display: authorString }, time }),
      ),
      true,
    ),
  );
}
