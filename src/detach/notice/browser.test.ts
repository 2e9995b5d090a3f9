import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from '../../../test/harness/property.ts';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../../test/harness/browser.ts';
import { createNotice } from '../../links/notice.ts';
import { findHtmlPlace } from './html-place.ts';

const item = {
  name: 'a.pdf',
  type: 'application/pdf',
  size: 1,
  url: 'https://files.example.org/AAAA',
  expires: undefined,
};
const fragment = createNotice({ language: 'en' }).write({ items: [item] }).html;

let browser: Browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser.close());

const insert = (html: string, notice = fragment): string | undefined => {
  const at = findHtmlPlace(html);
  return at === undefined ? undefined : html.slice(0, at) + notice + html.slice(at);
};

const pieces =
  '</body>|</html>|<html>|<head>|</head>|<body>|<body/>|</p>|<p>|<!--|-->|--!>|<!-->|<!-|<![CDATA[|]]>|<?xml ?>|<script>|</script>|' +
  '<style>|</style>|<title>|</title>|<textarea>|</textarea>|<svg>|<svg/>|</svg>|<select>|</select>|<option>|<template>|</template>|' +
  '<details>|</details>|<video>|</video>|<table>|<tr>|<td>|</table>|<a href="x">|<a href=x">|<a title=\'>|<b =">|">|\'>|>|<|</|< |' +
  '<pre>|<ul>|<li>|<br/>|<center>|<font color=white>|<form>|<button>|<h1>|<dl>|text| |=|"|\'|\n';

test('Chromium finds the link in whatever the letter is', async () => {
  const letters = fc.sample(
    fc.array(fc.constantFrom(...pieces.split('|')), { maxLength: 14 }).map((all) => all.join('')),
    4000,
  );
  const results = letters.map((letter) => ({ letter, html: insert(letter) }));
  const page = await browser.newPage();
  // Passed as text: the compiled function is for Node, and this code runs in the browser.
  const lost = await page.evaluate<string[]>(`(${JSON.stringify(results)}).filter(({ html }) => {
    const page = new DOMParser().parseFromString(html, 'text/html');
    // A link that the letter leaves open goes on around ours. Ours is the inner one, so a click follows it.
    const link = page.querySelector('a[href^=https] > bdi');
    return !link || link.textContent !== 'a.pdf' ||
      link.closest('select,template,svg,video,details,noscript,title,textarea,style,script');
  }).map(({ letter }) => letter)`);
  assert.deepEqual(lost.slice(0, 5), []);
});

test('it is there to be seen, in light and dark', async () => {
  const letters = [
    '<html><body><p>Hello</p></body></html>',
    '<body bgcolor="#222"><table bgcolor="white"><tr><td>a</table></body>',
    '<html dir="rtl"><body>שלום</body></html>',
    '<font color="white" size="1"><b><a href="x"><table><tr><td>cell',
    '<p>a<!-- never closed',
    '<p>a<script>never closed',
    '<p>a<select><option>b',
    '<meta name="color-scheme" content="dark"><p>a',
    '<style>a, p, li { color: #fff !important }</style><p>a',
  ];
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ colorScheme });
    for (const letter of letters) {
      await page.setContent(insert(letter) ?? '');
      const link = page.locator('a[href^=https]');
      assert.equal(await link.isVisible(), true, letter);
      assert.equal(await link.getAttribute('href'), item.url);
      const style = await page.evaluate<string[]>(`[...document.querySelectorAll('a[href^=https]')].flatMap((a) => {
        const box = getComputedStyle(a.closest('div'));
        return [getComputedStyle(a).color, box.backgroundColor, box.color, box.direction];
      })`);
      assert.deepEqual(style, ['rgb(0, 68, 204)', 'rgb(238, 238, 238)', 'rgb(34, 34, 34)', 'ltr'], letter);
    }
    await page.close();
  }
});

test('letters on a dark ground leave names without links readable', async () => {
  const items = Array.from({ length: 6 }, (_, i) => ({ ...item, name: `${i}.jpg` }));
  const { html } = createNotice({ language: 'en' }).write({ items, page: item.url });
  const page = await browser.newPage({ colorScheme: 'dark' });
  // As templates for newsletters have it.
  const dark = '@media (prefers-color-scheme: dark) { h1, h2, p, span, a, li { color: #fff !important } }';
  await page.setContent(`<style>${dark}</style><p>Hello</p>${html}`);
  const colours = await page.evaluate<string[]>(`[...document.querySelectorAll('bdi, a')].map((e) =>
    getComputedStyle(e).color)`);
  assert.deepEqual([...new Set(colours)], ['rgb(34, 34, 34)', 'rgb(0, 68, 204)']);
  await page.close();
});

test('a screen reader reads a list of links, each named after its file', async () => {
  const page = await browser.newPage();
  const two = createNotice({ language: 'fr' }).write({
    items: [item, { ...item, name: 'דוח 2026.pdf', url: `${item.url}B` }],
  }).html;
  await page.setContent(`<html lang="de" dir="rtl"><body><p>שלום</p>${two}</body></html>`);
  assert.equal(
    await page.locator('div[lang=fr]').ariaSnapshot(),
    [
      '- text: "Joint à ce message :"',
      '- list:',
      '  - listitem:',
      '    - link "a.pdf (PDF, 1 octets)":',
      `      - /url: ${item.url}`,
      '  - listitem:',
      '    - link "דוח 2026.pdf (PDF, 1 octets)":',
      `      - /url: ${item.url}B`,
    ].join('\n'),
  );
  await page.close();
});

