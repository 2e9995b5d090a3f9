import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { samplePdf } from './sample-pdf.ts';
import { samplePhoto } from './sample-photo.ts';

test('the cross-reference table of the sample PDF names the places of its objects', () => {
  const pdf = samplePdf('Title', { width: 960, height: 640 });
  assert.ok(pdf.length > 1.5 * 1024 * 1024);
  const text = pdf.toString('latin1');
  const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1]);
  assert.ok(text.startsWith('xref\n0 7\n', start));
  const offsets = [...text.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)].map((match) => Number(match[1]));
  assert.equal(offsets.length, 6);
  offsets.forEach((offset, index) => assert.ok(text.startsWith(`${index + 1} 0 obj\n`, offset)));
  assert.deepEqual(samplePdf('Title', { width: 960, height: 640 }), pdf);
});

test('the sample photo is a PNG of its size, over a megabyte', () => {
  const png = samplePhoto({ width: 1000, height: 700 });
  assert.ok(png.length > 1024 * 1024);
  assert.equal(png.readUInt32BE(16), 1000);
  assert.equal(png.readUInt32BE(20), 700);
  const size = png.readUInt32BE(33);
  assert.equal(png.toString('latin1', 37, 41), 'IDAT');
  assert.equal(inflateSync(png.subarray(41, 41 + size)).length, 700 * (1 + 3 * 1000));
  // The last four bytes are the CRC of "IEND", the same in every PNG there is.
  assert.equal(png.toString('hex', png.length - 4), 'ae426082');
});
