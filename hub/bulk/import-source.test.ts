import { describe, expect, it } from 'vitest';
import { isAllowed } from './import-source.ts';

const allowed = ['https://files.example.org/exports/', 'http://10.0.0.7:9000'];

describe('an address that files are fetched from', () => {
  it.each([
    'https://files.example.org/exports/a.ndjson',
    'https://files.example.org/exports/2026/a.ndjson?token=x',
    'https://FILES.example.org:443/exports/a',
    'http://10.0.0.7:9000/anything',
  ])('may be %s', (url) => {
    expect(isAllowed(url, allowed)).toBe(true);
  });

  it.each([
    'https://files.example.org/exportsx/a.ndjson',
    'https://files.example.org/exports/../secret',
    'https://files.example.org/exports/%2e%2e/secret',
    'https://files.example.org/exports\\..\\..\\secret',
    'https://files.example.org.evil.example/exports/a',
    'https://files.example.org@evil.example/exports/a',
    'https://user@files.example.org/exports/a',
    'http://files.example.org/exports/a',
    'https://files.example.org:8443/exports/a',
    'http://10.0.0.7/anything',
    'http://10.0.0.7:90000/anything',
    'ftp://files.example.org/exports/a',
    'file:///exports/a',
    '/exports/a',
    '',
  ])('may not be %s', (url) => {
    expect(isAllowed(url, allowed)).toBe(false);
  });

  it('is none where none is allowed', () => {
    expect(isAllowed('https://files.example.org/exports/a', [])).toBe(false);
  });
});
