import { describe, expect, it } from 'vitest';
import { compileTerminology } from './compile-terminology.ts';
import { publishedTerminology, useTerminology } from './terminology.ts';

const condition = 'http://terminology.hl7.org/CodeSystem/condition-clinical';

describe('published terminology', () => {
  it('has the codes and hierarchies of HL7’s code systems', async () => {
    const found = await publishedTerminology('CodeSystem', condition);
    expect(found).toMatchObject({ resourceType: 'CodeSystem', content: 'complete' });
    expect(found!.concept).toContainEqual({ code: 'active', concept: [{ code: 'recurrence' }, { code: 'relapse' }] });
    expect(await publishedTerminology('CodeSystem', condition, '4.0.1')).toEqual(found);
    expect(await publishedTerminology('CodeSystem', condition, '1.0')).toBeUndefined();
    expect(await publishedTerminology('ValueSet', condition)).toBeUndefined();
  });

  it('has what value sets are made of', async () => {
    expect(await publishedTerminology('ValueSet', 'http://hl7.org/fhir/ValueSet/administrative-gender')).toMatchObject({
      compose: { include: [{ system: 'http://hl7.org/fhir/administrative-gender' }] },
    });
    expect(
      await publishedTerminology('ValueSet', 'http://terminology.hl7.org/ValueSet/v3-TribalEntityUS'),
    ).toBeDefined();
  });

  it('gives the newest of several versions, and each by its own', async () => {
    const url = 'http://terminology.hl7.org/CodeSystem/v2-0360';
    expect(await publishedTerminology('CodeSystem', url)).toMatchObject({ version: '2.7' });
    expect(await publishedTerminology('CodeSystem', url, '2.3.1')).toMatchObject({ version: '2.3.1' });
  });

  it('is read at its first use only, and once', async () => {
    let reads = 0;
    useTerminology(async () => {
      reads++;
      return Buffer.from(compileTerminology());
    });
    expect(reads).toBe(0);
    const found = await Promise.all([1, 2, 3].map(() => publishedTerminology('CodeSystem', condition)));
    expect([reads, found.map((one) => one?.url)]).toEqual([1, [condition, condition, condition]]);
  });
});
