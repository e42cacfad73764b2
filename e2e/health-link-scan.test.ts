/** A health link on one screen is read from there by the camera of another device, or from a picture of it, and opened. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from './browser.ts';
import { Scene } from './scene.ts';

const scene = new Scene(3);
const size = { width: 1280, height: 720 };
const folder = mkdtempSync(join(tmpdir(), 'causeway-camera-'));
let withCamera: Browser | undefined;
let link: string;
let code: { svg: string; picture: Buffer };

beforeAll(async () => {
  const owner = await scene.signedIn('patient');
  await owner.getByRole('link', { name: 'Share by a link' }).click();
  await owner.getByLabel('What it is called').fill('On paper');
  await owner.getByRole('button', { name: 'Make the link' }).click();
  const shown = owner.getByRole('img', { name: 'QR code of the link' });
  await shown.waitFor();
  link = await owner.locator('code', { hasText: 'shlink:/' }).innerText();
  code = { svg: await shown.evaluate((svg) => svg.outerHTML), picture: await shown.screenshot() };
  // The camera sees it on a wall first that has none.
  const frames = [await filmed(''), await filmed(code.svg)];
  const film = join(folder, 'film.y4m');
  writeFileSync(film, y4m(frames));
  withCamera = await launchBrowser(['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${film}`]);
});
afterAll(async () => {
  await withCamera?.close();
  rmSync(folder, { recursive: true, force: true });
});

it('is read by the camera, which is let go then, and opens', async () => {
  const page = await readerOn(withCamera!, ['camera']);
  await page.getByRole('button', { name: 'Scan by the camera' }).click();
  await expectLink(page);
  expect(await page.locator('video').count()).toBe(0);
  await page.getByRole('button', { name: 'Scan by the camera' }).waitFor();
  await page.getByText('It is called “On paper”').waitFor();
  await page.getByLabel('Who you are').fill('Clinic Abroad');
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByRole('heading', { name: 'Medication Summary' }).waitFor();
});

it('is not read where nobody lets the page have the camera', async () => {
  const page = await readerOn(withCamera!, []);
  await page.getByRole('button', { name: 'Scan by the camera' }).click();
  await page.getByText('The camera cannot be used here.').waitFor();
});

it('is read from a picture, and what is none, or has none, is said', async () => {
  const page = await readerOn(withCamera!, []);
  const take = async (name: string, mimeType: string, buffer: Buffer) => {
    const choosing = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'A picture of the code' }).click();
    await (await choosing).setFiles({ name, mimeType, buffer });
  };
  await take('text.png', 'image/png', Buffer.from('no picture'));
  await page.getByText('This file is no picture.').waitFor();
  await take('page.png', 'image/png', await page.locator('h1').screenshot());
  await page.getByText('There is no QR code in this picture').waitFor();
  await take('code.png', 'image/png', code.picture);
  await expectLink(page);
});

async function readerOn(browser: Browser, permissions: string[]): Promise<Page> {
  const context = await browser.newContext({ viewport: size, permissions });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  await page.goto(`${scene.url}/open-link`);
  return page;
}

async function expectLink(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('textarea')!.value !== '');
  expect(await page.getByLabel('The link').inputValue()).toBe(link);
}

/** What a camera sees of a drawing that somebody holds before it, not quite straight: grey values, a byte each. */
async function filmed(svg: string): Promise<Buffer> {
  const page = await scene.newPage();
  const grey = await page.evaluate(
    async ({ drawing, width, height }) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext('2d')!;
      context.fillStyle = '#777';
      context.fillRect(0, 0, width, height);
      if (drawing !== '') {
        const image = new Image();
        image.src = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
        await image.decode();
        context.translate(width / 2, height / 2);
        context.rotate(0.1);
        context.drawImage(image, -height * 0.4, -height * 0.4, height * 0.8, height * 0.8);
      }
      const { data } = context.getImageData(0, 0, width, height);
      let text = '';
      for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i]!);
      return btoa(text);
    },
    { drawing: svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" '), ...size },
  );
  await page.close();
  return Buffer.from(grey, 'base64');
}

/** Frames as a film without colours (YUV4MPEG2, 4:2:0), a second each. */
function y4m(frames: readonly Buffer[]): Buffer {
  const { width, height } = size;
  const colourless = Buffer.alloc((width * height) / 2, 128);
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F1:1 Ip A1:1 C420jpeg\n`);
  return Buffer.concat([head, ...frames.flatMap((grey) => [Buffer.from('FRAME\n'), grey, colourless])]);
}
