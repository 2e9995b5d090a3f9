import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../test/harness/browser.ts';
import type { StoredMessage } from '../storage/testing/store-message.ts';
import { LinkLab } from './testing/link-lab.ts';
import { type Language, words } from './words/languages.ts';

const lab = new LinkLab();
before(() => lab.start());
after(() => lab.stop());

let count = 0;
/** Stores a new message with `files` files of a kB and more. */
function put(files: number, its: { readonly subject?: string; readonly name?: (i: number) => string } = {}) {
  const { name = (i: number) => `IMG_${2000 + i}.jpeg`, ...stated } = its;
  return lab.put({
    messageIdentity: `<${++count}@example.com>`,
    from: '=?utf-8?q?Anna_=E2=80=AEbeispiel?= <anna@example.org>',
    files: Array.from({ length: files }, (_, i) => ({
      bytes: randomBytes(1000 + i),
      name: name(i),
      type: 'image/jpeg',
    })),
    ...stated,
  });
}

const view = async (path: string | undefined, headers: Record<string, string> = {}) => {
  const response = await fetch(lab.url(path), { headers });
  return { status: response.status, headers: response.headers, html: await response.text() };
};
const namesIn = (html: string): string[] => [...html.matchAll(/<bdi>(IMG_\d+\.jpeg)<\/bdi>/g)].map(([, name]) => name!);
const sha = ({ links }: StoredMessage, i: number): string => links[i]!.sha256;

describe('the page of a message', () => {
  test('lists all files with their sizes, each a download, and all of them as one archive', async () => {
    const { page, tokens } = await put(3, { subject: 'Secret plan' });
    for (const path of [page, `${page}/`, `post/${page}`, `${page}?utm_source=mail`]) {
      const { status, headers, html } = await view(path);
      assert.equal(status, 200);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/);
      assert.deepEqual(namesIn(html), ['IMG_2000.jpeg', 'IMG_2001.jpeg', 'IMG_2002.jpeg']);
      for (const token of tokens) assert.ok(html.includes(`href="/post/${token}/file"`));
      assert.ok(html.includes(`href="/post/${page}/all.zip"`));
      assert.match(html, /3 files were sent to you/);
      assert.match(html, /3 kB · Available until 26 February 2027/);
      assert.match(html, /<bdi>Anna beispiel<\/bdi> <bdi>&lt;anna@example\.org&gt;<\/bdi>/);
      assert.doesNotMatch(html, /Secret plan|<script|https?:/);
    }
    assert.equal((await fetch(lab.url(page), { method: 'HEAD' })).status, 200);
    for (const path of [`${page}/file`, `${tokens[0]}/all.zip`, `${page}/all.zip/`]) {
      assert.equal((await view(path)).status, 404, path);
    }
  });

  test('says the subject where the operator wants it', async (t) => {
    const open = new LinkLab();
    await open.start({ showSubject: true });
    t.after(() => open.stop());
    const { page } = await open.put({
      subject: 'Photos <of> May',
      files: [{ bytes: Buffer.from('a') }, { bytes: Buffer.from('b') }],
    });
    assert.match(await (await fetch(open.url(page))).text(), /<bdi>Photos &lt;of&gt; May<\/bdi>/);
  });

  test('a revoked file is missing; an expired and a lost one say so; 410 when nothing is left', async () => {
    const message = await put(4);
    const { page, tokens } = message;
    await lab.change(tokens[1]!, 'revoke');
    lab.unlink(sha(message, 2));
    const { status, html } = await view(page);
    assert.equal(status, 200);
    assert.deepEqual(namesIn(html), ['IMG_2000.jpeg', 'IMG_2002.jpeg', 'IMG_2003.jpeg']);
    assert.match(html, /4 files were sent to you/);
    assert.match(html, /1 file was withdrawn/);
    assert.match(html, /<li><bdi>IMG_2002\.jpeg<\/bdi><span>JPEG · 1 kB · missing<\/span>/);
    assert.ok(!html.includes(tokens[1]!) && !html.includes(tokens[2]!));
    assert.ok(lab.lines.some(({ event, fields }) => event === 'file-missing' && fields['sha256'] === sha(message, 2)));
    await lab.change(tokens[1]!, 'unrevoke');
    assert.deepEqual(namesIn((await view(page)).html).length, 4);

    for (const i of [0, 1, 3]) lab.unlink(sha(message, i));
    for (const path of [page, `${page}/all.zip`]) {
      const gone = await view(path);
      assert.equal(gone.status, 410);
      assert.match(gone.html, /These files are missing/);
    }
  });

  test('where a file is missing, those beyond the twentieth say that they were not looked for', async () => {
    const message = await put(23);
    const uncheckedIn = (html: string): number => html.match(/ · not checked</g)?.length ?? 0;
    assert.equal(uncheckedIn((await view(message.page)).html), 0, 'no doubt without a reason');
    lab.unlink(sha(message, 7));
    lab.unlink(sha(message, 22));
    const { html } = await view(message.page);
    assert.equal(html.match(/ · missing</g)?.length, 1);
    assert.equal(uncheckedIn(html), 3);
    assert.equal((await view(message.tokens[22])).status, 410);
  });

  test('410 after the end of all of them, and after all were withdrawn', async () => {
    const { page, tokens } = await put(2);
    for (const token of tokens) await lab.change(token, 'revoke');
    assert.match((await view(page)).html, /These files were withdrawn/);
    assert.equal((await view(page)).status, 410);
    for (const token of tokens) await lab.change(token, 'unrevoke');
    assert.equal((await view(page)).status, 200);
    lab.now += 91 * 86_400_000;
    const { status, html } = await view(page);
    lab.now -= 91 * 86_400_000;
    assert.equal(status, 410);
    assert.match(html, /These files are no longer kept/);
    assert.match(html, /Questions|ask the sender/);
  });

  test('looks for the bytes of at most 20 files in a view, and remembers them', async (t) => {
    const forgetful = new LinkLab({ limits: { rememberMs: 60_000 } });
    await forgetful.start();
    t.after(() => forgetful.stop());
    const { page } = await forgetful.put({
      files: Array.from({ length: 30 }, (_, i) => ({ bytes: Buffer.from(`${i}`) })),
    });
    const asked = (what: string): number => forgetful.asked.filter((key) => key === what).length;
    assert.equal((await fetch(forgetful.url(page))).status, 200);
    assert.deepEqual([asked('statFile'), asked('getLink')], [20, 31]);
    assert.equal((await fetch(forgetful.url(page))).status, 200);
    assert.deepEqual([asked('statFile'), asked('getLink')], [20, 31]);
  });

  test('thirty files stand on one page, more on several, and none weighs 20 kB', async () => {
    const photos = await put(30);
    const { html } = await view(photos.page, { 'accept-language': 'fr' });
    assert.equal(namesIn(html).length, 30);
    assert.doesNotMatch(html, /<nav>/);
    assert.ok(Buffer.byteLength(html) < 20_000, `${Buffer.byteLength(html)} bytes`);

    const many = await put(95, { name: (i) => `${'名'.repeat(46)}-${i}.jpeg` });
    const seen: string[] = [];
    for (const piece of [1, 2, 3]) {
      const { status, html } = await view(`${many.page}?page=${piece}`, { 'accept-language': 'fr' });
      assert.equal(status, 200);
      assert.match(html, /95 fichiers vous ont été envoyés/);
      assert.ok(Buffer.byteLength(html) < 20_000, `${Buffer.byteLength(html)} bytes`);
      assert.equal(/<nav>(.*)<\/nav>/.exec(html)?.[1]?.match(/href="\?page=\d"/g)?.length, 2);
      seen.push(...[...html.matchAll(/-(\d+)\.jpeg<\/bdi>/g)].map(([, i]) => i!));
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 95 }, (_, i) => String(i)),
    );
    assert.equal((await view(`${many.page}?page=999`)).html.match(/<li>/g)?.length, 15);

    for (const token of many.tokens.slice(0, 40)) await lab.change(token, 'revoke');
    assert.equal((await view(many.page)).status, 200, 'the others are there');
    for (const token of many.tokens.slice(40)) await lab.change(token, 'revoke');
    assert.equal((await view(many.page)).status, 410);
  });

  test('files that end at different times say when', async () => {
    const { page } = await put(2);
    assert.doesNotMatch((await view(page)).html, /kB · available/);
    const late = await lab.put({
      messageIdentity: '<late@example.com>',
      files: [{ bytes: randomBytes(10) }, { bytes: randomBytes(11) }],
    });
    assert.match((await view(late.page)).html, /21 bytes · Available until 26 February 2027/);
  });

  test('a name is text, whatever it looks like', async () => {
    const { page } = await put(2, { name: (i) => `"><img src=x onerror=alert(${i})>.jpg` });
    const { html } = await view(page);
    assert.doesNotMatch(html, /<img/);
    assert.match(html, /&gt;/);
  });
});

