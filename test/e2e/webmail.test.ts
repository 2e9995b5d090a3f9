/**
 * People at the lab's webmail, and their mail programs: alice sends bob a file, bob has a link, downloads, replies and forwards. With
 * DETACH_TEST_PICTURES=yes the test renews the pictures of `docs/lab.md`.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { ImapFlow } from 'imapflow';
import nodemailer from 'nodemailer';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startBrowser } from '../harness/browser.ts';
import { samplePdf } from '../../lab/sample-pdf.ts';
import { relayhost } from '../../lab/preset.ts';
import { repository, temporaryPlace } from '../../lab/places.ts';
import { startServers } from '../../lab/servers.ts';
import { removeDirectory } from '../harness/private-directory.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { SmtpDialog } from '../harness/smtp-dialog.ts';

const takes = process.env['DETACH_TEST_PICTURES'] === 'yes';
// Detach MTA, started below, takes every variable of that prefix for one of its keys.
delete process.env['DETACH_TEST_PICTURES'];
const subject = 'Übersicht für März';
const file = { name: 'Übersicht März.pdf', mimeType: 'application/pdf', buffer: threeMegabytes() };

/** A PDF that a browser shows, with bytes behind its end that make it 3 MB. */
function threeMegabytes(): Buffer {
  const pdf = samplePdf('Overview', { width: 960, height: 640 });
  return Buffer.concat([pdf, randomBytes(3_000_000 - pdf.length, 'overview')]);
}

/** A person at the webmail, in a browser profile of its own. */
class Person {
  readonly page: Page;
  readonly #url: string;

  private constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
  }

  static async login(
    browser: Browser,
    { url, user, password, look = {} }: { url: string; user: string; password: string; look?: BrowserContextOptions },
  ): Promise<Person> {
    const context = await browser.newContext({ viewport: { width: 1100, height: 640 }, locale: 'en-GB', ...look });
    const page = await context.newPage();
    await page.goto(url);
    await page.fill('#rcmloginuser', user);
    await page.fill('#rcmloginpwd', password);
    await page.click('#rcmloginsubmit');
    await page.waitForSelector('#messagelist', { state: 'attached' });
    return new Person(page, url);
  }

  /** Opens a message of the inbox, by its number there, alone on the page. */
  async read(uid: number): Promise<void> {
    await this.page.goto(`${this.#url}?_task=mail&_mbox=INBOX&_uid=${uid}&_action=show`);
    await this.page.locator('#messagebody').waitFor();
  }

  /** Pictures of the inbox with its newest message beside the list, when pictures are taken. */
  async show(colorScheme: 'light' | 'dark', name: string): Promise<void> {
    if (takes) {
      await this.page.emulateMedia({ colorScheme });
      await this.page.goto(`${this.#url}?_task=mail&_mbox=INBOX`);
      await this.page.locator('#messagelist tbody tr').first().click();
      await this.page.frameLocator('#messagecontframe').locator('#messagebody').waitFor();
    }
    await picture(this.page, name);
  }

  /** Writes in the open form and sends it. */
  async send({ to, text, attach }: { to?: string; text: string; attach?: typeof file }, shot?: string): Promise<void> {
    const { page } = this;
    await this.#ready();
    if (to !== undefined) await page.locator('#compose_to ul.recipient-input input').fill(`${to},`);
    const body = page.frameLocator('#composebody_ifr').locator('body');
    await body.click();
    if (to !== undefined) await page.locator('#compose_to li.recipient', { hasText: to }).waitFor();
    await page.keyboard.press('Control+Home');
    await page.keyboard.insertText(text);
    await body.getByText(text).waitFor();
    if (attach) {
      await page.setInputFiles('input[type=file]', attach);
      await page.waitForSelector('#attachment-list li:not(.uploading)');
    }
    if (shot !== undefined) await picture(page, shot);
    await this.#ready();
    await page.locator('button.send:visible').first().click();
    await page.waitForURL((address) => !address.search.includes('_action=compose'));
  }

  /** The page has all that it asked the server for. */
  async #settled(): Promise<void> {
    await this.page.waitForLoadState('networkidle');
  }

  /** Before its editor has started the form loses what is typed, and while it talks to the server it ignores buttons. */
  async #ready(): Promise<void> {
    await this.page.waitForFunction('tinymce.get("composebody")?.initialized && !rcmail.busy');
  }

  async write(words: string): Promise<void> {
    await this.#settled();
    await this.page.goto(`${this.#url}?_task=mail&_action=compose`);
    await this.page.fill('#compose-subject', words);
  }

  /** Presses a button above the open message. */
  async press(button: 'reply' | 'forward'): Promise<void> {
    await this.#settled();
    await this.page.locator(`a.${button}:visible`).first().click();
    await this.page.waitForURL((address) => address.search.includes('_action=compose'));
  }

  /** Follows the link in the open message, and downloads what its page offers. */
  async download(): Promise<{ readonly name: string; readonly bytes: Buffer }> {
    const link = this.page.locator('#messagebody').getByRole('link', { name: file.name });
    const [opened] = await Promise.all([this.page.context().waitForEvent('page'), link.first().click()]);
    const [download] = await Promise.all([
      opened.waitForEvent('download'),
      opened.getByRole('link', { name: 'Download' }).click(),
    ]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  }
}

