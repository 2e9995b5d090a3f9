/**
 * The messages of `cases.test.ts` as a reader sees them: Chromium shows the delivered bytes. With
 * DETACH_CASE_PICTURES=FOLDER it writes a picture of all of them in light, dark and forced dark, and on a phone.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { startBrowser } from '../../test/harness/browser.ts';
import { Lab } from './testing/lab.ts';

const folder = new URL('../../test/fixtures/cases/', import.meta.url);
const pictures = process.env['DETACH_CASE_PICTURES'];
const lab = new Lab({
  rules: { minSize: 1000 },
  links: { organisation: 'Example University', contact: 'helpdesk@example.edu' },
});

interface Seen {
  readonly name: string;
  readonly html: string;
  readonly files: number;
}

let browser: Browser;
const cases: Seen[] = [];
before(async () => {
  browser = await startBrowser();
  for (const name of readdirSync(folder)) {
    const { message, files } = await lab.detach(readFileSync(new URL(name, folder)));
    const { html, text, textAsHtml } = await simpleParser(message);
    const isHtml = typeof html === 'string';
    const shown = isHtml ? html : `<body style="font:14px monospace">${textAsHtml ?? ''}`;
    // In a letter of both forms, the plain one too.
    const both = !isHtml ? shown : `${shown}<hr><pre style="white-space:pre-wrap">${escape(text ?? '')}</pre>`;
    cases.push({ name, html: pictures === undefined ? shown : both, files: files.length });
  }
});
after(async () => {
  await browser.close();
  await lab.close();
});

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const looks: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: 'light', viewport: { width: 700, height: 500 } },
  dark: { colorScheme: 'dark', viewport: { width: 700, height: 500 } },
  phone: { colorScheme: 'light', viewport: { width: 340, height: 600 }, deviceScaleFactor: 2, isMobile: true },
};

for (const [look, options] of Object.entries(looks))
  test(`each link is seen and can be clicked: ${look}`, async () => {
    const page = await browser.newPage(options);
    for (const { name, html, files } of cases) {
      await page.setContent(html);
      const found = await page.evaluate<number[][]>(`[...document.querySelectorAll('a[href^="https://files.example"]')]
        .map((link) => {
          link.scrollIntoView({ block: 'center' });
          const [box] = link.getClientRects();
          const at = box && document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          return [box?.width ?? 0, box?.height ?? 0, box?.x ?? -1, link.contains(at) ? 1 : 0];
        })`);
      assert.equal(found.length > 0, files > 0, name);
      for (const [width = 0, height = 0, x = -1, isOnTop] of found)
        assert.ok(width > 20 && height >= 10 && x >= 0 && isOnTop === 1, `${name}: ${width} x ${height} at ${x}`);
    }
    await page.close();
  });

async function takePictures(into: string): Promise<void> {
  for (const [look, options] of Object.entries({ ...looks, 'forced-dark': looks['light'] })) {
    const forced = look === 'forced-dark';
    const shows = forced ? await startBrowser({ args: ['--enable-features=WebContentsForceDark'] }) : browser;
    const page = await shows.newPage({ ...options, viewport: { width: 1400, height: 800 }, isMobile: false });
    const [width, height] = look === 'phone' ? [340, 420] : [680, 300];
    const frames = cases.map(
      ({ name, html }) =>
        `<div style="display:inline-block;margin:4px;vertical-align:top"><b>${name}</b><br><iframe style="width:${width}px;height:${height}px;border:1px solid" srcdoc="${html.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"></iframe></div>`,
    );
    await page.setContent(`<meta name="color-scheme" content="light dark">${frames.join('')}`);
    await page.screenshot({ path: join(into, `${look}.png`), fullPage: true });
    await page.close();
    if (forced) await shows.close();
  }
}

if (pictures !== undefined) test('pictures, for who wants to look', () => takePictures(pictures));
