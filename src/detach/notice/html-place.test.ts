import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHtmlPlace } from './html-place.ts';

/** `|` marks the place; without one there is none. */
const cases: readonly (readonly [why: string, marked: string])[] = [
  ['empty', '|'],
  ['a fragment', '<p>Hello</p>|'],
  ['text alone', 'Hello|'],
  ['a document', '<html><body><p>Hello</p>|</body></html>'],
  ['capitals and blanks', '<HTML><BODY>Hello|</BODY \r\n></HTML>'],
  ['only </html>', '<html><p>Hello|</html>'],
  ['</body> after </html>', '<html>Hello</html>|</body>'],
  ['the last of several', '<body>a</body></html><html><body>b|</body></html>'],
  ['a footer after the end', '<body>a|</body></html>\r\nlist footer'],
  ['in a comment', '<body>a<!-- </body> -->b|</body><!-- </body> -->'],
  ['in a comment only', '<body>a<!-- </body> -->b|'],
  ['in an abrupt comment', '<body>a<!--> b|</body> -->'],
  ['in a comment closed with a bang', '<body>a<!-- </body> --!>b|</body>'],
  ['in a comment that never closes', '<body>a|</body><!-- </body>'],
  ['a comment that never closes, nothing before', '<body>a|<!-- b</body></html>'],
  ['a conditional comment', '<body>a<!--[if mso]></body><![endif]-->b|</body>'],
  ['a revealed conditional', '<body>a<![if !mso]>b<![endif]>c|</body>'],
  ['in a script', '<body>a|</body><script>"</body>"</script>'],
  ['in a script that never closes', '<body>a|<script>"</body></html>'],
  ['in a style', '<body>a<style></body></style>b|'],
  ['in a style with odd end', '<body>a<style></styles></body></STYLE\t>b|</body>'],
  ['in what a style only seems to hide', '<p>a<div style="filter:opacity(1);mask: none;background-size:contain">b|'],
  ['in what a disguised style hides', '<p>a|<div style="dis\\70lay:/* */no&#110;e">b'],
  ['in a title', '<title></body></title>b|'],
  ['in a textarea that never closes', 'a|<textarea></body>'],
  ['in plaintext', 'a|<plaintext></body>'],
  ['in an attribute', '<p title="</body>">a<p title=\'</body>\'>b|'],
  ['an unquoted attribute with a quote', '<p title=a"b>c|</body>"'],
  ['a quote that is no value', '<p "title>c|</body>"'],
  ['an equals sign in a value', '<a href=x?a="b>c|</body>"'],
  ['an attribute that never closes', 'a|<p title="b</body>'],
  ['a tag that never closes', 'a|</p'],
  ['an attribute that begins with an equals sign', '<b =">a|</body>"'],
  ['a comment with a bang too early', 'a|<!---!></body>'],
  ['a comment that is only dashes', '<!---->a<!--->b<!----!>c|'],
  ['a value after blanks', '<p title = "</body>" x>a|'],
  ['a sign that is no tag', 'a < b <3 & c|</body>'],
  ['a declaration', '<?xml version="1.0"?><!DOCTYPE html><html><body/>a|</html>'],
  ['a section of XML', '<body>a<![CDATA[ x ]]>b|</body>'],
  ['a section of XML in a picture', '<body>a|<svg><![CDATA[ x > ]</svg>b</body>'],
  ['a name that begins alike', '<body>a</bodyguard>b|'],
  ['a frameset', '<html><frameset><frame src="a"></frameset></html>'],
  ['a frameset in a comment', '<!-- <frameset> -->a|'],
  ['a frameset that comes too late', '<body>a<frameset>b|</body>'],
  ['an open select', '<body>a|<select><option>b</body>'],
  ['a closed select', '<body>a<select><option>b</select>c|</body>'],
  ['nested details, one open', '<body>a|<details><details>b</details>c</body>'],
  ['a template in a drawing', 'a|<svg><template></svg>b'],
  ['a drawing that closes itself', 'a<svg/>b|'],
  ['a drawing open at the end', 'a|<svg><text>b'],
  ['details closed in a table left open', 'a|<details><table></details>b'],
  ['details closed with all in it', '<details><summary>a</summary><p>b<br></p></details>c|'],
  ['a video with a paragraph left open', '|<video><p>a</video>b'],
  ['a select in a form', '<form><select><option>a<option>b</select></form>c|'],
  ['a drawing with what closes itself', '<svg><path d="x"/><g></g></svg>a|'],
  ['a table left open', '<table><tr><td>a|'],
  ['hidden by opacity:.01', 'a|<div style="opacity:.01">b'],
  ['hidden by opacity: 0.05;color:red', 'a|<div style="opacity: 0.05;color:red">b'],
  ['hidden by zoom:0.01', 'a|<div style="zoom:0.01">b'],
  ['hidden by filter:blur(20px)', 'a|<div style="filter:blur(20px)">b'],
  ['hidden by clip-path:circle(0)', 'a|<div style="clip-path:circle(0)">b'],
  ['hidden by transform:scale(.02)', 'a|<div style="transform:scale(.02)">b'],
  ['hidden by transform:scale(0)', 'a|<div style="transform:scale(0)">b'],
  ['seen with opacity:.8', '<div style="opacity:.8">b|'],
  ['seen with zoom:1.05', '<div style="zoom:1.05">b|'],
  ['seen with filter:blur(0)', '<div style="filter:blur(0)">b|'],
  ['seen with clip-path:circle(50%)', '<div style="clip-path:circle(50%)">b|'],
  ['seen with transform:scale(0.9)', '<div style="transform:scale(0.9)">b|'],
  ['seen with opacity:0.5', '<div style="opacity:0.5">b|'],
];

for (const [why, marked] of cases) {
  test(why, () => {
    const at = marked.indexOf('|');
    assert.equal(findHtmlPlace(marked.replace('|', '')), at < 0 ? undefined : at);
  });
}

test('hostile lengths end: a million of anything', () => {
  for (const piece of [
    '<',
    '<!--',
    '<!',
    '</',
    '<a ',
    '<a =',
    '<a ="',
    '<p>',
    '<script>',
    '<script></script>',
    '</body>',
    '<svg>',
    '<a x="">',
    '<!---->',
  ]) {
    // A quadratic search would take hours here.
    assert.doesNotThrow(() => findHtmlPlace(piece.repeat(Math.ceil(1_000_000 / piece.length))));
  }
});
