/** Certificates for tests, made by openssl when they are needed; nothing of them is kept. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCertificate {
  /** Paths of PEM files. */
  certificate: string;
  key: string;
  /** SHA-256, as `openssl x509 -fingerprint` writes it. */
  fingerprint: string;
}

export class TestAuthority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'causeway-ca-'));
  readonly certificate = join(this.#folder, 'ca.pem');
  readonly key = join(this.#folder, 'ca.key');

  constructor(name = 'Test Authority') {
    const made = ['-keyout', this.key, '-out', this.certificate, '-subj', `/CN=${name}`, '-days', '2'];
    openssl('req', '-x509', ...newKey, ...made);
  }

  /** Its own certificate, which it signed itself. */
  get own(): TestCertificate {
    const { certificate, key } = this;
    return { certificate, key, fingerprint: new X509Certificate(readFileSync(certificate)).fingerprint256 };
  }

  /**
   * A certificate for a name, signed by this authority; `alternative` as in `DNS:localhost,IP:127.0.0.1`. With negative
   * `days` it ended so many ago.
   */
  issue(name: string, alternative = 'DNS:localhost,IP:127.0.0.1', subject = `/CN=${name}`, days = 2): TestCertificate {
    const path = (end: string) => join(this.#folder, `${name}.${end}`);
    const [certificate, key, request, extensions] = [path('pem'), path('key'), path('csr'), path('ext')];
    writeFileSync(extensions, `subjectAltName=${alternative}\n`);
    openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', subject);
    const signed = ['-CA', this.certificate, '-CAkey', this.key, '-CAcreateserial', '-days', String(days)];
    openssl('x509', '-req', '-in', request, '-out', certificate, ...signed, '-extfile', extensions);
    return { certificate, key, fingerprint: new X509Certificate(readFileSync(certificate)).fingerprint256 };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { stdio: 'pipe' });
}
