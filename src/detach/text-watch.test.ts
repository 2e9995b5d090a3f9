import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Mentions } from './mentions.ts';
import { parsePartHead } from './mime/part-head.ts';
import { TextWatch, type WatchedText } from './text-watch.ts';

interface Seen {
  readonly pgp: boolean;
  readonly shows: boolean;
}

const picture = parsePartHead(Buffer.from('Content-ID: <one@x>\r\nContent-Type: image/png; name=one.png\r\n'));

function watch(text: string, size: number, options: Omit<WatchedText, 'charset'>): Seen {
  const mentions = new Mentions();
  const watcher = new TextWatch(mentions, { ...options, charset: undefined });
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += size) watcher.push(bytes.subarray(at, at + size));
  watcher.end();
  return { pgp: mentions.pgp, shows: mentions.refersTo(picture) };
}

function seen(text: string, { html = false, calendar = false, encoding = '' } = {}): Seen {
  const kind = html ? 'html' : calendar ? 'calendar' : 'text';
  const whole = watch(text, text.length + 1, { kind, encoding });
  for (const size of [1, 7, 1000])
    assert.deepEqual(watch(text, size, { kind, encoding }), whole, `in steps of ${size}`);
  return whole;
}

const filler = (length: number): string => 'x '.repeat(length).slice(0, length);
/** Around the places where the text is searched. */
const places = [
  0, 1, 100, 793, 1056, 1057, 15_350, 15_616, 16_000, 16_110, 16_380, 16_383, 16_384, 16_385, 30_710, 31_744, 32_500,
  40_000,
];

suite('what texts say is found wherever it stands and however it is cut', () => {
  test('PGP at the beginning of a line', () => {
    const mark = '-----BEGIN PGP MESSAGE-----\r\n';
    for (const place of places) {
      assert.equal(seen(`${filler(place)}\r\n${mark}`).pgp, true, `at ${place}`);
      assert.equal(seen(`${filler(place)}> ${mark}`).pgp, false, `quoted at ${place}`);
      assert.equal(seen(`${filler(place)}<p>${mark}`, { html: true }).pgp, true, `HTML at ${place}`);
      assert.equal(seen(`${filler(place)}&gt; ${mark}`, { html: true }).pgp, false, `quoted HTML at ${place}`);
    }
    assert.equal(seen(mark).pgp, true);
    assert.equal(seen('-----BEGIN PGP SIGNED MESSAGE-----').pgp, true);
    assert.equal(seen('-----BEGIN PGP PUBLIC KEY BLOCK-----').pgp, false);
  });

  test('references', () => {
    for (const place of places) {
      assert.equal(seen(`${filler(place)}<img src="cid:one@x">`, { html: true }).shows, true, `at ${place}`);
      assert.equal(seen(`${filler(place)}<img src="cid:${'o'.repeat(300)}one@x">`, { html: true }).shows, false);
    }
    assert.equal(seen('cid:one@x', { html: true }).shows, true);
    assert.equal(seen('cid:one@x').shows, true);
    assert.equal(seen('one@x').shows, false);
  });

  test('addresses of what HTML shows', () => {
    for (const place of places)
      assert.equal(seen(`${filler(place)}<img src="one.png">`, { html: true }).shows, true, `at ${place}`);
    assert.equal(seen('<img src="one.png">').shows, false);
  });

  test('references in folded lines of a calendar', () => {
    for (const place of places)
      assert.equal(seen(`${filler(place)}\r\nATTACH:ci\r\n d:one@\r\n\tx\r\n`, { calendar: true }).shows, true);
    assert.equal(seen('ATTACH:CID:one@x\r\n', { calendar: true }).shows, true);
    assert.equal(seen('ATTACH:cid:one@\r\n x', { calendar: false }).shows, false);
  });

  test('under a transfer encoding', () => {
    const encoding = 'quoted-printable';
    for (const text of ['ci=\r\nd:one@x', 'cid:on=65@x', 'c=69d=3Aone=40x', 'cid:one= \t\r\n@x'])
      assert.equal(seen(text, { html: true, encoding }).shows, true, text);
    for (const text of [`cid:one=${' '.repeat(81)}\r\n@x`, 'cid=3=\r\nAone@x', 'cid=3d3Aone@x'])
      assert.equal(seen(text, { html: true, encoding }).shows, false, text);
    const base64 = Buffer.from(`${filler(500)}<img src=cid:one@x>`).toString('base64');
    assert.equal(seen(base64.replace(/.{7}/g, '$& \r\n'), { html: true, encoding: 'base64' }).shows, true);
    const utf16 = Buffer.from('<img src=cid:one@x>', 'utf16le').toString('base64');
    assert.equal(seen(utf16, { html: true, encoding: 'base64' }).shows, true);
  });
});
