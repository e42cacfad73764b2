/** What people do with Causeway from the first page to the last click, in a real browser against a whole hub. */
import { showcase } from '@causeway/region';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from './browser.ts';
import { type RunningHub, startHub } from './hub.ts';

const PEOPLE = 60;

interface Account {
  username: string;
  password: string;
  name: string;
  role: string;
}

let browser: Browser;
let hub: RunningHub;
let accounts: Account[];

beforeAll(async () => {
  browser = await launchBrowser();
  hub = await startHub(PEOPLE);
  accounts = ((await (await fetch(`${hub.url}/auth/demo-accounts`)).json()) as { accounts: Account[] }).accounts;
});

afterAll(async () => {
  await browser?.close();
  await hub?.stop();
});

describe('signing in', () => {
  it('with a demonstration account chosen by a click', async () => {
    const page = await newPage();
    await signIn(page, 'clinician');
    expect(new URL(page.url()).pathname).toBe('/people');
    await page.context().close();
  });

  it('is refused with a wrong password, in words', async () => {
    const page = await newPage();
    await page.goto(`${hub.url}/sign-in`);
    await page.getByLabel('Username').fill(account('clinician').username);
    await page.locator('input[type=password]').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('Not signed in');
    expect(new URL(page.url()).pathname).toBe('/sign-in');
    await page.context().close();
  });

  it('with the keyboard alone, and on to the page that was asked for', async () => {
    const page = await newPage();
    await page.goto(`${hub.url}/people?name=zz`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    const { username, password } = account('clinician');
    await page.keyboard.type(username);
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/people?name=zz');
    await page.getByText('Nobody found').waitFor();
    await page.context().close();
  });

  it('is asked for again when the session has ended, and leads back', async () => {
    const page = await newPage();
    await signIn(page, 'clinician');
    await page.context().clearCookies();
    await page.getByLabel('Name').fill('a name');
    await page.getByText('Your session has ended').waitFor();
    await page.context().close();
  });
});

describe('a clinician', () => {
  it('finds a person by keyboard, reads the record of all organisations and opens an original message', async () => {
    const { name, birthDate } = showcase({ people: PEOPLE });
    const page = await newPage();
    await signIn(page, 'clinician');
    await page.getByLabel('Name').fill(`${name.given} ${name.family}`);
    await page.getByLabel('Birth date').fill(birthDate);
    await page.locator('a[data-person]').first().waitFor();
    await page.keyboard.press('ArrowDown');
    const begun = performance.now();
    await page.keyboard.press('Enter');
    await page.locator('[data-facts]').waitFor();
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(Number(await page.locator('[data-facts]').getAttribute('data-facts'))).toBeGreaterThan(100);

    const order = await page.locator('main section[id]').evaluateAll((sections) => sections.map(({ id }) => id));
    expect(order[0]).toBe('allergies');
    expect(await page.locator('#allergies').getAttribute('data-state')).toMatch(
      /^(recorded|none-known|no-information)$/,
    );
    expect(await page.getByText('This record may be incomplete').count()).toBe(1);

    const sources = await page
      .locator('[data-medication]')
      .evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-sources'))));
    expect(Math.max(...sources)).toBeGreaterThan(1);

    const firstTest = page.locator('#results [data-test-name]').first();
    await firstTest.getByRole('button').click();
    await page.locator('#results table table tbody tr').first().waitFor();
    await page.locator('#results .uplot').first().waitFor();

    await page.locator('#results .source-chip a').first().click();
    await page.waitForURL('**/messages/*');
    await page.locator('.original').first().waitFor();
    expect((await page.locator('.original').first().textContent())?.length).toBeGreaterThan(100);
    await page.context().close();
  });

  it('sees the chart in light and dark without an error in the console', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await newPage(colorScheme);
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      await signIn(page, 'clinician');
      await openShowcase(page);
      expect(await page.locator('html').getAttribute('data-mantine-color-scheme')).toBe(colorScheme);
      expect(errors).toEqual([]);
      await page.context().close();
    }
  });
});

describe('an integration engineer', () => {
  it('sees what was not mapped and where it stands in the message', async () => {
    const page = await newPage();
    await signIn(page, 'integration-engineer');
    await page.goto(`${hub.url}/messages?dialect=hl7v2`);
    const row = page.locator('[data-message]').filter({ hasText: 'not mapped' }).first();
    await row.waitFor();
    await row.getByRole('link').click();
    await page.getByRole('heading', { name: 'Where each field went' }).waitFor();
    await page.getByRole('button', { name: /^Kept \d/ }).click();
    await page.locator('tr.choice').first().click();
    await page.locator('.original .struck').first().waitFor();
    await page.getByRole('button', { name: 'Process again' }).click();
    await page.getByText('Taken up again').waitFor();
    await page.context().close();
  });
});

describe('a data steward', () => {
  it('decides a review, with a reason', async () => {
    const page = await newPage();
    await signIn(page, 'steward');
    await page.getByRole('heading', { name: 'Why they score as they do' }).waitFor();
    const open = Number(/\d+/.exec((await page.getByText(/^Open \(\d+\)$/).textContent()) ?? '')?.[0]);
    expect(open).toBeGreaterThan(0);
    const reason = 'Different people: checked with both organisations';
    await page.getByLabel('Reason').fill(reason);
    await page.getByRole('button', { name: 'Not the same' }).click();
    await page.getByText(open === 1 ? 'Nothing waits for a decision' : `Open (${open - 1})`).waitFor();
    await page.getByText('Decided', { exact: true }).click();
    await page.getByText(reason).waitFor();
    await page.context().close();
  });
});

describe('every address', () => {
  it('that leads nowhere says so', async () => {
    const page = await newPage();
    await page.goto(`${hub.url}/no/such/page`);
    await page.getByText('There is no page at this address').waitFor();
    await page.context().close();
  });
});

function account(role: string): Account {
  const found = accounts.find((each) => each.role === role);
  if (!found) throw new Error(`The demonstration has no account for the role ${role}.`);
  return found;
}

async function newPage(colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(20_000);
  return context.newPage();
}

async function signIn(page: Page, role: string): Promise<void> {
  await page.goto(`${hub.url}/sign-in`);
  await page.getByRole('button', { name: account(role).name }).click();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
}

async function openShowcase(page: Page): Promise<void> {
  const { name } = showcase({ people: PEOPLE });
  await page.getByLabel('Name').fill(`${name.given} ${name.family}`);
  await page.locator('a[data-person]').first().click();
  await page.locator('[data-facts]').waitFor();
}
