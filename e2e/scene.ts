/** Where a file of journeys takes place: a browser, a whole hub, and people who sign in to it. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchBrowser } from './browser.ts';
import { type RunningHub, type SecureHub, startHub } from './hub.ts';

export class Scene {
  #browser: Browser | undefined;
  hub!: RunningHub;

  /** Is there from the file's first test to its last. @param people of the simulated region @param secure what the hub is told beside */
  constructor(people: number, secure?: () => Promise<SecureHub>) {
    beforeAll(async () => {
      this.#browser = await launchBrowser();
      this.hub = await startHub(people, await secure?.());
    });
    afterAll(async () => {
      await this.#browser?.close();
      await this.hub?.stop();
    });
  }

  get url(): string {
    return this.hub.url;
  }

  /** A page of somebody who has not signed in. */
  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser!.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(30_000);
    return context.newPage();
  }

  /** A page of a demonstration account that has signed in. */
  async signedIn(username: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.newPage(options);
    await page.goto(`${this.url}/sign-in`);
    await enter(page, username);
    await page.getByRole('navigation', { name: 'Main' }).waitFor();
    return page;
  }
}

/** Fills and sends the form of signing in that a page shows; the password is a demonstration account's. */
export async function enter(page: Page, username: string, password = `causeway-${username}`): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.locator('input[type=password]').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
