import { describe, expect, it } from 'vitest';
import {
  cosignersIn,
  isEnough,
  NoteError,
  readPolicy,
  readSubmission,
  secretKey,
  signerOf,
  submissionText,
  verifierText,
} from './index.ts';

const [x1, x2, x3, y1] = ['x1', 'x2', 'x3', 'y1'].map((name, seed) =>
  verifierText(signerOf(`${name}.example`, secretKey(Buffer.alloc(32, seed + 1)), 'cosignature')),
);
const text = `# Two of X, and one of Y.
log hub.example/audit+00000000+AQ==
witness X1 ${x1}   https://x1.example/witness
\twitness X2 ${x2}
witness X3 ${x3}
group X 2 X1 X2 X3
witness Y1 ${y1}
group Y any Y1
group X-and-Y all X Y

quorum X-and-Y
`;

describe('a policy', () => {
  it('names logs and witnesses, and which of them are enough', () => {
    const policy = readPolicy(text);
    expect(policy.witnesses[0]).toEqual({ name: 'X1', verifier: x1, url: 'https://x1.example/witness' });
    for (const [names, enough] of [
      [['X1', 'X3', 'Y1'], true],
      [['X1', 'X2', 'X3', 'Y1'], true],
      [['X1', 'Y1'], false],
      [['X1', 'X2', 'X3'], false],
      [[], false],
    ] as const) {
      expect(isEnough(policy, new Set(names)), names.join()).toBe(enough);
    }
    expect(isEnough(readPolicy('quorum none'), new Set())).toBe(true);
    expect(isEnough(readPolicy(`witness a ${x1}\nquorum a`), new Set(['a']))).toBe(true);
    const { name, id } = signerOf('x2.example', secretKey(Buffer.alloc(32, 2)), 'cosignature');
    expect(cosignersIn(policy, [{ name, id, kind: 'cosignature', time: 1 }])).toEqual(new Set(['X2']));
    expect(cosignersIn(policy, [{ name, id: id ^ 1, kind: 'cosignature', time: 1 }])).toEqual(new Set());
  });

  const renamed = x1!.replace('x1.example', 'x9.example');
  it.each([
    ['', 'which witnesses are enough'],
    ['quorum', 'quorum <name>'],
    ['quorum none\nquorum none', 'Line 2 of the policy: a policy has one quorum.'],
    ['quorum X', 'nothing before it is called X'],
    [`quorum a\nwitness a ${x1}`, 'nothing before it'],
    ['witness a', 'witness <name>'],
    [`witness none ${x1}`, 'is taken'],
    [`witness a ${x1}\nwitness a ${x2}`, 'is taken'],
    [`witness a ${x1}\nwitness b ${renamed}`, 'the key stands there twice'],
    [`log ${x1}\nlog ${renamed}`, 'the key stands there twice'],
    ['log', 'log <verifier key>'],
    ['group g any', 'group <name>'],
    ['group g any a', 'nothing before it is called a'],
    [`witness a ${x1}\ngroup g any a a`, 'is a member already'],
    [`witness a ${x1}\ngroup g any a\ngroup h any a`, 'is a member already'],
    [`witness a ${x1}\ngroup g 2 a`, 'of 1 members not 2'],
    [`witness a ${x1}\ngroup g 0 a`, 'of 1 members not 0'],
    [`witness a ${x1}\ngroup a any a`, 'is taken'],
    ['trust me', 'not with trust'],
    ['quorum none\r\n', 'control characters'],
  ])('%j is none', (bad, why) => {
    expect(() => readPolicy(bad)).toThrow(NoteError);
    expect(() => readPolicy(bad)).toThrow(why);
  });
});

describe('what is given to a witness', () => {
  it('is read as it is written', () => {
    const given = {
      from: 9,
      path: [new Uint8Array(32), new Uint8Array(32).fill(7)],
      checkpoint: 'a\n1\nb\n\n— x AAAAAAA=\n',
    };
    expect(readSubmission(submissionText(given))).toEqual(given);
    expect(readSubmission('old 0\n\nx')).toEqual({ from: 0, path: [], checkpoint: 'x' });
  });

  it.each([
    '',
    'old 1',
    'old 01\n\n',
    'old -1\n\n',
    'old 9007199254740993\n\n',
    'old 1\nAA==\n\n',
    'old 1\n\tAA\n\n',
    `old 1${'\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='.repeat(64)}\n\n`,
  ])('%j is none', (bad) => {
    expect(() => readSubmission(bad)).toThrow(NoteError);
  });
});
