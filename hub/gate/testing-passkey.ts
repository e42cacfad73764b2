/** An authenticator in software (Web Authentication, 6), for tests: one passkey, P-256, no attestation, its user verified. */
import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';

interface Challenge {
  challenge: string;
}

/** How an answer is made to differ from a right one. */
export interface Wrong {
  origin?: string;
  /** Says that its user was not verified. */
  isUnverified?: boolean;
  counter?: number;
}

const flags = { present: 0x01, verified: 0x04, attested: 0x40 };

export class TestAuthenticator {
  readonly #party: { id: string; origin: string };
  readonly #id = randomBytes(32);
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  #counter = 0;
  #userHandle: string | undefined;

  constructor(party: { id: string; origin: string }) {
    this.#party = party;
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = pair.privateKey;
    this.#publicKey = pair.publicKey;
  }

  get id(): string {
    return this.#id.toString('base64url');
  }

  /** Answers to the options of a registration. */
  create(options: Challenge & { user: { id: string } }, wrong: Wrong = {}): object {
    this.#userHandle = options.user.id;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.#id.length);
    const attested = Buffer.concat([Buffer.alloc(16), length, this.#id, this.#coseKey()]);
    const data = Buffer.concat([this.#data(flags.attested, wrong), attested]);
    const attestation = Buffer.concat([
      Buffer.from([0xa3]),
      text('fmt'),
      text('none'),
      text('attStmt'),
      Buffer.from([0xa0]),
      text('authData'),
      bytes(data),
    ]);
    return this.#answer({
      clientDataJSON: this.#clientData('webauthn.create', options, wrong).toString('base64url'),
      attestationObject: attestation.toString('base64url'),
      transports: ['internal'],
    });
  }

  /** Answers to the options of a use. */
  get(options: Challenge, wrong: Wrong = {}): object {
    const data = this.#data(0, wrong);
    const client = this.#clientData('webauthn.get', options, wrong);
    const signed = Buffer.concat([data, createHash('sha256').update(client).digest()]);
    return this.#answer({
      clientDataJSON: client.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: createSign('sha256').update(signed).sign(this.#privateKey).toString('base64url'),
      userHandle: this.#userHandle,
    });
  }

  #answer(response: object): object {
    return {
      id: this.id,
      rawId: this.id,
      type: 'public-key',
      clientExtensionResults: {},
      authenticatorAttachment: 'platform',
      response,
    };
  }

  #clientData(type: string, { challenge }: Challenge, { origin }: Wrong): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin: origin ?? this.#party.origin, crossOrigin: false }));
  }

  #data(more: number, { isUnverified, counter }: Wrong): Buffer {
    const head = Buffer.alloc(5);
    head[0] = flags.present | (isUnverified ? 0 : flags.verified) | more;
    head.writeUInt32BE(counter ?? ++this.#counter, 1);
    return Buffer.concat([createHash('sha256').update(this.#party.id).digest(), head]);
  }

  /** RFC 9053, 7.1.1: {1: 2, 3: -7, -1: 1, -2: x, -3: y}. */
  #coseKey(): Buffer {
    const { x, y } = this.#publicKey.export({ format: 'jwk' });
    return Buffer.concat([
      Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
      bytes(Buffer.from(x!, 'base64url')),
      Buffer.from([0x22]),
      bytes(Buffer.from(y!, 'base64url')),
    ]);
  }
}

/** CBOR (RFC 8949, 3.1). */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)]);
}

function bytes(value: Buffer): Buffer {
  const head =
    value.length < 256
      ? Buffer.from([0x58, value.length])
      : Buffer.from([0x59, value.length >> 8, value.length & 0xff]);
  return Buffer.concat([head, value]);
}
