import fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { RecordError } from '../record/index.ts';
import { type AnswerForm, answerForm, plainForm } from './fhir-format.ts';

const formOf = (accept: string | undefined, url = '/fhir/Patient/1') =>
  answerForm({ url, headers: accept === undefined ? {} : { accept } } as FastifyRequest);

const ranges = fc.constantFrom(
  'application/fhir+json',
  'application/fhir+xml',
  'application/json',
  'text/xml',
  'text/html',
  '*/*',
  'application/*',
  'image/png',
);

describe('the form of an answer', () => {
  it('is a form or a 406, whatever the Accept header is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (accept) => {
        try {
          const form = formOf(accept);
          expect(['json', 'xml']).toContain(form.format);
        } catch (error) {
          expect(error).toBeInstanceOf(RecordError);
          expect((error as RecordError).status).toBe(406);
        }
      }),
    );
  });

  it('is that of the range with the highest quality which can be satisfied', () => {
    const weighted = fc.record({ range: ranges, quality: fc.integer({ min: 0, max: 10 }) });
    fc.assert(
      fc.property(fc.array(weighted, { minLength: 1, maxLength: 6 }), (list) => {
        const accept = list.map(({ range, quality }) => `${range};q=${quality / 10}`).join(', ');
        const usable = list.filter(({ range, quality }) => quality > 0 && !/html|png/.test(range));
        const best = usable.find(({ quality }) => quality === Math.max(...usable.map((one) => one.quality)));
        if (!best) return void expect(() => formOf(accept)).toThrow(RecordError);
        expect(formOf(accept).format).toBe(best.range.includes('xml') ? 'xml' : 'json');
      }),
    );
  });

  it('is told at a glance for the ordinary request', () => {
    expect([formOf(undefined), formOf('*/*')]).toEqual([plainForm, plainForm]);
    expect(formOf('application/fhir+json')).toBe(formOf('application/fhir+json'));
  });

  it.each([
    ['_summary=true', { subset: { summary: 'true' } }],
    ['_summary=false', { subset: undefined }],
    ['_summary=count', { subset: undefined }],
    ['_elements=id,name', { subset: { elements: ['id', 'name'] } }],
    ['_pretty=true', { pretty: true }],
    ['_format=xml&_pretty=true', { format: 'xml', pretty: true }],
  ] as [string, Partial<AnswerForm>][])('reads %s', (query, form) => {
    expect(formOf('application/fhir+json', `/fhir/Patient/1?${query}`)).toMatchObject(form);
  });
});
