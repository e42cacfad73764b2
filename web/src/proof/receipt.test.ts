import { entryLines } from '@causeway/access/entry-words';
import { secretKey, signerOf, verifierText } from '@causeway/tlog';
import { describe, expect, it } from 'vitest';
import {
  type Checked,
  checkGrowth,
  checkReceipt,
  holds,
  type Receipt,
  readGrowth,
  readReceipt,
  readTrust,
} from './receipt.ts';
import { keysText, leafOf, logKey, logOf, witness } from './testing-receipts.ts';

const log = logOf(300);
const trust = await readTrust(keysText);
const whole = await log.receipt(257);
const unsigned = await log.receipt(257, [witness]);
const check = (receipt: Receipt, trusted = trust) => checkReceipt(readReceipt(JSON.stringify(receipt)), trusted);
const failures = ({ findings }: Checked) => findings.filter(({ state }) => state === 'fails').map(({ text }) => text);

describe('a receipt', () => {
  it('holds where the log has its entry, and tells what was opened and who signed', async () => {
    const checked = await check(whole);
    expect(holds(checked)).toBe(true);
    expect(checked).toMatchObject({ patient: 'p1', private: '{"what":"/Observation?code=718-7"}' });
    expect(checked.findings.map(({ state, text }) => `${state}: ${text}`)).toEqual([
      'holds: The entry is number 257 of the log hub.example/audit, in the tree of its first 300 entries.',
      'holds: The log signed this tree with a key that is trusted here.',
      'holds: The witness witness.example/w1 saw this tree on 2025-11-24 16:00:00 UTC.',
      'holds: It is about the record Patient/p1.',
      'open: It is about one other person too, who stay unknown here.',
      'holds: The details that are shown are those that the entry was made with.',
    ]);
    expect(entryLines(checked.entry!)).toContainEqual(['What', 'searched for observation']);
  });

  it('says what it leaves out', async () => {
    const { opened: _, ...closed } = await log.receipt(0, [logKey]);
    const checked = await check(closed);
    expect(holds(checked)).toBe(true);
    expect(checked.findings.filter(({ state }) => state === 'open')).toHaveLength(3);
  });

  const opened = whole.opened!;
  it.each<[string, Partial<Receipt>, RegExp]>([
    ['another name in the entry', { leaf: whole.leaf.replace('clinician-257', 'clinician-258') }, /not in the tree/],
    ['an entry of another place', { leaf: leafOf(256) }, /not in the tree/],
    ['an entry that can be read in two ways', { leaf: whole.leaf.replace('{', '{"who":"x",') }, /not written as/],
    ['another place', { index: 256 }, /different places/],
    [
      'another place in the proof too',
      { index: 256, proof: whole.proof.replace('index 257', 'index 256') },
      /not in the tree/,
    ],
    ['a step of the proof', { proof: whole.proof.replace(/\n.{43}=/, `\n${'A'.repeat(43)}=`) }, /not in the tree/],
    ['a larger tree', { proof: whole.proof.replace('\n300\n', '\n301\n') }, /signature of hub.example.audit is not/],
    ['no signature of the log', { proof: unsigned.proof }, /did not sign/],
    ['another log', { proof: whole.proof.replaceAll('hub.example', 'hub.other') }, /is of another/],
    ['another person', { opened: { ...opened, patient: { ...opened.patient!, id: 'p2' } } }, /Patient.p2/],
    ['the place of another person', { opened: { ...opened, patient: { ...opened.patient!, index: 1 } } }, /Patient.p1/],
    ['other details', { opened: { ...opened, private: { ...opened.private!, text: '{}' } } }, /are not those/],
    ['a short salt', { opened: { ...opened, private: { ...opened.private!, salt: 'AA' } } }, /are not those/],
  ])('with %s does not hold, and says so', async (_, change, why) => {
    const checked = await check({ ...whole, ...change });
    expect(holds(checked)).toBe(false);
    expect(failures(checked).join(' ')).toMatch(why);
  });

  it('is believed with the right key only, and never without', async () => {
    const forged = signerOf(logKey.name, secretKey(Buffer.alloc(32, 9)));
    expect(failures(await check(await log.receipt(257, [forged])))).toEqual([
      'The note is signed by no key that is trusted.',
    ]);
    expect(failures(await check(whole, await readTrust('')))).toEqual([
      expect.stringMatching('key of the log is needed'),
    ]);
    expect(failures(await check(whole, await readTrust(verifierText(witness))))).toEqual([
      expect.stringMatching('key of the log is needed'),
    ]);
    await expect(readTrust('hub.example/audit+00000000+AQ==')).rejects.toThrow('verifier key');
  });

  it('is held to as many witnesses as its reader asks for, and to a policy', async () => {
    const other = verifierText(signerOf('witness.example/w2', secretKey(Buffer.alloc(32, 9)), 'cosignature'));
    const log = verifierText(logKey);
    const enough = 'As many witnesses have seen it as you ask for.';
    const few = 'Fewer witnesses have seen it than you ask for.';
    const policy = `log ${log}\nwitness a ${verifierText(witness)}\nwitness b ${other}\n`;
    for (const [text, needed, said, isGood] of [
      [log, 0, 'You gave no key of a witness: whether anybody else saw this tree is not known.', true],
      [log, 1, few, false],
      [keysText, 1, enough, true],
      [`${keysText}${keysText}`, 2, few, false],
      [`${log}\n${other}`, 0, 'No witness whose key you gave has signed it as well.', true],
      [`${log}\n${other}`, 1, few, false],
      [`${policy}group g any a b\nquorum g\n`, 0, enough, true],
      [`${policy}group g all a b\nquorum g\n`, 0, few, false],
      [`${policy}quorum b\n`, 0, few, false],
    ] as const) {
      const checked = await check(whole, await readTrust(text, needed));
      expect(
        checked.findings.map((finding) => finding.text),
        text,
      ).toContain(said);
      expect(holds(checked), text).toBe(isGood);
    }
    const changed = whole.proof.replace(
      /(— witness\S+ \S{14})(\S)/u,
      (_, head: string, one: string) => `${head}${one === 'A' ? 'B' : 'A'}`,
    );
    expect(failures(await check({ ...whole, proof: changed }))).toEqual([
      'The signature of witness.example/w1 is not one of this text.',
    ]);
    await expect(readTrust(`${policy}quorum c`)).rejects.toThrow('Line 4 of the policy');
  });

  it.each(['', '{}', 'null', '[1]', '{"format":"causeway.health/audit-receipt/v1"}'])('%j is none', (text) => {
    expect(() => readReceipt(text)).toThrow(/receipt/);
  });
});

