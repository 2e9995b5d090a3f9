import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../../test/harness/browser.ts';
import type { Link } from '../../storage/interface.ts';
import { words, type Language } from '../words/languages.ts';
import { type Branding, loadLogo } from './branding.ts';
import { readableOn } from './colours.ts';
import { filePage } from './file-page.ts';
import { PageFrame } from './page.ts';
import { senderOf } from './stated.ts';

const none: Branding = { organisation: undefined, contact: undefined, logo: undefined, colour: undefined };
const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>top.ran=1</script><rect width="9" height="9"/></svg>';
const brand: Branding = {
  organisation: 'Example <University> & Partners',
  contact: 'postmaster@example.edu',
  logo: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`,
  colour: '#7a1f3d',
};
const link: Link & { readonly from?: string; readonly subject?: string } = {
  v: 1,
  sha256: 'ab'.repeat(32),
  size: 24_800_000,
  name: 'Offer for the new building.pdf',
  type: 'application/pdf',
  created: '2026-11-28T09:00:00Z',
  expires: '2027-02-26T09:00:00Z',
  reversePath: 'ann@example.org',
  messageIdentity: '<1@example.org>',
};
const pageOf = (branding: Branding, language: Language = 'en', its: typeof link = link): string =>
  filePage(its, {
    frame: new PageFrame(branding),
    shown: { sender: true, subject: true },
    language,
    href: '/token/file',
  });

let browser: Browser;
let directory: string;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pages-'));
  browser = await startBrowser();
});
after(async () => {
  await browser.close();
  rmSync(directory, { recursive: true });
});

describe('the page of a file', () => {
  test('says what the file is, who sent it as the mail states, and who keeps it, in every language', () => {
    for (const language of Object.keys(words) as Language[]) {
      const html = pageOf(brand, language);
      const ours = words[language];
      for (const said of [ours.page.heading, ours.page.sender, ours.page.sent, ours.page.checksum, link.sha256]) {
        assert.ok(html.includes(said), `${language}: ${said}`);
      }
      assert.ok(html.includes('Example &lt;University&gt; &amp; Partners'));
      assert.ok(html.includes('<bdi>ann@example.org</bdi>'));
      assert.ok(html.includes('href="mailto:postmaster@example.edu"'));
      assert.doesNotMatch(html, /<script|https?:/);
    }
  });

  test('weighs under 20 kB without the logo', () => {
    const heavy = { ...link, name: `${'名'.repeat(80)}.pdf`, from: `"${'n'.repeat(900)}" <a@b.example>` };
    const size = Buffer.byteLength(pageOf({ ...brand, logo: undefined }, 'fr', heavy));
    assert.ok(size < 20_000, `${size} bytes`);
  });

  test('says the subject and the sender only where the operator wants it', () => {
    const its = { ...link, from: 'Ann <ann@example.org>', subject: 'Secret plan' };
    const options = { frame: new PageFrame(none), language: 'en', href: '/x' } as const;
    const quiet = filePage(its, { ...options, shown: { sender: false, subject: false } });
    assert.doesNotMatch(quiet, /Secret|ann@/);
    assert.match(filePage(its, { ...options, shown: { sender: true, subject: true } }), /Secret plan/);
  });

  test('names the reverse-path where nothing of From can be seen, and no subject where there is none', () => {
    for (const nothing of ['', ' ', '\u202e\u200b']) {
      const html = pageOf(none, 'en', { ...link, from: nothing, subject: nothing });
      assert.match(html, /<bdi>ann@example\.org<\/bdi>/);
      assert.doesNotMatch(html, /Subject/);
    }
  });

  test('has no finding of axe-core: light, dark, phone, forced colours, every language, with and without a brand', async () => {
    const looks = [
      { colorScheme: 'light', viewport: { width: 1200, height: 800 } },
      { colorScheme: 'dark', viewport: { width: 320, height: 640 } },
      { colorScheme: 'light', forcedColors: 'active', viewport: { width: 600, height: 800 } },
    ] as const;
    const frame = new PageFrame(brand);
    const pages = [
      ...(Object.keys(words) as Language[]).map((language) => pageOf(language === 'en' ? none : brand, language)),
      pageOf({ ...brand, colour: '#ffd400' }, 'pt'),
      frame.message('gone', 'de'),
      new PageFrame(none).message('unknown', 'it'),
    ];
    for (const look of looks) {
      const context = await browser.newContext(look);
      const page = await context.newPage();
      for (const html of pages) {
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
        assert.ok(Number(overflow) <= 0, `${String(overflow)} pixels too wide`);
      }
      await context.close();
    }
  });

  test('works with the keyboard, shows its checksum without script, and prints it', async () => {
    const context = await browser.newContext({ javaScriptEnabled: true });
    const page = await context.newPage();
    await page.setContent(pageOf(none));
    assert.equal(await page.locator('code').isVisible(), false);
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('code').isVisible(), true, 'on paper, where nothing can be opened');
    await page.emulateMedia({ media: 'screen' });
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.className'), 'button');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('code').isVisible(), true);
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('.button').isVisible(), false);
    assert.equal(await page.locator('h1').isVisible(), true);
    await context.close();
  });
});

test('who a mail says it is from: the address whole, nothing hidden, nothing turned around', () => {
  const cases: [from: string, name: string, address: string][] = [
    ['Ann Example <ann@example.org>', 'Ann Example', 'ann@example.org'],
    ['"Doe, Ann" <ann@example.org>', 'Doe, Ann', 'ann@example.org'],
    ['ann@example.org', '', 'ann@example.org'],
    ['"ceo@bank.example" <thief@evil.example>', 'ceo@bank.example', 'thief@evil.example'],
    ['\u202eelpmaxe\u202c <a\u200bnn@example.org>', 'elpmaxe', 'ann@example.org'],
    ['A\r\n B\u2028C\u00ad\ufe0f\u3164 <a@b.example>', 'A BC', 'a@b.example'],
    ['a <a@b.example>, c <c@d.example>', '', 'a <a@b.example>, c <c@d.example>'],
    ['<>', '', ''],
    ['"Boss <boss@bank.example>" <thief@evil.example>', 'Boss <boss@bank.example>', 'thief@evil.example'],
    ['Boss\u2800 <a@b.example>', 'Boss', 'a@b.example'],
    ['Boss" <thief@evil.example>', '', 'Boss" <thief@evil.example>'],
  ];
  for (const [from, name, address] of cases) assert.deepEqual(senderOf(from), { name, address }, JSON.stringify(from));
  const long = senderOf(`"${'x'.repeat(5000)}" <${'y'.repeat(60)}@example.org>`);
  assert.equal(long.address, `${'y'.repeat(60)}@example.org`);
  assert.equal(Array.from(long.name).length, 100);
  const many = Array.from({ length: 300 }, (_, i) => `p${i}@x.example`).join(', ');
  assert.match(
    senderOf(`<boss@bank.example>, ${many}, <thief@evil.example>`).address,
    /^<boss.* <thief@evil\.example>$/,
  );
});

test('letters are read on every colour', () => {
  for (const colour of ['#000', '#fff', '#767676', '#777777', '#7f7f7f', '#ffd400', '#0b57d0', '#F00', '#00ff00']) {
    assert.match(readableOn(colour), /^#(?:fff|000)$/);
  }
  assert.equal(readableOn('#7a1f3d'), '#fff');
  assert.equal(readableOn('#FFD400'), '#000');
});

test('a logo is an SVG or a PNG of at most 32 kB; anything else stops the start and names the key', () => {
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100)]);
  assert.match(
    loadLogo(file('a.svg', `<?xml version="1.0"?>\n<!-- logo -->\n${svg}`)),
    /^data:image\/svg\+xml;base64,/,
  );
  for (const prolog of [
    '\ufeff',
    '<?xml version="1.0"?>\n<?xml-stylesheet href="a"?><!-- a > b -->\n',
    // As drawing programs write it.
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "a.dtd" [\n<!ENTITY ns_svg "http://www.w3.org/2000/svg">\n]>\n',
    '<!-- c -->'.repeat(1000),
  ])
    assert.match(loadLogo(file('b.svg', prolog + svg)), /^data:image\/svg\+xml;base64,/);
  assert.match(loadLogo(file('a.png', png)), /^data:image\/png;base64,/);
  for (const [path, why] of [
    [file('a.gif', 'GIF89a'), /neither SVG nor PNG/],
    [file('a.html', `<html>${svg}</html>`), /neither SVG nor PNG/],
    [file('c.html', `${'<!-- c -->'.repeat(1000)}<html>${svg}</html>`), /neither SVG nor PNG/],
    [directory, /is a directory/],
    [file('big.png', Buffer.concat([png, Buffer.alloc(33_000)])), /at most 32768/],
    [join(directory, 'missing.svg'), /ENOENT/],
  ] as const) {
    assert.throws(
      () => loadLogo(path),
      (error: unknown) => error instanceof Error && error.message.startsWith('links.logo: ') && why.test(error.message),
    );
  }
});
