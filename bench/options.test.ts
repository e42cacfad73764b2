import { describe, expect, test } from 'vitest';
import { names, readOptions, UsageError } from './options.ts';

describe('the command line of the bench', () => {
  test('measures everything with 1, 8 and 32 clients unless told otherwise', () => {
    expect(readOptions([])).toMatchObject({
      quick: false,
      only: [...names],
      clients: [1, 8, 32],
      data: 'stories',
      base: undefined,
    });
    expect(readOptions(['--quick']).clients).toEqual([8]);
  });

  test('takes names, numbers, data, an address and files, with or without an equals sign', () => {
    expect(
      readOptions([
        ...['--quick', '--only', 'read,ingest', '--clients=2,4', '--data', 'region:300', '--seconds', '5'],
        ...['--base=http://a/fhir/', '--token', 't', '--json=f'],
      ]),
    ).toEqual({
      quick: true,
      only: ['read', 'ingest'],
      clients: [2, 4],
      data: { region: 300 },
      seconds: 5,
      base: 'http://a/fhir',
      token: 't',
      json: 'f',
      profile: undefined,
    });
  });

  test('measures only FHIR on another server, and what it has already where that is wanted', () => {
    expect(readOptions(['--base', 'http://a/fhir', '--data', 'none'])).toMatchObject({ data: 'none' });
    expect(readOptions(['--base', 'http://a/fhir']).only).not.toContain('mllp_ack');
    expect(() => readOptions(['--base', 'http://a/fhir', '--only', 'match'])).toThrow(/cannot be measured with --base/);
  });

  test.each([
    [['--only', 'reed']],
    [['--json']],
    [['--fast']],
    [['--only', '--quick']],
    [['--clients', '0']],
    [['--clients', '1,x']],
    [['--seconds', '1.5']],
    [['--data', 'region']],
    [['--data', 'region:-3']],
    [['--data', 'none']],
    [['--data', 'synthea:/nowhere.tar.zst']],
  ])('refuses %j', (words) => {
    expect(() => readOptions(words)).toThrow(UsageError);
  });
});
