/** The page that checks receipts, opened from a file by a browser without a network. */
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  checkpointText,
  consistencyFolds,
  Edge,
  inclusionFolds,
  leafHash,
  proofFrom,
  proofText,
  secretKey,
  signerOf,
  signNote,
  verifierText,
} from '@causeway/tlog';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { screens } from '../hub/screens/index.ts';
import { launchBrowser } from './browser.ts';

const origin = 'hub.example/audit';
const logKey = signerOf(origin, secretKey(Buffer.alloc(32, 7)));
const witness = signerOf('witness.example/w1', secretKey(Buffer.alloc(32, 8)), 'cosignature');
const keys = `${verifierText(logKey)}\n${verifierText(witness)}`;

let folder: string;
let browser: Browser;
let page: Page;
const asked: string[] = [];

beforeAll(async () => {
  const dist = await screens(() => {});
  folder = await mkdtemp(join(tmpdir(), 'causeway-verifier-'));
  await copyFile(join(dist!, 'verifier.html'), join(folder, 'verifier.html'));
  browser = await launchBrowser();
  const context = await browser.newContext({ offline: true });
  page = await context.newPage();
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(pathToFileURL(join(folder, 'verifier.html')).href);
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A log whose entry 2 is by `who`. */
function logOf(size: number, who = 'ann') {
  const leaf = (index: number) => `{"v":1,"action":"read","status":200,"who":"${index === 2 ? who : `user-${index}`}"}`;
  const edge = new Edge();
  const [tile] = edge.append(
    Buffer.concat(Array.from({ length: size }, (_, index) => leafHash(Buffer.from(leaf(index))))),
  );
  const read = () => tile!.hashes;
  const checkpoint = signNote(checkpointText({ origin, size, root: edge.root() }), [logKey, witness], 1_764_000_000);
  const receipt = async () => {
    const proof = proofText({ index: 2, path: await proofFrom(inclusionFolds(2, size), read), checkpoint });
    return JSON.stringify({ format: 'causeway.health/audit-receipt/v1', leaf: leaf(2), index: 2, proof });
  };
  const growth = async (from: number) => {
    const path = await proofFrom(consistencyFolds(from, size), read);
    return `${[`old ${from}`, ...path.map((hash) => hash.toString('base64'))].join('\n')}\n\n${checkpoint}`;
  };
  return { receipt, growth };
}

async function shown(files: { [name: string]: string }): Promise<string> {
  const given = Object.entries(files).map(([name, text]) => ({
    name,
    mimeType: 'text/plain',
    buffer: Buffer.from(text),
  }));
  await page.locator('#results').evaluate((results) => results.replaceChildren());
  await page.getByLabel('Receipts, and proofs of growth').setInputFiles(given);
  await page.locator('#results section').first().waitFor();
  return page.locator('#results').innerText();
}

it('says that a receipt holds, with the keys that it is given', async () => {
  const receipt = await logOf(5).receipt();
  expect(await shown({ 'receipt.json': receipt })).toContain('The key of the log is needed');
  await page.getByLabel('Keys that you trust').fill(keys);
  const text = await shown({ 'receipt.json': receipt });
  expect(text).toContain('This receipt holds');
  expect(text).toContain('number 2 of the log hub.example/audit, in the tree of its first 5 entries');
  expect(text).toContain('The witness witness.example/w1 saw this tree');
  expect(text).toContain('ann');
});

it('says what does not hold of one that was changed', async () => {
  const receipt = await logOf(5).receipt();
  const forged = await shown({ 'forged.json': receipt.replace('ann', 'bob') });
  expect(forged).toContain('This receipt does not hold');
  expect(forged).toContain('The entry is not in the tree of the checkpoint.');
  expect(await shown({ 'larger.json': receipt.replace('\\n5\\n', '\\n6\\n') })).toContain('is not one of this text');
  expect(await shown({ 'holiday.jpg': '\u0000' })).toContain('The file is not a receipt');
});

it('tells a log that grew from one that was rewritten', async () => {
  const early = await logOf(4).receipt();
  const grown = logOf(9);
  const fits = await shown({ a: early, b: await grown.receipt(), growth: await grown.growth(4) });
  expect(fits).toContain('The log only grew between the two.');
  const since = await shown({ a: early, growth: await grown.growth(4) });
  expect(since).toContain('The tree of 9 entries begins with the 4 of the other one');
  const unsigned = (await grown.growth(4)).replace('\n9\n', '\n8\n');
  expect(await shown({ a: early, growth: unsigned })).toContain('is not one of this text');
  const rewritten = logOf(9, 'bob');
  const differs = await shown({ a: early, b: await rewritten.receipt(), growth: await rewritten.growth(4) });
  expect(differs).toContain('The two do not fit together.');
  expect(await shown({ a: await grown.receipt(), b: await rewritten.receipt() })).toContain(
    'The log signed two different trees of 9 entries',
  );
});

it('shows what a file says as text, and asks for nothing but itself', async () => {
  const evil = (await logOf(5).receipt()).replace('ann', '<img src=x onerror=document.title=1>');
  expect(await shown({ '<b>x</b>': evil })).toContain('<img src=x');
  expect(await page.title()).toBe('Check a receipt of the audit log');
  expect(asked.filter((url) => !url.startsWith('file:'))).toEqual([]);
  const html = await readFile(join(folder, 'verifier.html'), 'utf8');
  expect(html.match(/(src|href)=/g)).toBeNull();
});
