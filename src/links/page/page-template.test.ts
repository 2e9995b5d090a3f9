/** Pages in the operator's own words, over a real server and in a real browser. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { startBrowser } from '../../../test/harness/browser.ts';
import fc from '../../../test/harness/property.ts';
import { LinkLab } from '../testing/link-lab.ts';
import { compilePage, loadPageTemplate } from './page-template.ts';

const folder = mkdtempSync(join(tmpdir(), 'page-templates-'));
after(() => rmSync(folder, { recursive: true }));

function write(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
}

const filePage = write(
  'file.html',
  `<style>.own{background:#fde68a;color:#111}</style>
<h1>Fichier de {{sender}}</h1>
{{#files}}
<p class="own" title="{{name}}">{{name}} ({{kind}}, {{size}}), {{expires}}: {{sha256}}</p>
<a class="button" href="{{url}}">Chercher</a>
{{/files}}
<p>{{subject}}/{{sent}}/{{organisation}}/{{contact}} <a href="{{page}}">ici</a></p>
`,
);
const messagePage = write(
  'message.html',
  `<h1>Fichiers</h1>
<a href="{{archive}}">Tout</a> <a href="{{page}}">ici</a>
{{#files}}
<p><a href="{{url}}">{{name}}</a> {{size}}</p>
{{/files}}
{{#missing}}
<p><s>{{name}}</s> {{state}}</p>
{{/missing}}
`,
);
const templates = { filePage, messagePage };
const file = (name: string): { name: string; type: string; bytes: Buffer } => ({
  name,
  type: 'application/pdf',
  bytes: Buffer.from(name),
});

suite('pages of the operator', () => {
  const lab = new LinkLab();
  after(() => lab.stop());

  test('say it in their words and style, with every value escaped', async (t) => {
    await lab.start({ templates, language: 'fr', organisation: 'École <nationale>', contact: 'aide@e.example' });
    const { tokens, links, page } = await lab.put({
      files: [file('<b>&"un.pdf'), file('deux.pdf'), file('trois.pdf')],
    });
    const [first, , third] = tokens;
    const response = await fetch(lab.url(first), { headers: { 'accept-language': 'de' } });
    const html = await response.text();
    assert.match(html, /<html lang="fr"/);
    assert.match(html, /<p class="own" title="&lt;b&gt;&amp;&quot;un\.pdf">&lt;b&gt;&amp;&quot;un\.pdf \(PDF, /);
    assert.ok(html.includes(`<a class="button" href="/post/${first}/file">Chercher</a>`), html);
    assert.ok(html.includes(`<a href="/post/${first}">ici</a>`));
    assert.match(html, /École &lt;nationale&gt;\/aide@e\.example/);
    assert.match(html, /[0-9a-f]{64}/);
    assert.doesNotMatch(html, /\{\{|<b>&/);

    const browser = await startBrowser();
    t.after(() => browser.close());
    const view = await browser.newPage();
    const refused: string[] = [];
    view.on('console', (message) => refused.push(message.text()));
    await view.goto(lab.url(first));
    const colour = await view.evaluate<string>(`getComputedStyle(document.querySelector('.own')).backgroundColor`);
    assert.equal(colour, 'rgb(253, 230, 138)', 'the policy lets their style in');
    assert.deepEqual(refused, []);

    lab.unlink(links[1]!.sha256);
    await lab.change(third!, 'revoke');
    const all = await (await fetch(lab.url(page))).text();
    assert.ok(all.includes(`<a href="/post/${page}/all.zip">Tout</a>`), all);
    assert.equal(all.match(/\/file">/g)?.length, 1);
    assert.match(all, /<s>deux\.pdf<\/s> /);
    assert.doesNotMatch(all, /trois/);
  });
});

test('the templates of the documentation can be used', () => {
  const docs = readFileSync(new URL('../../../docs/readers.md', import.meta.url), 'utf8');
  const [file, message, ...more] = Array.from(docs.matchAll(/```html\n([^]*?)```/g), ([, source = '']) => source);
  assert.match(compilePage('filePage', file!).css, /deadline/);
  assert.doesNotThrow(() => compilePage('messagePage', message!));
  assert.equal(more.length, 0);
});

suite('a template that cannot be used', () => {
  const wrong: readonly (readonly [why: string, source: string, message: RegExp])[] = [
    ['no section', '<p>{{page}}</p>', /needs one \{\{#files\}\}/],
    ['no link', '{{#files}}{{name}}{{/files}}', /no \{\{url\}\}/],
    ['a misspelt value', '{{#files}}{{url}}{{nmae}}{{/files}}', /unknown placeholder \{\{nmae\}\}: there are/],
    ['a section that is none', '{{#file}}{{url}}{{/file}}', /unknown placeholder \{\{#file\}\}/],
    ['a section that never ends', '{{#files}}{{url}}{{/files}}{{#missing}}', /needs one \{\{#missing\}\}/],
    ['sections in each other', '{{#files}}{{url}}{{#missing}}{{/missing}}{{/files}}', /needs one \{\{#missing\}\}/],
    [
      'an address where there is none',
      '{{#files}}{{url}}{{/files}}{{#missing}}{{url}}{{/missing}}',
      /\{\{url\}\} stands outside/,
    ],
    ['a script', '{{#files}}<script>{{url}}</script>{{/files}}', /<script> is not possible/],
    ['a second style', '<style>a{}</style><style>b{}</style>{{#files}}{{url}}{{/files}}', /line 1: <style> is not/],
    [
      'a value in the style',
      '<style>a{color:{{name}}}</style>{{#files}}{{url}}{{/files}}',
      /\{\{ is not possible in its style/,
    ],
    ['a style that fetches', '<style>a{background:url(https://x/y)}</style>{{#files}}{{url}}{{/files}}', /url\(https:/],
    [
      'a style that fetches in another way',
      '<style>a{background:image-set("https://x/y" 1x)}</style>{{#files}}{{url}}{{/files}}',
      /image-set\("https:/,
    ],
    [
      'a section with the name of a method',
      '{{#files}}{{url}}{{/files}}{{#constructor}}{{/constructor}}',
      /unknown placeholder \{\{#constructor\}\}: there are/,
    ],
    [
      'an attribute with style',
      '{{#files}}<p style="color:red">{{url}}</p>{{/files}}',
      /begin the template with a <style>/,
    ],
    [
      'a picture from elsewhere',
      '{{#files}}<img src="https://x/y.png" alt=""/>{{url}}{{/files}}',
      /must begin with data:/,
    ],
    ['a script as address', '{{#files}}<a href="&#106;avascript:x()">{{url}}</a>{{/files}}', /begins with https:/],
    ['a name as address', '{{#files}}<a href="{{name}}">{{url}}</a>{{/files}}', /cannot stand in href/],
    [
      'a line that is wrong, counted below the style',
      '<style>\na{}\n</style>\n{{#files}}<b>{{url}}{{/files}}',
      /line 4: /,
    ],
  ];
  for (const [why, source, message] of wrong)
    test(why, () => assert.throws(() => compilePage('messagePage', source), { name: 'TemplateError', message }));

  test('the archive is for the page of a message only', () =>
    assert.throws(() => compilePage('filePage', '{{#files}}{{url}}{{/files}}{{archive}}'), /unknown placeholder/));

  test('names the key and the file, and keeps the server from starting', async () => {
    const long = write('long.html', `{{#files}}{{url}}{{/files}}${'<p>x</p>\n'.repeat(4000)}`);
    assert.throws(() => loadPageTemplate('filePage', long), {
      name: 'TemplateError',
      message: `links.templates.filePage: ${long}: has 36027 bytes, at most 32768 are possible`,
    });
    const lab = new LinkLab();
    const none = join(folder, 'none.html');
    await assert.rejects(lab.start({ templates: { messagePage: none } }), {
      name: 'TemplateError',
      message: /^links\.templates\.messagePage: .*none\.html: ENOENT/,
    });
    await lab.stop();
  });
});

test('a value cannot get out of its place, whatever it is', () => {
  const { render } = compilePage(
    'filePage',
    '{{#files}}<p title="{{name}}">{{name}}<a href="{{url}}">x</a></p>{{/files}}',
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const html = render({ files: [{ name, url: '/t/file' }], missing: [] }, {});
      assert.match(html, /^<p title="[^"<>]*">[^"<>]*<a href="\/t\/file">x<\/a><\/p>$/);
    }),
  );
});
