import { describe, expect, it } from 'vitest';
import { decryptFile, encryptFile, newKey, readLink, usableKey, writeLink } from './link.ts';

const payload = {
  url: 'https://hub.example/shl/abc',
  key: newKey(),
  flag: 'LP',
  label: 'Reise nach Zürich',
  exp: 1_900_000_000,
};

describe('a link', () => {
  it('is read as it was written, with or without the page before it', () => {
    const link = writeLink(payload, 'https://hub.example/open-link');
    expect(link).toMatch(/^https:\/\/hub\.example\/open-link#shlink:\/[\w-]+$/);
    expect(readLink(link)).toEqual(payload);
    expect(readLink(`  ${link.slice(link.indexOf('shlink:'))}\n`)).toEqual(payload);
  });

  it.each([
    ['https://hub.example', 'no shlink'],
    ['shlink:/abc', 'damaged'],
    [writeLink({ ...payload, key: 'short' }, ''), 'address or a key'],
    [writeLink({ ...payload, v: 2 }, ''), 'later kind'],
  ])('that is none is told so: %s', (text, says) => {
    expect(() => readLink(text)).toThrow(says);
  });
});

describe('a file', () => {
  it('is read by the key of its link alone', async () => {
    const file = { contentType: 'application/fhir+json', text: '{"resourceType":"Bundle","ü":1}'.repeat(20_000) };
    const [key, other] = [await usableKey(payload.key), await usableKey(newKey())];
    const jwe = await encryptFile(file, key);
    expect(jwe.length).toBeLessThan(file.text.length / 10);
    expect(await decryptFile(jwe, key)).toEqual(file);
    await expect(decryptFile(jwe, other)).rejects.toThrow();
    expect((await encryptFile(file, key)).split('.')[2], 'an initialization vector of its own').not.toBe(
      jwe.split('.')[2],
    );
  });
});
