/** What people do with Causeway from the first page to the last click, in a real browser against a whole hub. */
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { showcase } from '@causeway/region';
import type { Cookie, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { enter, Scene } from './scene.ts';

const PEOPLE = 60;

interface Account {
  username: string;
  password: string;
  name: string;
  role: string;
}

/** The parts of FHIR resources that the journeys look at. */
interface Fact {
  id: string;
  subject?: { reference?: string };
  patient?: { reference?: string };
  code?: { coding?: { system?: string; code?: string; display?: string }[] };
  valueQuantity?: { value?: number };
}

interface ReceivedMessage {
  id: string;
  type: string;
  deliveries: { destinationName: string }[];
}

interface Endpoint {
  messages: string[];
  port: number;
}

interface OpenReview {
  explanation: { field: string; level: string }[];
}

const scene = new Scene(PEOPLE);
let accounts: Account[];
const sessions = new Map<string, Cookie[]>();

beforeAll(async () => {
  accounts = ((await (await fetch(`${scene.url}/auth/demo-accounts`)).json()) as { accounts: Account[] }).accounts;
});

describe('signing in', () => {
  it('with a demonstration account chosen by a click', async () => {
    const page = await scene.newPage();
    await signIn(page, 'clinician');
    expect(new URL(page.url()).pathname).toBe('/people');
    await page.context().close();
  });

  it('is refused with a wrong password, in words', async () => {
    const page = await scene.newPage();
    await page.goto(`${scene.url}/sign-in`);
    await enter(page, account('clinician').username, 'not the password');
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('Not signed in');
    expect(new URL(page.url()).pathname).toBe('/sign-in');
    await page.context().close();
  });

  it('with the keyboard alone, and on to the page that was asked for', async () => {
    const page = await scene.newPage();
    await page.goto(`${scene.url}/people?name=zz`);
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
    const page = await scene.newPage();
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
    const page = await scene.newPage();
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

    const teams = (await page.locator('#care-teams').textContent()) ?? '';
    expect([/\(Primary care physician\)/.test(teams), /not named|urn:/.test(teams)]).toEqual([true, false]);

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

  it('saves the record as a Continuity of Care Document', async () => {
    const page = await scene.newPage();
    await signIn(page, 'clinician');
    await openShowcase(page);
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download as CCD' }).click();
    const text = readFileSync(await (await saved).path(), 'utf8');
    expect(text).toContain('<ClinicalDocument');
    expect(text).toContain('2.16.840.1.113883.10.20.22.1.2');
    await page.context().close();
  });

  it('sees the chart in light and dark without an error in the console', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await scene.newPage({ colorScheme });
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

describe('what was taken back', () => {
  it('a withdrawn result is listed as withdrawn and shows no value', async () => {
    const page = await scene.newPage();
    await signIn(page, 'clinician');
    const [withdrawn] = await found<Fact>(page, 'Observation?status=entered-in-error&_count=5');
    expect(withdrawn).toBeDefined();
    await page.goto(`${scene.url}/people/${withdrawn!.subject!.reference!.split('/')[1]}`);
    await page.locator('#withdrawn summary').click();
    const line = page.locator('#withdrawn li').filter({ has: page.locator(`a[href*="${withdrawn!.id}"]`) });
    await line.waitFor();
    expect(await line.textContent()).not.toContain(`${withdrawn!.valueQuantity!.value} `);
    // The message that brought it is reached from every value that stands; from this one no value may be reached.
    const tests = page.locator('#results [data-test-name] button');
    for (let at = 0; at < (await tests.count()); at += 1) {
      await tests.nth(at).click();
      await page.locator('#results [data-observation]').first().waitFor();
      expect(await page.locator(`#results [data-observation="${withdrawn!.id}"]`).count()).toBe(0);
    }
    await page.context().close();
  });

  it('a denied allergy is never shown as an allergy', async () => {
    const page = await scene.newPage();
    await signIn(page, 'clinician');
    const [denied] = await found<Fact>(page, 'AllergyIntolerance?verification-status=refuted&_count=5');
    expect(denied).toBeDefined();
    await page.goto(`${scene.url}/people/${denied!.patient!.reference!.split('/')[1]}`);
    await page.locator('#allergies').waitFor();
    const substance = denied!.code!.coding![0]!.display!;
    expect(await page.locator('#allergies p').filter({ hasText: 'Denied' }).textContent()).toContain(substance);
    expect(await page.locator('#allergies [data-allergy]').filter({ hasText: substance }).count()).toBe(0);
    await page.context().close();
  });
});

describe('an administrator', () => {
  it('says which messages an organisation is sent, and is told what cannot be', async () => {
    const page = await scene.newPage();
    await signIn(page, 'administrator');
    await page.goto(`${scene.url}/maps?source=harbor-hospital`);
    const panel = page.locator('section[aria-labelledby="receiver-title"]');
    await panel.getByText('What its kind is sent').click();
    await panel.getByText('ADT: visits').click();
    await panel.getByText('ORM: orders').click();
    await panel.getByText('OMG: orders').click();
    await panel.getByRole('button', { name: 'Change what is sent' }).click();
    await panel.getByText('one of ORM, OMG and OML').waitFor();
    await panel.getByText('OMG: orders').click();
    await panel.getByRole('button', { name: 'Change what is sent' }).click();
    await panel.getByText('Changed.').waitFor();
    const { endpoint } = (await answer(page, '/api/participants/harbor-hospital')) as { endpoint: Endpoint };
    expect(endpoint.messages).toEqual(['ORU', 'ADT', 'ORM']);
    expect(endpoint.port).toBeGreaterThan(0);
    await page.context().close();
  });

  it('says whose Direct mail is taken as an organisation’s, is told what cannot be, and takes it away again', async () => {
    const page = await scene.newPage();
    await signIn(page, 'administrator');
    await page.goto(`${scene.url}/maps?source=harbor-hospital`);
    const panel = page.locator('section[aria-labelledby="direct-title"]');
    const senders = panel.getByLabel('Addresses, or domains for all addresses in them');
    const trust = panel.getByLabel('File of the certificates by which they sign, or of who issues these');
    const take = panel.getByRole('button', { name: 'Take mail from these' });
    const stored = async () => {
      const { transport } = (await answer(page, '/api/participants/harbor-hospital')) as { transport?: object };
      return transport;
    };
    await senders.fill('records@harbor.example\nwards.harbor.example');
    await trust.fill('certificates/harbor.pem');
    await take.click();
    await panel.getByText('the absolute path of a file').waitFor();
    expect(await stored()).not.toHaveProperty('direct');
    await trust.fill('/etc/causeway/harbor.pem');
    await take.click();
    await panel.getByText('Saved.').waitFor();
    expect(await stored()).toMatchObject({
      direct: { senders: ['records@harbor.example', 'wards.harbor.example'], trust: '/etc/causeway/harbor.pem' },
    });
    await page.reload();
    expect(await senders.inputValue()).toBe('records@harbor.example\nwards.harbor.example');
    await senders.fill('');
    await trust.fill('');
    await take.click();
    await panel.getByText('Saved.').waitFor();
    expect(await stored()).not.toHaveProperty('direct');
    await page.context().close();
  });

  it('goes from a place in the original to the ledger, to the resource and back to the message', async () => {
    const page = await scene.newPage();
    await signIn(page, 'administrator');
    await openMessage(page, 'hl7v2', 'ADT^A04');
    await page.locator(`[data-field="PID[1]-5"]`).click();
    await page.getByRole('button', { name: 'Only PID-5 Patient name' }).waitFor();
    const sources = await page.locator('tr[data-source]').evaluateAll((rows) => rows.map((row) => row.dataset.source));
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(source).toMatch(/^PID\[1\]-5/);
    await page.getByRole('link', { name: 'Patient.name[0].family' }).first().click();
    await page.waitForURL('**/resources/Patient/*');
    await page.getByRole('heading', { name: 'As stored' }).waitFor();
    expect(await page.locator('.original .struck').textContent()).toContain('"family"');
    await page.getByRole('link', { name: 'Open the original message', exact: true }).click();
    await page.waitForURL('**/messages/*');
    await page.context().close();
  });
});

describe('an integration engineer', () => {
  it.each([
    ['ccda', '/ClinicalDocument/recordTarget/patientRole/id/@extension', 'extension='],
    ['fhir', 'Bundle.entry[0].resource.birthDate', '"birthDate"'],
  ])('sees where a ledger entry of %s stands', async (dialect, source, words) => {
    const page = await scene.newPage();
    await signIn(page, 'integration-engineer');
    await openMessage(page, dialect);
    await page.getByRole('button', { name: /^All \d/ }).click();
    await page.locator(`tr[data-source="${source}"]`).click();
    expect(await page.locator('.original .struck').textContent()).toContain(words);
    await page.locator('.original .struck').click();
    await page.getByRole('button', { name: /^Only / }).waitFor();
    expect(await page.locator(`tr[data-source="${source}"]`).count()).toBe(1);
    await page.context().close();
  });

  it('sees whom the content of a message was passed on to', async () => {
    const page = await scene.newPage();
    await signIn(page, 'integration-engineer');
    const passedOn = await messageWithDelivery(page);
    await page.goto(`${scene.url}/messages/${passedOn?.id ?? (await messages(page, 'hl7v2'))[0]!.id}`);
    await page.getByRole('heading', { name: 'Passed on' }).waitFor();
    expect(await page.locator('tr[data-delivery]').count()).toBe(passedOn?.deliveries.length ?? 0);
    for (const { destinationName } of passedOn?.deliveries ?? []) {
      await page.locator('tr[data-delivery]').filter({ hasText: destinationName }).first().waitFor();
    }
    await page.context().close();
  });

  it('sees what was not mapped and where it stands in the message', async () => {
    const page = await scene.newPage();
    await signIn(page, 'integration-engineer');
    await page.goto(`${scene.url}/messages?dialect=hl7v2`);
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

describe('the maps', () => {
  it('lead from what is not mapped to its messages, take what a sender does differently, and convert anew', async () => {
    const page = await scene.newPage();
    await signIn(page, 'administrator');
    await page.goto(`${scene.url}/maps`);
    const kind = page.locator('tr[data-kind]').first();
    await kind.getByRole('link').click();
    await page.locator('[data-message]').first().waitFor();
    await page.getByRole('button', { name: /^Not mapped: / }).waitFor();

    await page.goto(`${scene.url}/maps?source=ellery-lab`);
    const settings = page.getByRole('textbox', { name: /^Settings of / });
    const known = JSON.parse(await settings.inputValue());
    await settings.fill('{"overlay": {"rows": [["ZZZ-1", "Patient", "nothing", "string"]]}}');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Patient has no nothing').waitFor();
    const [result] = await found<Fact>(page, 'Observation?_count=1&_tag=urn:causeway:source|ellery-lab');
    const { system, code } = result!.code!.coding![0]!;
    const own = { system: 'https://journey.example/codes', code: 'OWN' };
    await settings.fill(JSON.stringify({ ...known, concepts: { [`${system}|${code}`]: own } }));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByRole('button', { name: 'See what would change' }).click();
    const change = page.locator('details[data-change^="Observation/"]').first();
    await change.locator('summary').click();
    await change.getByText('https://journey.example/codes').waitFor();
    await page.getByRole('button', { name: /^Convert .* anew$/ }).click();
    await page.locator('[data-job="complete"]').waitFor();
    const counted = await answer(page, '/fhir/Observation?code=https://journey.example/codes|OWN&_summary=count');
    expect((counted as { total: number }).total).toBeGreaterThan(0);
    await page.context().close();
  });
});

describe('a data steward', () => {
  it('reads the agreement that the index found in words, and no probability of 100 %', async () => {
    const page = await scene.newPage();
    await signIn(page, 'steward');
    await page.getByRole('heading', { name: 'Why they score as they do' }).waitFor();
    const { reviews } = (await answer(page, '/api/reviews?state=open&limit=1')) as { reviews: OpenReview[] };
    const phone = reviews[0]!.explanation.find(({ field }) => field === 'phone')!;
    const expected = { same: 'same', different: 'differs', missing: 'none' }[phone.level] ?? 'close';
    const row = page.locator('tr[data-agreement]').filter({ has: page.getByRole('rowheader', { name: 'Phone' }) });
    expect(await row.getAttribute('data-agreement')).toBe(expected);
    expect(await page.locator('main').textContent()).not.toMatch(/\b100(\.0+)? %|urn:|\bOID\b/);
    await page.context().close();
  });

  it('decides a review, with a reason', async () => {
    const page = await scene.newPage();
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

describe('a patient', () => {
  it('lands on its own record, closes it to all but one organisation, sees that it holds, and revokes it', async () => {
    const page = await scene.newPage();
    await signIn(page, 'patient');
    await page.waitForURL('**/people/*');
    await page.locator('[data-facts]').waitFor();
    await page.getByRole('link', { name: 'Who may see my record' }).click();
    await page.getByText('Nothing was decided for this record').waitFor();
    expect(await seenResults(page, 'Millbrook Family Practice')).toMatch(/^(\d+) of \1 /);

    await page.getByText('Nobody, except …').click();
    await page.getByLabel('Organisations').first().click();
    await page.getByRole('listbox').getByRole('option', { name: 'Harbor General Hospital' }).click();
    await page.getByLabel('See what an organisation would be given').selectOption('Millbrook Family Practice');
    const would = page.getByRole('status').filter({ hasText: 'Millbrook Family Practice would see' });
    const expected = await would.getByText('results and measurements').textContent();
    await page.getByRole('button', { name: 'Save; it holds at once' }).click();
    await page.getByText('It holds at once, everywhere').waitFor();
    const decided = page.locator('[data-consent]');
    expect(await decided.textContent()).toContain('But: Harbor General Hospital may see it.');
    await page.getByLabel('Organisation', { exact: true }).selectOption('');
    expect(await seenResults(page, 'Millbrook Family Practice')).not.toMatch(/^(\d+) of \1 /);
    expect(await seenResults(page, 'Millbrook Family Practice')).toBe(expected);
    expect(await page.locator('[data-type=Observation]').textContent()).toMatch(/refused by the decision of/);
    expect(await seenResults(page, 'Harbor General Hospital')).toMatch(/^(\d+) of \1 /);
    await page.getByRole('link', { name: 'Back to the record' }).click();
    await page.locator('[data-facts]').waitFor();
    const [result] = await found<Fact>(page, 'Observation?_count=1');
    await page.goto(`${scene.url}/resources/Observation/${result!.id}`);
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByLabel('Organisation', { exact: true }).selectOption('Harbor General Hospital');
    await page.getByText('It is seen').waitFor();
    await page.goBack();
    await page.getByRole('link', { name: 'Who may see my record' }).click();

    await decided.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('Nothing was decided for this record').waitFor();
    await page.getByRole('heading', { name: 'Earlier decisions' }).waitFor();
    await page.context().close();
  });
});

describe('who looked at my record', () => {
  it('leads from an entry to its proof, which holds in a page that is opened from a file, offline', async () => {
    const clinician = await scene.newPage();
    await signIn(clinician, 'clinician');
    await openShowcase(clinician);
    await clinician.locator('[data-facts]').waitFor();
    await clinician.context().close();

    const page = await scene.newPage();
    await signIn(page, 'patient');
    await page.waitForURL('**/people/*');
    await page.getByRole('link', { name: 'Who looked at my record' }).click();
    await page.getByLabel('Search').fill('clinician');
    const entry = page
      .locator('[data-access]')
      .filter({ hasText: account('clinician').name })
      .first();
    await entry.getByRole('button', { name: 'Proof' }).click();
    const proof = entry.getByRole('region', { name: 'Proof' });
    await proof.getByText('The proof holds.').waitFor();
    expect(await proof.textContent()).toMatch(/The entry is number \d+ of the log .+, in the tree of its first \d+/);
    const keys = await proof.locator('[data-keys]').textContent();
    const save = async (name: string) => {
      const download = page.waitForEvent('download');
      await proof.getByText(name).click();
      return (await download).path();
    };
    const folder = await mkdtemp(join(tmpdir(), 'causeway-proof-'));
    await copyFile(await save('Download the receipt'), join(folder, 'receipt.json'));
    await copyFile(await save('Download the page that checks it'), join(folder, 'verifier.html'));

    const verifier = await scene.newPage({ offline: true });
    await verifier.goto(pathToFileURL(join(folder, 'verifier.html')).href);
    await verifier.getByLabel('Keys that you trust').fill(keys!);
    await verifier.getByLabel('Receipts, and proofs of growth').setInputFiles(join(folder, 'receipt.json'));
    await verifier.getByText('This receipt holds').waitFor();
    expect(await verifier.locator('#results').innerText()).toContain('It is about the record Patient/');
    const forged = (await readFile(join(folder, 'receipt.json'), 'utf8')).replace('TREAT', 'HRESCH');
    await writeFile(join(folder, 'forged.json'), forged);
    await verifier.getByLabel('Receipts, and proofs of growth').setInputFiles(join(folder, 'forged.json'));
    await verifier.getByText('This receipt does not hold').waitFor();
    await verifier.context().close();
    await rm(folder, { recursive: true });

    await page.getByRole('link', { name: 'To whom it was given out' }).click();
    await page.getByRole('heading', { name: 'Each time' }).waitFor();
    const line = page.locator('[data-disclosure]').first();
    await line.getByRole('button', { name: 'Proof' }).click();
    await page.getByText('The proof holds.').waitFor();
    await page.context().close();
  });
});

describe('a privacy officer', () => {
  it('reads in the audit log whose records they were, by name', async () => {
    const { name } = showcase({ people: PEOPLE });
    const page = await scene.newPage();
    await signIn(page, 'patient');
    await page.locator('[data-facts]').waitFor();
    await page.context().clearCookies();
    await signIn(page, 'privacy-officer');
    await page.goto(`${scene.url}/audit`);
    await page.getByLabel('Account').fill('patient');
    await page
      .locator('[data-event]')
      .getByRole('link', { name: new RegExp(name.family, 'i') })
      .first()
      .waitFor();
    await page.context().close();
  });
});

describe('an emergency', () => {
  it('is begun with a reason for one chart alone, and ended; it is reviewed, and the person is told', async () => {
    const patient = await scene.newPage();
    await signIn(patient, 'patient');
    const page = await scene.newPage();
    await signIn(page, 'clinician');
    await openShowcase(page);
    const { name } = showcase({ people: PEOPLE });
    const headers: (string | undefined)[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/fhir/')) headers.push(request.headers()['x-emergency-access']);
    });
    await page.getByRole('button', { name: 'Emergency access' }).click();
    await page.getByText('The person cannot speak for itself').click();
    await page.getByLabel('In your own words').fill('Found unconscious in the street');
    await page.getByLabel('Your password, again').fill(account('clinician').password);
    await page.getByRole('button', { name: 'Begin emergency access' }).click();
    await page.getByText(/(59|60) minutes left/).waitFor();
    await page.locator('[data-facts]').waitFor();
    expect(headers.filter((header) => header !== undefined).length).toBeGreaterThan(0);

    headers.length = 0;
    await page.goto(`${scene.url}/people?name=${name.family}`);
    await page.locator('a[data-person]').first().waitFor();
    expect(new Set(headers)).toEqual(new Set([undefined]));
    await page.getByRole('button', { name: 'End now' }).click();
    await page.getByText('In an emergency, open the person').waitFor();
    await page.context().close();

    const officer = await scene.newPage();
    await signIn(officer, 'privacy-officer');
    await officer.setViewportSize({ width: 320, height: 700 });
    await officer.getByText('Found unconscious in the street').waitFor();
    expect(await officer.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(
      0,
    );
    await officer.getByLabel('What you found').fill('She was brought in by ambulance.');
    await officer.getByRole('button', { name: 'It was right', exact: true }).click();
    await officer.getByText('None waits for a review').waitFor();
    await officer.context().close();

    await patient.reload();
    await patient.getByRole('button', { name: /^Notices/ }).click();
    await patient.getByText('looked at your record in an emergency').waitFor();
    await patient.getByText('was reviewed, and found right').waitFor();
    await patient.context().close();
  });

  it('finds by a whole name and birth date who closed everything, and opens that record', async () => {
    const patient = await scene.newPage();
    await signIn(patient, 'patient');
    await patient.waitForURL('**/people/*');
    const id = patient.url().split('/').at(-1)!;
    const person = (await answer(patient, `/fhir/Patient/${id}`)) as {
      name: { family: string; given: string[] }[];
      birthDate: string;
    };
    await patient.goto(`${scene.url}/consents/${id}`);
    await patient.getByText('Nobody', { exact: true }).click();
    await patient.getByRole('button', { name: 'Save; it holds at once' }).click();
    await patient.getByText('It holds at once, everywhere').waitFor();

    const page = await scene.newPage();
    await signIn(page, 'clinician');
    await page.goto(`${scene.url}/people`);
    await page.getByRole('button', { name: 'Look up for an emergency' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Family name').fill(person.name[0]!.family);
    await dialog.getByLabel('Given name').fill(person.name[0]!.given[0]!);
    await dialog.getByRole('textbox', { name: 'Birth date' }).fill(person.birthDate);
    await dialog.getByRole('button', { name: 'Look up', exact: true }).click();
    await dialog.getByRole('button', { name: 'Emergency access' }).click();
    await page.getByText('The person cannot speak for itself').click();
    await page.getByLabel('In your own words').fill('Brought in by ambulance');
    await page.getByLabel('Your password, again').fill(account('clinician').password);
    await page.getByRole('button', { name: 'Begin emergency access' }).click();
    await page.waitForURL('**/people/*');
    await page.locator('[data-facts]').waitFor();
    await page.getByRole('button', { name: 'End now' }).click();
    await page.context().close();

    await patient.locator('[data-consent]').getByRole('button', { name: 'Revoke' }).click();
    await patient.getByText('Nothing was decided for this record').waitFor();
    await patient.context().close();
  });
});

describe('every screen', () => {
  it('has its navigation behind one button on a telephone', async () => {
    const page = await scene.newPage();
    await page.setViewportSize({ width: 390, height: 800 });
    await signIn(page, 'clinician');
    expect((await page.locator('header').boundingBox())!.height).toBeLessThan(56);
    const button = page.getByRole('navigation', { name: 'Main' }).getByRole('button', { name: 'Menu' });
    await button.press('Enter');
    const loops = page.getByRole('link', { name: 'Open loops' });
    await loops.waitFor();
    await page.keyboard.press('Escape');
    await loops.waitFor({ state: 'hidden' });
    expect(await button.evaluate((one) => one === document.activeElement)).toBe(true);
    await button.click();
    await loops.click();
    await page.waitForURL('**/loops');
    await loops.waitFor({ state: 'hidden' });
    await page.context().close();
  });

  it('fits a width of 320 pixels without scrolling the page sideways', async () => {
    const page = await scene.newPage();
    await page.setViewportSize({ width: 320, height: 700 });
    await signIn(page, 'administrator');
    const { name } = showcase({ people: PEOPLE });
    const [person] = await found<Fact>(page, `Patient?name=${name.family}&_count=1`);
    const [message] = await messages(page, 'ccda');
    for (const path of [
      `/people?name=${name.family}`,
      `/people/${person!.id}`,
      '/messages',
      `/messages/${message!.id}`,
      '/maps?source=ellery-lab',
      '/status',
      '/network-policy',
      '/users',
      '/security',
      '/label-rules',
      `/people/${person!.id}/links`,
      `/consents/${person!.id}`,
      `/accesses/${person!.id}`,
      `/disclosures/${person!.id}`,
    ]) {
      await page.goto(scene.url + path);
      await page.locator('main .panel').first().waitFor();
      const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(excess, path).toBeLessThanOrEqual(0);
    }
    await page.context().close();
  });
});

describe('every address', () => {
  it('that leads nowhere says so', async () => {
    const page = await scene.newPage();
    await page.goto(`${scene.url}/no/such/page`);
    await page.getByText('There is no page at this address').waitFor();
    await page.context().close();
  });
});

function account(role: string): Account {
  const found = accounts.find((each) => each.role === role);
  if (!found) throw new Error(`The demonstration has no account for the role ${role}.`);
  return found;
}

/** Signs in by the form the first time, afterwards with the session of that time. */
async function signIn(page: Page, role: string): Promise<void> {
  const session = sessions.get(role);
  if (session) {
    await page.context().addCookies(session);
    await page.goto(scene.url);
    await page.getByRole('navigation', { name: 'Main' }).waitFor();
    return;
  }
  await page.goto(`${scene.url}/sign-in`);
  await page.getByRole('button', { name: account(role).name }).click();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  sessions.set(role, await page.context().cookies());
}

/** `12 of 15 results …`: what the preview says an organisation sees. */
async function seenResults(page: Page, organisation: string): Promise<string> {
  await page.getByLabel('Organisation', { exact: true }).selectOption({ label: organisation });
  const text = await page.locator('[data-type=Observation]').textContent();
  return /\d+ of \d+ results and measurements/.exec(text ?? '')?.[0] ?? '';
}

async function openShowcase(page: Page): Promise<void> {
  const { name } = showcase({ people: PEOPLE });
  await page.getByLabel('Name').fill(`${name.given} ${name.family}`);
  await page.locator('a[data-person]').first().click();
  await page.locator('[data-facts]').waitFor();
}

/** What the hub answers to the signed-in page's own session. */
async function answer(page: Page, path: string): Promise<unknown> {
  const response = await page.request.get(scene.url + path);
  expect(response.status(), path).toBe(200);
  return response.json();
}

async function found<T>(page: Page, search: string): Promise<T[]> {
  const bundle = (await answer(page, `/fhir/${search}`)) as { entry?: { resource: T }[] };
  return (bundle.entry ?? []).map(({ resource }) => resource);
}

async function messages(page: Page, dialect: string): Promise<ReceivedMessage[]> {
  const page1 = await answer(page, `/api/messages?dialect=${dialect}&limit=200`);
  return (page1 as { messages: ReceivedMessage[] }).messages;
}

async function openMessage(page: Page, dialect: string, type?: string): Promise<void> {
  const message = (await messages(page, dialect)).find((each) => !type || each.type.startsWith(type));
  await page.goto(`${scene.url}/messages/${message!.id}`);
  await page.getByRole('heading', { name: 'Where each field went' }).waitFor();
}

/** The first of the newest results that was delivered to somebody; undefined while the hub delivers nothing. */
async function messageWithDelivery(page: Page): Promise<ReceivedMessage | undefined> {
  const results = (await messages(page, 'hl7v2')).filter(({ type }) => type.startsWith('ORU'));
  for (const { id } of results.slice(0, 20)) {
    const message = (await answer(page, `/api/messages/${id}`)) as ReceivedMessage;
    if (message.deliveries.length > 0) return message;
  }
  return undefined;
}