describe('two receipts', () => {
  const headOf = async (receipt: Receipt) => (await check(receipt)).head!;

  it('fit where the log only grew between them', async () => {
    const [early, late] = [await headOf(await logOf(200).receipt(3)), await headOf(whole)];
    const growth = readGrowth(await log.growth(200));
    expect(await checkGrowth(early, late, growth)).toMatchObject({ state: 'holds' });
    expect(await checkGrowth(late, early, growth)).toMatchObject({ state: 'holds' });
    expect(await checkGrowth(early, late, undefined)).toMatchObject({ state: 'open' });
    expect(await checkGrowth(late, late, undefined)).toMatchObject({ state: 'holds' });
  });

  it('do not fit where the log was rewritten', async () => {
    const rewritten = logOf(300, (index) => leafOf(index === 5 ? 6 : index));
    const [early, late] = [await headOf(await logOf(200).receipt(3)), await headOf(await rewritten.receipt(257))];
    expect(await checkGrowth(early, late, readGrowth(await rewritten.growth(200)))).toMatchObject({ state: 'fails' });
    expect(await checkGrowth(early, late, readGrowth(await log.growth(200)))).toMatchObject({ state: 'fails' });
    const fork = await checkGrowth(await headOf(whole), late, undefined);
    expect(fork).toMatchObject({ state: 'fails', text: expect.stringContaining('two different trees of 300') });
  });

  it('are not held against a file that is no proof of growth', () => {
    expect(() => readGrowth('old x\n\n')).toThrow('no proof of growth');
    expect(() => readGrowth('')).toThrow('no proof of growth');
  });
});
