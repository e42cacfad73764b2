import { createCipheriv, createHash, createSecretKey, randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dictionaryOf } from './dictionaries.ts';
import { open, openText, seal } from './sealing.ts';

const key = randomBytes(32);
const identity = 'Observation/0198c9a0-0000-7000-8000-000000000001/1';

/** Format 1, in which every text was stored before there was format 2. */
function sealDeflated(text: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce);
  cipher.setAAD(Buffer.from(identity));
  const body = Buffer.concat([cipher.update(deflateRawSync(text)), cipher.final()]);
  return Buffer.concat([Buffer.from([1]), nonce, body, cipher.getAuthTag()]);
}

describe('seal and open', () => {
  it('give any text back, short or long', () => {
    const long = fc.tuple(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 40_000 }));
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      long.map(([text, times]) => text.repeat(times).slice(0, 200_000)),
    );
    fc.assert(
      fc.property(texts, fc.constantFrom('Observation', 'Patient', 'Basic', 'message'), (text, type) => {
        const own = `${type}/1/1`;
        expect(openText(seal(text, key, own), key, own)).toBe(Buffer.from(text).toString());
      }),
    );
  });

  it('give bytes back that are no text', () => {
    const bytes = randomBytes(5_000);
    expect(open(seal(bytes, key, 'message/1'), key, 'message/1').equals(bytes)).toBe(true);
  });

  it('opens what was stored deflated', () => {
    expect(openText(sealDeflated('{"resourceType":"Observation"}'), key, identity)).toBe(
      '{"resourceType":"Observation"}',
    );
  });

  it('refuses another key, another identity, any changed bit and an unknown format', () => {
    const sealed = seal('{"resourceType":"Observation","status":"final"}', key, identity);
    expect(() => open(sealed, randomBytes(32), identity)).toThrow();
    expect(() => open(sealed, key, identity.replace(/1$/, '2'))).toThrow();
    for (let i = 0; i < sealed.length; i++) {
      const changed = Buffer.from(sealed);
      changed[i]! ^= 1;
      expect(() => open(changed, key, identity), `byte ${i}`).toThrow();
    }
    expect(() => open(Buffer.concat([Buffer.from([9]), sealed.subarray(1)]), key, identity)).toThrow(
      'unknown format 9',
    );
  });
});

describe('dictionaryOf', () => {
  it('never changes, since stored texts are read with it', () => {
    const types = [
      ...['AllergyIntolerance', 'CarePlan', 'Claim', 'Condition', 'DiagnosticReport', 'Encounter'],
      ...['ExplanationOfBenefit', 'Immunization', 'MedicationRequest', 'Observation', 'Organization', 'Patient'],
      ...['Practitioner', 'Procedure', 'any other'],
    ];
    const all = createHash('sha256');
    for (const type of types) all.update(dictionaryOf(type));
    expect(all.digest('hex')).toBe('04e8234f934c71365610bf6d3610960a4538587832143dc6dcbf9b6444f34cdc');
  });
});
