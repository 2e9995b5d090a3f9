/** Mail as a program in everyday use composes it, in many combinations, with `mailparser` as the judge. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { simpleParser, type ParsedMail } from 'mailparser';
import nodemailer from 'nodemailer';
import { randomNumbers } from '../../test/fuzz/random.ts';
import { MemoryStore } from '../storage/testing/memory-store.ts';
import { Lab } from './testing/lab.ts';

const lab = new Lab({ store: new MemoryStore() });
after(() => lab.close());

const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
const random = randomNumbers(20_261_122);
const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
const oneIn = (count: number): boolean => random(count) === 0;

const names = [
  'a.pdf',
  'Übersicht 2026.pdf',
  `${'日本語'.repeat(12)}.pdf`,
  `${'x'.repeat(120)}.zip`,
  '😀 "b".png',
  undefined,
];
const texts = ['Hi', 'Grüße aus Köln\n\n-- \nMe\n', 'x'.repeat(2000), '日本語\n'.repeat(50), ''];

async function compose(): Promise<{ readonly message: Buffer; readonly images: readonly string[] }> {
  const images: string[] = [];
  const attachments = Array.from({ length: random(5) }, (_, i) => {
    const image = oneIn(3) ? { cid: `image${i}@x.example`, contentType: 'image/png' } : {};
    if (image.cid !== undefined) images.push(image.cid);
    const filename = pick(names);
    return {
      ...(filename === undefined ? {} : { filename }),
      ...image,
      content: randomBytes(100 + random(20_000)),
      contentTransferEncoding: pick(['base64', 'base64', 'quoted-printable'] as const),
    };
  });
  const html = `<html><body><p>Grüße</p>${images.map((id) => `<img src="cid:${id}">`).join('')}</body></html>`;
  const { message } = await transport.sendMail({
    from: 'A <a@a.example>',
    to: 'b@b.example',
    subject: 'Grüße',
    attachments,
    ...(oneIn(5) ? {} : { text: pick(texts) }),
    ...(images.length === 0 && oneIn(3) ? {} : { html }),
    ...(oneIn(5) ? { icalEvent: { method: 'REQUEST', content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR' } } : {}),
    ...(oneIn(8) ? { amp: '<!doctype html><html ⚡4email></html>' } : {}),
    textEncoding: pick(['base64', 'quoted-printable'] as const),
  });
  assert.ok(Buffer.isBuffer(message));
  return { message, images };
}

const hashes = (mail: ParsedMail): string[] =>
  mail.attachments.map(({ content }) => createHash('sha256').update(content).digest('hex'));

test('whoever reads the message sees its words, its pictures and a link for each file', async () => {
  let files = 0;
  for (let i = 0; i < 150; i++) {
    const { message, images } = await compose();
    const out = await lab.detach(message);
    const which = `message ${i}:\n${message.toString('latin1').slice(0, 2000)}`;
    files += out.files.length;
    assert.deepEqual(out.files.length === 0 ? out.message : await lab.restore(out.message), message);
    const [was, is] = [await simpleParser(message), await simpleParser(out.message)];
    const found = [...hashes(is), ...out.files.map(({ sha256 }) => sha256)];
    assert.deepEqual(hashes(was).sort(), found.sort(), which);
    const kept = is.attachments.map(({ cid }) => cid);
    for (const image of images) assert.ok(kept.includes(image), `${image} is gone, ${which}`);
    const seen = `${is.text ?? ''} ${is.html === false ? '' : is.html}`;
    const links = new Set(seen.match(/https:\/\/files\.example\/[\w-]{22}/g));
    // More than one file have a page together.
    assert.equal(links.size, out.files.length + (out.files.length > 1 ? 1 : 0), which);
    const words = (mail: ParsedMail): string => (mail.text ?? '').replace(/\s+/g, ' ').trim();
    assert.ok(words(is).startsWith(words(was).replace(/ ?-- .*$/, '')), which);
  }
  assert.ok(files > 100, `${files} files`);
});
