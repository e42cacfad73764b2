import { describe, expect, test } from 'vitest';
import { names, readOptions, UsageError } from './options.ts';

describe('the command line of the bench', () => {
  test('measures everything unless told otherwise', () => {
    expect(readOptions([])).toMatchObject({ quick: false, only: [...names], base: undefined });
  });

  test('takes names, an address and files, with or without an equals sign', () => {
    expect(
      readOptions(['--quick', '--only', 'read,ingest', '--base=http://a/fhir/', '--token', 't', '--json=f']),
    ).toEqual({
      quick: true,
      only: ['read', 'ingest'],
      base: 'http://a/fhir',
      token: 't',
      json: 'f',
      profile: undefined,
    });
  });

  test('measures only FHIR on another server', () => {
    expect(readOptions(['--base', 'http://a/fhir']).only).not.toContain('mllp_ack');
    expect(() => readOptions(['--base', 'http://a/fhir', '--only', 'match'])).toThrow(/cannot be measured with --base/);
  });

  test.each([[['--only', 'reed']], [['--json']], [['--fast']], [['--only', '--quick']]])('refuses %j', (words) => {
    expect(() => readOptions(words)).toThrow(UsageError);
  });
});