async function picture(page: Page, name: string): Promise<void> {
  const path = join(repository, 'docs/pictures', `${name}.png`);
  if (takes) await page.screenshot({ path });
  assert.ok(existsSync(path), path);
}

let lab: Awaited<ReturnType<typeof startServers>>;
const scenario = new Scenario();
before(async () => {
  const { home, ports } = await temporaryPlace();
  scenario.defer(() => removeDirectory(home));
  lab = await scenario.use(startServers(relayhost, { home, ports, started: () => undefined }));
});

test('a file written in the webmail arrives as a link, is downloaded, answered and forwarded', async () => {
  const browser = await startBrowser();
  scenario.defer(() => browser.close());
  const url = `http://127.0.0.1:${lab.ports.webmail}/`;
  const login = (user: string, look: BrowserContextOptions = {}): Promise<Person> =>
    Person.login(browser, { url, user, password: lab.access.password, look });

  const alice = await login('alice@example.com');
  await alice.write(subject);
  await alice.send({ to: 'bob@example.org', text: 'Dear Bob, here is the overview.', attach: file }, 'webmail-write');
  const [copy] = await lab.dovecot.waitForMail('bob@example.org');
  assert.ok(copy && copy.length < 10_000, 'the file is not in the message');

  const bob = await login('bob@example.org');
  await bob.show('dark', 'webmail-dark');
  await bob.show('light', 'webmail');
  await bob.read(1);
  await bob.page.getByText('Attached to this message until').waitFor();
  const got = await bob.download();
  assert.equal(got.name, file.name);
  assert.ok(got.bytes.equals(file.buffer), 'the same bytes');

  await bob.press('reply');
  await bob.send({ text: 'Thank you, Alice.' });
  await bob.read(1);
  await bob.press('forward');
  await bob.send({ to: 'carol@example.org', text: 'Carol, this is for you too.' });

  await lab.dovecot.waitForMail('alice@example.com');
  await alice.read(1);
  await alice.page.getByText('Thank you, Alice.').waitFor();

  await lab.dovecot.waitForMail('carol@example.org');
  const carol = await login('carol@example.org', {
    viewport: { width: 390, height: 640 },
    hasTouch: true,
    isMobile: true,
  });
  await carol.read(1);
  await carol.page.getByText('Carol, this is for you too.').waitFor();
  await picture(carol.page, 'webmail-phone');
  assert.ok((await carol.download()).bytes.equals(file.buffer), 'the forwarded link gives the same file');
  assert.equal((await lab.storage.files()).length, 1, 'one file in storage');
  assert.equal(lab.detach.errors, '');
});

interface Sending {
  readonly secure: boolean;
  readonly password?: string;
  readonly from?: string;
  readonly trusts?: boolean;
}

/** As a mail program sends: over TLS, with the certificate checked. */
function submit({ secure, password, from = 'alice@example.com', trusts = true }: Sending): Promise<unknown> {
  const { ports, access } = lab;
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port: secure ? ports.submissions : ports.submission,
    secure,
    requireTLS: true,
    tls: { servername: 'localhost', ...(trusts ? { ca: readFileSync(access.certificates.authority) } : {}) },
    ...(password === undefined ? {} : { auth: { user: 'alice@example.com', pass: password } }),
  });
  return transport.sendMail({ from, to: 'dave@example.org', subject: 'submitted', text: 'Hello.' });
}

test('submission takes mail over TLS from people with a password, from their own address, and from nobody else', async () => {
  const { password } = lab.access;
  await submit({ secure: false, password });
  await submit({ secure: true, password });
  await lab.dovecot.waitForMail('dave@example.org', 2);
  await assert.rejects(submit({ secure: true, password: 'wrong' }), /535 5\.7\.8/);
  await assert.rejects(submit({ secure: false, password, from: 'bob@example.org' }), /553 5\.7\.1 .*not owned/);
  await assert.rejects(submit({ secure: false }), /553 5\.7\.1 .*not logged in/);
  await assert.rejects(submit({ secure: false, from: 'mallory@elsewhere.example' }), /554 5\.7\.1 .*denied/);
  await assert.rejects(submit({ secure: true, password, trusts: false }), /unable to (verify|get)/);
  const clear = await SmtpDialog.open(lab.ports.submission, { host: '127.0.0.1' });
  await clear.say('EHLO client.example.net');
  assert.match((await clear.say('MAIL FROM:<alice@example.com>')).text, /530 5\.7\.0 Must issue a STARTTLS/);
  await clear.quit();
});

for (const secure of [true, false]) {
  test(`a mail program reads over ${secure ? 'TLS' : 'STARTTLS'}, with the certificate checked`, async () => {
    const { ports, access } = lab;
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: secure ? ports.imaps : ports.imap,
      secure,
      doSTARTTLS: secure ? undefined : true,
      tls: { servername: 'localhost', ca: readFileSync(access.certificates.authority) },
      auth: { user: 'bob@example.org', pass: access.password },
      logger: false,
    });
    await client.connect();
    assert.ok(client.secureConnection);
    await client.logout();
  });
}
