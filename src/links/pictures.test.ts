/**
 * What readers see, from the bytes that are delivered and served. With DETACH_TEST_PICTURES=yes the test renews the
 * pictures of `docs/readers.md`.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { after, before as first, test } from 'node:test';
import { simpleParser } from 'mailparser';
import nodemailer from 'nodemailer';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../test/harness/browser.ts';
import { Lab } from '../detach/testing/lab.ts';
import { MemoryStore } from '../storage/testing/memory-store.ts';
import { LinkLab } from './testing/link-lab.ts';

const docs = new URL('../../docs/', import.meta.url);
const takes = process.env['DETACH_TEST_PICTURES'] === 'yes';
const keeper = { organisation: 'Example University', contact: 'helpdesk@example.edu' };
const lab = new LinkLab();
// Letters and pages tell of the same day.
const mail = new Lab({ links: keeper, store: new MemoryStore({ now: lab.now }) });
let browser: Browser;

first(async () => {
  await lab.start(keeper);
  browser = await startBrowser();
});
after(async () => {
  await browser.close();
  await lab.stop();
  await mail.close();
});

const files = [
  ['Offer for the new building.pdf', 'application/pdf', 240_000],
  ['Floor plan.dwg', 'image/vnd.dwg', 83_000],
  ['Kosten 2027 – Übersicht.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 48_000],
] as const;

interface Look {
  readonly colorScheme: 'light' | 'dark';
  readonly width: number;
}

/** Checks that these words are seen, and takes the picture. */
async function look(
  name: string,
  html: string,
  { colorScheme, width, words }: Look & { readonly words: readonly string[] },
) {
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 320 } });
  await page.setContent(html);
  for (const word of words) assert.ok(await page.getByText(word).first().isVisible(), `${name}: ${word}`);
  const path = new URL(`pictures/${name}.png`, docs).pathname;
  if (takes) await page.screenshot({ path, fullPage: true });
  assert.ok(existsSync(path), path);
  await page.close();
}

/** As Ann sends it. */
async function written(count: number): Promise<Buffer> {
  const { message } = await nodemailer
    .createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
    .sendMail({
      from: 'Ann Example <ann@partner.example>',
      to: 'bob@example.edu',
      subject: 'Offer',
      text: 'Dear Bob,\n\nhere is our offer.\n\nAnn',
      html: '<html><head><meta name="color-scheme" content="light dark"></head><body style="font:15px sans-serif;margin:16px"><p>Dear Bob,</p><p>here is our offer, with the plan of the first floor.</p><p>Ann</p><blockquote type="cite" style="color:#666;margin:12px 0;padding-left:12px;border-left:2px solid #ccc"><p>On Friday Bob wrote: when can we have your offer?</p></blockquote></body></html>',
      attachments: Array.from({ length: count }, (_, i) => {
        const [filename, contentType, size] = files[i % files.length]!;
        const number = count > files.length ? `${i + 1} ` : '';
        return { filename: `${number}${filename}`, contentType, content: randomBytes(size) };
      }),
    });
  return message as Buffer;
}

/** The letter as it arrives. */
async function letter(count: number): Promise<string> {
  const { html } = await simpleParser((await mail.detach(await written(count))).message);
  return typeof html === 'string' ? html : '';
}

/** The letter as it was sent, with a bar of its attachments, as mail programs show them. */
async function before(count: number): Promise<string> {
  const { html, attachments } = await simpleParser(await written(count));
  const chips = attachments.map(
    ({ filename = '', size }) =>
      `<span style="display:inline-block;border:1px solid #bbb;border-radius:4px;padding:4px 8px;margin:0 8px 8px 0">${filename} <span style="color:#666">${Math.round(size / 1000)} kB</span></span>`,
  );
  const bar = `<div style="border-top:1px solid #ccc;margin-top:16px;padding-top:12px;font-size:14px">${chips.join('')}</div>`;
  return (typeof html === 'string' ? html : '').replace('</body>', `${bar}</body>`);
}

test('the notice in a letter: each file with its link, and all of them together', async () => {
  const html = await letter(3);
  const words = ['Example University keeps these files for you until 26 February 2027', 'Floor plan.dwg', 'All files'];
  const sent = ['Offer for the new building.pdf', 'Floor plan.dwg'];
  await look('before', await before(3), { colorScheme: 'light', width: 640, words: sent });
  await look('notice', html, { colorScheme: 'light', width: 640, words });
  await look('notice-phone', html, { colorScheme: 'dark', width: 360, words });
  await look('notice-many', await letter(9), { colorScheme: 'light', width: 640, words: ['9 Kosten', 'All files'] });
});

test('the page of a file, and that of a message', async () => {
  const stored = await lab.put({
    from: 'Ann Example <ann@partner.example>',
    files: files.map(([name, type, size]) => ({ name, type, bytes: randomBytes(size) })),
  });
  const page = async (token: string | undefined): Promise<string> => (await fetch(lab.url(token))).text();
  const one = await page(stored.tokens[0]);
  await look('file', one, {
    colorScheme: 'light',
    width: 640,
    words: ['Kept for you by Example University', 'Download'],
  });
  const all = await page(stored.page);
  const words = ['3 files were sent to you', 'Download all as ZIP', 'Ann Example', 'helpdesk@example.edu'];
  await look('message', all, { colorScheme: 'light', width: 640, words });
  await look('message-phone', all, { colorScheme: 'dark', width: 360, words });
});

test('README.md shows a letter before and after', () => {
  const text = readFileSync(new URL('../README.md', docs), 'utf8');
  for (const name of ['before', 'notice']) assert.ok(text.includes(`(docs/pictures/${name}.png)`), name);
});

test('docs/readers.md shows all of them', () => {
  const text = readFileSync(new URL('readers.md', docs), 'utf8');
  const shown = Array.from(text.matchAll(/\]\(pictures\/([\w-]+)\.png\)/g), ([, name]) => name);
  assert.deepEqual(shown.sort(), ['file', 'message', 'message-phone', 'notice', 'notice-many', 'notice-phone']);
});