describe('in a browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());

  test('a person gets one file and all of them, without script', async () => {
    const { page: token } = await put(3);
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' });
    const page = await context.newPage();
    await page.goto(lab.url(`post/${token}`));
    for (const [link, name] of [
      ['IMG_2001.jpeg', 'IMG_2001.jpeg'],
      ['Download all as ZIP', 'Attachments-2026-11-28.zip'],
    ] as const) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: link }).click(),
      ]);
      assert.equal(await download.failure(), null);
      assert.equal(download.suggestedFilename(), name);
    }
    await context.close();
  });

  test('has no finding of axe-core in any language, light, dark, forced colours, on a phone, and nothing is too wide', async () => {
    const longName = 'a-very-long-name-without-any-blank-'.repeat(3);
    const message = await put(5, { name: (i) => `${i === 2 ? longName : ''}IMG_${i}.jpeg` });
    await lab.change(message.tokens[1]!, 'revoke');
    lab.unlink(sha(message, 3));
    const long = await put(41);
    const looks = [
      { colorScheme: 'light', viewport: { width: 1200, height: 800 } },
      { colorScheme: 'dark', viewport: { width: 320, height: 640 } },
      { colorScheme: 'light', forcedColors: 'active', viewport: { width: 600, height: 800 } },
    ] as const;
    for (const [i, look] of looks.entries()) {
      const context = await browser.newContext(look);
      const page = await context.newPage();
      const languages = i === 0 ? (Object.keys(words) as Language[]) : (['de'] as const);
      for (const [token, language] of [...languages.map((language) => [message.page, language]), [long.page, 'fr']]) {
        const { html } = await view(token, { 'accept-language': language! });
        await page.setContent(html);
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
          'axe.run()',
        );
        assert.deepEqual(
          violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]),
          [],
        );
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        assert.ok(Number(overflow) <= 0, `${String(language)}: ${String(overflow)} pixels too wide`);
      }
      await context.close();
    }
  });
});
