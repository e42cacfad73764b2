import { describe, expect, it } from 'vitest';
import { BindingCounts, judged } from './bindings.ts';
import { knownSet } from './value-sets.ts';

const marital = 'http://hl7.org/fhir/ValueSet/marital-status';
const colours = 'urn:test:colours';
const own = new Map([
  [
    'urn:test:set',
    {
      compose: {
        include: [
          { system: colours, concept: [{ code: 'r', display: 'Red' }, { code: 'g' }] },
          { system: 'http://snomed.info/sct', filter: [{}] },
          { valueSet: ['urn:test:inner'] },
        ],
        exclude: [{ system: 'urn:test:shapes', filter: [{}] }],
      },
    },
  ],
  [
    'urn:test:inner',
    { compose: { include: [{ system: 'urn:test:shapes', concept: [{ code: 'x', display: 'Square' }] }] } },
  ],
]);

describe('a coded value and the value set that it is loosely bound to', async () => {
  const set = await knownSet('urn:test:set', own);
  const published = await knownSet(marital, own);
  const unknown = await knownSet('urn:test:none', own);
  const of = (...coding: object[]) => judged(set, { coding });

  it('is of it by one of its codings', () => {
    expect(of({ system: 'urn:x', code: '1' }, { system: colours, code: 'r' }).is).toBe('of');
    expect(judged(set, 'g').is).toBe('of');
    const married = { system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M' };
    expect(judged(published, { coding: [married] }).is).toBe('of');
  });

  it('is not where the set has a code of the same words', () => {
    expect(judged(set, { text: ' red' })).toMatchObject({ is: 'not', applies: true });
    expect(of({ system: 'urn:x', code: '1', display: 'Red' })).toMatchObject({ is: 'not', applies: true });
  });

  it('is not where its code system, which the set has whole, has no such code', () => {
    const wrong = { system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'married' };
    expect(judged(published, { coding: [wrong] })).toMatchObject({ is: 'not', applies: true });
  });

  it('is not, which an extensible binding allows, by words alone or a code of elsewhere', () => {
    for (const value of [{ text: 'blue' }, { coding: [{ system: 'urn:x', code: '1' }] }])
      expect(judged(set, value)).toMatchObject({ is: 'not', applies: false });
    expect(of({ system: colours, code: 'b' })).toMatchObject({ is: 'not', applies: false });
  });

  it('is left open where a terminology would have to tell', () => {
    expect(of({ system: 'http://snomed.info/sct', code: '1' }).is).toBe('open');
    // What the set leaves out by a rule may be this one.
    expect(of({ system: 'urn:test:shapes', code: 'x' }).is).toBe('open');
    expect(judged(unknown, { coding: [{ system: 'urn:x', code: '1' }] }).is).toBe('open');
  });

  it('is counted with the reason', () => {
    const counts = new BindingCounts();
    const note = { ...of({ system: 'urn:x', code: '1' }), path: 'A.b', strength: 'preferred', valueSet: 's' };
    counts.add([note, note]);
    expect(counts.table()).toMatch(/ 2 {2}preferred +A\.b \(s\): not of it, of another system: urn:x$/);
  });
});