/** What mail programs, newsletters and hostile senders write around the newest text. */
const dressings = [
  '<div style="font-size:0">Hello<table style="font-size:14px"><tr><td>cell</table></div>',
  '<div style="line-height:0"><p>Hello</p></div>',
  '<div style="text-indent:-9999px;letter-spacing:-1em;word-spacing:-5em"><p>Hello</p></div>',
  '<body style="color:#eee;background:#eee"><p>Hello</p></body>',
  '<div style="color:transparent;text-transform:uppercase"><p>Hello</p></div>',
  '<div dir="rtl" style="unicode-bidi:bidi-override"><p>שלום</p></div>',
  '<div style="float:left;width:0"><p>Hello</p></div>',
  '<div style="white-space:nowrap;text-align:right"><p>Hello</p></div>',
  '<div style="display:none;max-height:0;overflow:hidden">Preview</div><p>Hello</p>',
  ...[
    'display:none',
    'visibility:hidden',
    'opacity:0',
    'max-height:0;overflow:hidden',
    'height:0px;overflow:hidden',
    'max-width:0;overflow:hidden',
    'opacity:.0',
    'opacity:0%',
    'position:absolute;left:-9999px',
    'position:absolute;left:-10000px;top:auto;width:1px;height:1px;overflow:hidden',
    'position:fixed;left:-100vw',
    'margin-left:-9999px',
    'position:absolute;clip:rect(0 0 0 0)',
    'clip-path:inset(50%)',
    'transform:scale(0)',
    'filter:opacity(0)',
    'content-visibility:hidden',
    'display:/* */none',
    'dis\\70lay:n\\6f ne',
    'display&#58;none',
    'transform:scale3d(0,0,0)',
    'transform:rotateY(90deg)',
    'transform:translate3d(-9999px,0,0)',
    'contain:strict',
    'block-size:0;overflow:hidden',
    'height:0vh;overflow:hidden',
    'zoom:0',
    'opacity:.1',
    'height:1px;overflow:hidden',
    'height:0;overflow-y:auto',
    'position:relative;left:-500px',
    'transform:translateX(-9999px)',
    'translate:-9999px',
    'scale:0',
    'clip-path:polygon(0 0)',
    'position:absolute;clip:rect(1px,1px,1px,1px)',
  ].flatMap((hidden) => [
    `<p>Hello</p><div style="${hidden}"><p>Tracked</p></div>`,
    `<p>Hello</p><div style="${hidden}"><p>Tracked</p><blockquote type="cite">old</blockquote></div>`,
    `<p>Hello</p><div style="${hidden}"><div class="gmail_quote">On Monday Ann wrote: old</div></div>`,
    `<p>Hello</p><div style="${hidden}"><blockquote type="cite">old</blockquote></div><p>-- <br>Ann</p>`,
    `<div style="${hidden}"><p>Preview</p></div>`,
  ]),
  '<style>li, td { color: #eee }</style><body bgcolor="#222"><p>Hello</p></body>',
  '<body style="display:none"><p>Hello</p></body>',
  '<html hidden><body><p>Hello</p></body></html>',
  '<p>Hello</p><div popover><blockquote type="cite">old</blockquote></div>',
  '<p>Hello</p><progress><blockquote type="cite">old</blockquote>',
  '<p>Hello</p><ruby>a<rp>',
  '<p>Hello</p><div hidden><blockquote type="cite">old</blockquote></div>',
];

/** Rules of a letter for all of its lists and links. */
const listRules = [
  'text-indent:-5000px',
  'font-size:0',
  'line-height:0',
  'display:none',
  'visibility:hidden',
  'opacity:0',
  'position:absolute;left:-9999px',
  'float:left;width:0;height:0;overflow:hidden',
  'margin-left:-9999px',
  'text-transform:uppercase;letter-spacing:-1em;white-space:nowrap',
].map((rules) => `<style>ul, ol, li, a { ${rules} }</style><p>Hello</p>`);

test('it has a box of some size, whatever stands around it', async () => {
  const page = await browser.newPage();
  const items = ['a.pdf', 'b.pdf'].map((name) => ({ ...item, name, url: `${item.url}${name}` }));
  const two = createNotice({ language: 'en' }).write({ items, page: `${item.url}B` }).html;
  for (const [letter, notice] of [...dressings, ...listRules].flatMap(
    (each) =>
      [
        [each, fragment],
        [each, two],
      ] as const,
  )) {
    const html = insert(letter, notice);
    // A letter that shows nothing gets the notice as a separate part.
    if (html === undefined) continue;
    await page.setContent(html);
    const seen = await page.evaluate<unknown[]>(`Array.from(document.querySelectorAll('a[href^=https]'), (link) => {
      const box = link.getBoundingClientRect();
      const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      let opacity = 1;
      for (let e = link; e; e = e.parentElement) opacity *= Number(getComputedStyle(e).opacity);
      return [box.width > 20, box.height > 10, box.x >= 0, link.contains(at), opacity];
    })`);
    assert.equal(seen.length, notice === two ? 3 : 1);
    for (const link of seen) assert.deepEqual(link, [true, true, true, true, 1], letter);
  }
  await page.close();
});
