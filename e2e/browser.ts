/** The system's Chromium, driven. There is no other browser to fall back on: without it the journeys fail. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** @param more arguments of its command line @throws when no Chromium is installed, saying how to install it */
export async function launchBrowser(more: readonly string[] = []): Promise<Browser> {
  const executablePath = [process.env.CHROMIUM, ...PLACES].find((path) => path && existsSync(path));
  if (!executablePath) {
    throw new Error('The browser journeys need Chromium and found none: apt-get install chromium, or set CHROMIUM.');
  }
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', ...more],
  });
}
