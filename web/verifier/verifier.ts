/** The page that checks receipts offline. What files say is put in as text only. */

import { entryLines } from '@causeway/access/entry-words';
import { NoteError, type SignedHead } from '@causeway/tlog/web';
import {
  type Checked,
  checkGrowth,
  checkReceipt,
  type Finding,
  type Growth,
  grownHead,
  holds,
  readGrowth,
  readReceipt,
  readTrust,
  type Trust,
} from '../src/proof/receipt.ts';

/** Larger files are none of ours. */
const largestFile = 1024 * 1024;

const keys = document.querySelector<HTMLTextAreaElement>('#keys')!;
const needed = document.querySelector<HTMLInputElement>('#needed')!;
const input = document.querySelector<HTMLInputElement>('#files')!;
const results = document.querySelector<HTMLDivElement>('#results')!;

let given: { name: string; text: string }[] = [];
let turn = 0;

async function take(files: Iterable<File>): Promise<void> {
  const taken = await Promise.all(
    [...files].map(async (file) => ({
      name: file.name,
      text: file.size > largestFile ? '' : (await file.text()).replace(/^\uFEFF/, ''),
    })),
  );
  if (taken.length > 0) given = taken;
  await show();
}

/** Checks everything anew, and shows it. */
async function show(): Promise<void> {
  const mine = ++turn;
  const sections = await checkedAll();
  if (mine === turn) results.replaceChildren(...sections);
}

async function checkedAll(): Promise<HTMLElement[]> {
  if (given.length === 0) return [];
  let trusted: Trust;
  try {
    trusted = await readTrust(keys.value, Math.max(0, needed.valueAsNumber || 0));
  } catch (error) {
    return [section('Keys', 'fails', 'A key cannot be read.', [failing(error)])];
  }
  const growths: Growth[] = [];
  const heads: { name: string; head: SignedHead }[] = [];
  const found: { name: string; checked: Checked }[] = [];
  const sections: HTMLElement[] = [];
  for (const { name, text } of given) {
    try {
      if (text.startsWith('old ')) {
        const growth = readGrowth(text);
        heads.push({ name, head: await grownHead(growth, trusted) });
        growths.push(growth);
      } else found.push({ name, checked: await checkReceipt(readReceipt(text), trusted) });
    } catch (error) {
      sections.push(section(name, 'fails', 'This file cannot be checked.', [failing(error)]));
    }
  }
  sections.push(...found.map(({ name, checked }) => receiptSection(name, checked)));
  heads.push(...found.flatMap(({ name, checked }) => (checked.head ? [{ name, head: checked.head }] : [])));
  heads.sort((one, other) => one.head.size - other.head.size);
  for (const [i, larger] of heads.entries()) {
    if (i > 0) sections.push(await growthSection(heads[i - 1]!, larger, growths));
  }
  if (found.length === 0 && growths.length > 0) {
    const text = 'A proof of growth is checked together with a receipt.';
    sections.push(section('Growth of the log', 'open', text, []));
  }
  return sections;
}

function receiptSection(name: string, checked: Checked): HTMLElement {
  const isGood = holds(checked);
  const verdict = isGood
    ? 'This receipt holds: the log has this entry, as it stands here.'
    : 'This receipt does not hold. Do not rely on what it says.';
  const shown = section(name, isGood ? 'holds' : 'fails', verdict, checked.findings);
  if (checked.entry) {
    const list = document.createElement('dl');
    for (const [label, value] of entryLines(checked.entry)) list.append(element('dt', label), element('dd', value));
    if (checked.patient !== undefined) {
      list.append(element('dt', 'Whose record'), element('dd', `Patient/${checked.patient}`));
    }
    shown.append(element('p', 'What the entry says', 'quiet'), list);
  }
  if (checked.private !== undefined) {
    shown.append(element('p', 'Details', 'quiet'), element('pre', checked.private));
  }
  return shown;
}

async function growthSection(
  one: { name: string; head: SignedHead },
  other: { name: string; head: SignedHead },
  growths: Growth[],
): Promise<HTMLElement> {
  const fitting = growths.find(({ from, head }) => from === one.head.size && head.size === other.head.size);
  const finding = await checkGrowth(one.head, other.head, fitting);
  const verdicts = {
    holds: 'The log only grew between the two.',
    fails: 'The two do not fit together.',
    open: 'Whether the two fit together is not known.',
  };
  return section(`${one.name} and ${other.name}`, finding.state, verdicts[finding.state], [finding]);
}

function section(title: string, state: Finding['state'], verdict: string, findings: readonly Finding[]): HTMLElement {
  const made = element('section', '', state);
  made.append(element('h2', title), element('p', verdict, 'verdict'));
  if (findings.length > 0) {
    const list = document.createElement('ul');
    list.append(...findings.map((finding) => element('li', finding.text, finding.state)));
    made.append(list);
  }
  return made;
}

function element(name: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
}

function failing(error: unknown): Finding {
  return { state: 'fails', text: error instanceof NoteError ? error.message : 'It cannot be read.' };
}

keys.addEventListener('input', () => show());
needed.addEventListener('input', () => show());
input.addEventListener('change', () => take(input.files ?? []));
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('over');
});
document.addEventListener('dragleave', () => document.body.classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('over');
  take(event.dataTransfer?.files ?? []);
});
