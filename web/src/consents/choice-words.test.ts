import { describe, expect, it } from 'vitest';
import { choiceWords } from './choice-words.ts';

const names = new Map([
  ['harbor', 'Harbor Hospital'],
  ['lab', 'the laboratory'],
]);

describe('a choice in words', () => {
  it.each([
    [{ effect: 'deny' }, ['Nobody else may see this record.']],
    [{ effect: 'permit', purposes: ['TREAT'] }, ['Everyone may see this record for treatment.']],
    [
      { effect: 'deny', organizations: ['harbor', 'lab'], kinds: ['hiv', 'genetics'] },
      ['Harbor Hospital and the laboratory may not see what is about HIV or genetic findings.'],
    ],
    [
      { effect: 'deny', exceptions: [{ effect: 'permit', organizations: ['harbor'], holds: { to: '2027-03-01' } }] },
      ['Nobody else may see this record.', 'But: Harbor Hospital may see it, until 1 Mar 2027.'],
    ],
    [
      { effect: 'permit', exceptions: [{ effect: 'deny', days: { from: '2020-01-01', to: '2020-12-31' } }] },
      ['Everyone may see this record.', 'But: nobody else may see data of 1 Jan 2020 – 31 Dec 2020.'],
    ],
    [
      {
        effect: 'deny',
        exceptions: [{ effect: 'permit', purposes: ['TREAT'], exceptions: [{ effect: 'deny', kinds: ['hiv'] }] }],
      },
      [
        'Nobody else may see this record.',
        'But: everyone may see it for treatment.',
        'Yet: nobody else may see what is about HIV.',
      ],
    ],
  ] as const)('%j', (choice, sentences) => {
    expect(choiceWords(choice as never, names)).toEqual(sentences);
  });
});
