import { forEachAtom, isParseError, parseMessage } from '@causeway/hl7v2';
import { describe, expect, it } from 'vitest';
import { rawAtoms } from './atoms.ts';
import { isMessageFile, messagesIn } from './message-files.ts';

const HEAD = 'MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1';

describe('atoms by splitting the text', () => {
  it('are those the parser tells, with the same values', () => {
    const text = `${HEAD}\rPID|1||77^^^X&1.2&ISO^MR~78||Doe^J\\T\\K||\rOBX|1|FT|a||one\\.br\\two\nthree\rNTE|1||x\r`;
    const message = parseMessage(text);
    if (isParseError(message)) throw new Error(message.message);
    const told = new Map<string, string>();
    forEachAtom(message, ({ segment, occurrence, field, repetition, component, subcomponent, value }) => {
      told.set(`${segment}[${occurrence}]-${field}[${repetition}].${component}.${subcomponent}`, value);
    });
    const atoms = rawAtoms(text);
    expect(atoms.map(({ path }) => path).sort()).toEqual([...told.keys()].sort());
    expect(atoms.find(({ path }) => path === 'PID[1]-5[1].2.1')?.value).toBe('J&K');
    expect(atoms.find(({ path }) => path === 'PID[1]-3[1].4.2')?.value).toBe('1.2');
  });
});

describe('message files', () => {
  const file = (id: string, text: string) => ({ id, bytes: Buffer.from(text, 'latin1') });

  it('are known by how they begin, or by their name', () => {
    expect(isMessageFile(file('a.txt', `\x0b${HEAD}`))).toBe(true);
    expect(isMessageFile(file('a.hl7', 'nothing of the kind'))).toBe(true);
    expect(isMessageFile(file('readme.txt', 'MSHA is no header'))).toBe(false);
    expect(isMessageFile(file('a.json', HEAD))).toBe(false);
  });

  it('are cut into their messages, framed or not', () => {
    expect(messagesIn(file('a', `${HEAD}\rPV1|1\r${HEAD}\r`)).messages.map(({ id }) => id)).toEqual(['a#1', 'a#2']);
    expect(messagesIn(file('b', `\x0b${HEAD}\r\x1c\r\x0b${HEAD}\r\x1c\r`)).messages).toHaveLength(2);
    const batch = messagesIn(file('c', `BHS|^~\\&\r${HEAD}\r${HEAD}\rBTS|2\r`));
    expect([batch.lost, batch.refusal]).toEqual([undefined, undefined]);
    expect(batch.messages).toHaveLength(2);
  });
});
