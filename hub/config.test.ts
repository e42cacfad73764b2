import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeConfig, describeOptions, readConfig } from './config.ts';

describe('configuration', () => {
  test('has defaults for everything', () => {
    const { config, rest } = readConfig([], {});
    expect(config).toMatchObject({ host: '127.0.0.1', port: 8080, mllpPort: 2575, people: 200, demo: true });
    expect(config.dataDir).toBe(resolve('./data'));
    expect(config.messageBytes).toBe(67108864);
    expect(rest).toEqual([]);
    expect(describeConfig(config)).toEqual([]);
  });

  test('options win over the environment', () => {
    const environment = { CAUSEWAY_PORT: '9000', CAUSEWAY_PEOPLE: '10', CAUSEWAY_DEMO: 'false', HOME: '/x' };
    const { config, rest } = readConfig(['--port', '9001', 'a.hl7', '--message-bytes=2MB'], environment);
    expect(config).toMatchObject({ port: 9001, people: 10, demo: false, messageBytes: 2097152 });
    expect(rest).toEqual(['a.hl7']);
    expect(readConfig(['--no-demo'], {}).config.demo).toBe(false);
  });

  test.each([
    [['--prot', '1'], {}, /--prot is unknown. Did you mean --port\?/],
    [['--nodemo'], {}, /Did you mean --no-demo\?/],
    [['--no-port'], {}, /--no-port is unknown/],
    [['--port'], {}, /--port needs a value/],
    [['--port', '--no-demo'], {}, /--port needs a value/],
    [['--port', '70000'], {}, /from 0 to 65535; it was “70000”/],
    [['--port', '8x'], {}, /it was “8x”/],
    [['--no-demo=1'], {}, /takes no value/],
    [['--log-level', 'loud'], {}, /debug, info, warn, error, silent/],
    [['--tls-certificate', 'c.pem'], {}, /needs --tls-certificate and --tls-key/],
    [['--tls-client-ca', 'ca.pem'], {}, /needs --tls-certificate and --tls-key/],
    [
      ['--tls-certificate', 'c.pem', '--tls-key', 'k.pem', '--public-url', 'http://h.example'],
      {},
      /--public-url is an https address/,
    ],
    [['--mllp-tls-port', '2576'], {}, /needs --mllp-tls-certificate and --mllp-tls-key/],
    [['--mllp-tls-key', 'k.pem'], {}, /needs --mllp-tls-port/],
    [['--no-mllp-plain'], {}, /leaves no MLLP port/],
    [['--trusted-proxies', '10.0.0.0/8,proxy.example'], {}, /list of addresses or networks/],
    [['--oidc-issuer', 'https://id.example'], {}, /needs --oidc-client-id and --public-url/],
    [
      ['--oidc-issuer', 'http://id.example', '--oidc-client-id', 'x', '--public-url', 'https://h.example'],
      {},
      /by https/,
    ],
    [['--oidc-issuer', 'id.example', '--oidc-client-id', 'x'], {}, /list of addresses/],
    [['--smtp-host', 'mail.example'], {}, /go together/],
    [['--smtp-host', 'mail.example', '--mail-from', 'hub'], {}, /address such as hub@example.org/],
    [['--smtp-host', 'mail.example', '--mail-from', 'h@b.example', '--smtp-user', 'hub'], {}, /go together/],
    [['--smtp-host', 'mail.example', '--mail-from', 'h@b.example', '--smtp-tls', 'none'], {}, /on this machine/],
    [['--direct-address', 'hub@direct.example'], {}, /go together, with --smtp-host/],
    [[], { CAUSEWAY_PROT: '1' }, /CAUSEWAY_PROT is unknown. Did you mean CAUSEWAY_PORT\?/],
    [[], { CAUSEWAY_DEMO: 'maybe' }, /CAUSEWAY_DEMO is true or false/],
  ])('refuses %j %j', (args, environment, message) => {
    expect(() => readConfig(args, environment as Record<string, string>)).toThrow(message);
  });

  test.each(['localhost:5432/hub', 'mysql://hub@db.example/hub', 'postgres://hub pw@db/hub'])(
    'refuses %s as a database',
    (DATABASE_URL) => {
      expect(() => readConfig([], { DATABASE_URL })).toThrow(/^DATABASE_URL is not the address of a PostgreSQL/);
    },
  );

  test('takes the files of MLLP over TLS as paths', () => {
    const words = '--mllp-tls-port 2576 --mllp-tls-certificate c.pem --mllp-tls-key k.pem --mllp-tls-client-ca ca.pem';
    const { config } = readConfig([...words.split(' '), '--no-mllp-plain'], {});
    expect(config).toMatchObject({ mllpTlsPort: 2576, mllpPlain: false, mllpTlsClientRequired: true });
    expect(config.mllpTlsKey).toBe(resolve('k.pem'));
    expect(describeConfig(config)).toContain('mllp-tls-port: 2576');
    expect(readConfig([], {}).config.mllpTlsKey).toBeUndefined();
  });

  test('is printed without the password', () => {
    const { config } = readConfig([], { DATABASE_URL: 'postgres://hub:s3cret@db.example/causeway?password=s3cret' });
    expect(describeConfig(config).join()).toContain('//hub:…@db.example');
    expect(describeConfig(config).join()).not.toContain('s3cret');
    expect(describeOptions().join('\n')).toContain('--mllp-port N');
  });
});
