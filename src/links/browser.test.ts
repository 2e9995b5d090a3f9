import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../test/harness/browser.ts';
import { type Azurite, startAzurite } from '../../test/harness/azurite.ts';
import { createStore } from '../storage/store.ts';
import { storeMessage } from '../storage/testing/store-message.ts';
import { linkUrl } from './link-url.ts';
import { type LinkServer, startLinkServer } from './server.ts';
import { linkOptions } from './testing/link-options.ts';
import { silentReaders } from './testing/silent-readers.ts';

/** Folder for screenshots of the pages; none are taken when it is not set. */
const gallery = process.env['DETACH_TEST_SCREENSHOTS'];
const { signal } = new AbortController();
const silent = (): void => undefined;
let azurite: Azurite;
let server: LinkServer;
let browser: Browser;
let put: (bytes: Buffer, name: string, type: string) => Promise<string>;

before(async () => {
  azurite = await startAzurite({ inMemory: true });
  const store = createStore({
    storage: { connectionString: azurite.connectionString, accountUrl: undefined, container: 'detach' },
    links: { secret: [Buffer.alloc(32, 1)], expiresAfter: 90 * 86_400_000 },
  });
  await store.prepare(signal);
  server = await startLinkServer({
    links: { ...linkOptions, baseUrl: 'http://127.0.0.1/files', trustedProxies: [] },
    store,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    meter: silentReaders,
  });
  put = async (bytes, name, type) => {
    const { tokens } = await storeMessage(store, { files: [{ bytes, name, type }] });
    return linkUrl(`http://${server.address}/files`, tokens[0]!);
  };
  browser = await startBrowser();
});
after(async () => {
  await browser.close();
  await server.close();
  await azurite.stop();
});

test('a person opens the page, clicks, and has the file', async () => {
  for (const name of ['Angebot für Müller (50%41) 日本.pdf', 'תקציב 2027.pdf', 'photo "best".jpg']) {
    const bytes = randomBytes(3_000_000);
    const page = await browser.newPage();
    await page.goto(await put(bytes, name, 'application/pdf'));
    assert.equal(await page.title(), name);
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), name);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    const saved = readFileSync(await download.path());
    assert.equal(createHash('sha256').update(saved).digest('hex'), createHash('sha256').update(bytes).digest('hex'));
    // The browser replaces quotes in file names, as it does for every site.
    assert.equal(download.suggestedFilename(), name.replaceAll('"', '_'));
    await page.close();
  }
});

test('a stored file never runs, whatever it is and however it is opened', async () => {
  const script = 'document.documentElement.dataset.ran = "yes"; window.ran = true; fetch("/stolen")';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"><script>${script}</script></svg>`;
  const files: [string, string, string][] = [
    ['page.html', 'text/html', `<!doctype html><script>${script}</script>`],
    ['drawing.svg', 'image/svg+xml', svg],
    [
      'page.xhtml',
      'application/xhtml+xml',
      `<html xmlns="http://www.w3.org/1999/xhtml"><script>${script}</script></html>`,
    ],
    ['lies.png', 'image/png', `<!doctype html><script>${script}</script>`],
    ['plain.txt', 'text/plain', `<!doctype html><script>${script}</script>`],
    ['code.js', 'text/javascript', script],
  ];
  for (const [name, type, content] of files) {
    const url = `${await put(Buffer.from(content), name, type)}/file`;
    const context = await browser.newContext();
    const page = await context.newPage();
    const requests: string[] = [];
    context.on('request', (request) => void requests.push(request.url()));
    // Opened as an address, the file is saved and the page does not change.
    const [download] = await Promise.all([page.waitForEvent('download'), page.goto(url).catch(silent)]);
    assert.equal(readFileSync(await download.path(), 'utf8'), content);
    assert.equal(page.url(), 'about:blank');
    // A page of the same host uses the file as a script, an image, a frame.
    await page.route('**/attack', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<script src="${url}"></script><img src="${url}"><iframe src="${url}"></iframe><embed src="${url}">`,
      }),
    );
    await page.goto(new URL('/attack', url).href);
    for (const frame of page.frames()) {
      assert.equal(await frame.evaluate('window.ran ?? document.documentElement.dataset.ran ?? "no"'), 'no', name);
    }
    assert.ok(!requests.some((request) => request.endsWith('/stolen')), name);
    await context.close();
  }
});

test('a file name is text, also when it looks like markup, and runs no script', async () => {
  const name = '"><img src=x onerror=alert(1)><script>alert(1)</script>.pdf';
  const page = await browser.newPage();
  const alerts: string[] = [];
  page.on('dialog', (dialog) => {
    alerts.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(await put(Buffer.from('name'), name, 'application/pdf'));
  assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), name);
  assert.equal(await page.locator('img, script').count(), 0);
  assert.deepEqual(alerts, []);
  await page.close();
});

test('the page needs nothing from elsewhere, fits a small screen and reads well in the dark', async () => {
  const url = await put(randomBytes(24_800_000), 'Offer for the new building, second version.pdf', 'application/pdf');
  const long = `${'a-very-long-name-without-any-blank-'.repeat(4)}end.tar.gz`;
  const longUrl = await put(randomBytes(10), long, 'application/gzip');
  const unknown = url.slice(0, -22) + 'A'.repeat(22);
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1200, 320]) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 720 }, locale: 'en-GB' });
      const page = await context.newPage();
      const elsewhere: string[] = [];
      page.on('request', (request) => void elsewhere.push(request.url()));
      const complaints: string[] = [];
      page.on('console', (message) => void complaints.push(message.text()));
      for (const [shot, address] of Object.entries({ file: url, long: longUrl, unknown })) {
        await page.goto(address);
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        assert.equal(overflow, 0, `${shot} is wider than ${width} pixels`);
        const ratios = await page.evaluate<[string, number][]>(contrasts);
        assert.ok(ratios.length >= 2);
        for (const [text, ratio] of ratios) assert.ok(ratio >= 4.5, `${text}: contrast ${ratio} in the ${colorScheme}`);
        if (gallery !== undefined) {
          mkdirSync(gallery, { recursive: true });
          await page.screenshot({ path: `${gallery}/${shot}-${colorScheme}-${width}.png` });
        }
      }
      assert.deepEqual(elsewhere, [url, longUrl, unknown]);
      assert.deepEqual(
        complaints.filter((text) => !text.includes('404')),
        [],
      );
      await context.close();
    }
  }
});

/** Runs in the page: the contrast (WCAG 2.2, success criterion 1.4.3) of each text against its background. */
const contrasts = `
(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === 'rgba(0, 0, 0, 0)' ? behind(element.parentElement) : colour;
  };
  return [...document.querySelectorAll('main h1, main p, main a')].map((element) => {
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
    return [element.textContent, (a + 0.05) / (b + 0.05)];
  });
})()`;
