/** Answers and forwarded messages as mail programs write them: `§` stands where the notice belongs. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { findHtmlPlace } from './html-place.ts';
import { findTextPlace } from './text-place.ts';

const folder = new URL('../../../test/fixtures/newest/', import.meta.url);
const mark = '§';

interface Sample {
  readonly title: string;
  /** What stands above the notice and below it. */
  readonly above: string;
  readonly below: string;
}

function samplesOf(file: string): Sample[] {
  const all = readFileSync(new URL(file, folder), 'utf8').split(/^### /m).slice(1);
  return all.map((sample) => {
    const [title = ''] = sample.split('\n', 1);
    const [above, below, ...more] = sample
      .slice(title.length + 1)
      .trimEnd()
      .split(mark);
    assert.ok(above !== undefined && below !== undefined && more.length === 0, `${file}: ${title}`);
    return { title, above, below };
  });
}

/** UTF-8 as the byte string that bodies are searched as. */
const octets = (text: string): string => Buffer.from(text).toString('latin1');
const words = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');

const plain = (text: string): string => text.replaceAll('\r\n', '\n').trim();

/** Words alone: before or after an element without words is the same place for a reader. */
const shown = (html: string): string =>
  html
    .replace(/<(style|head)\b.*?<\/\1>|<!--.*?-->|<[^>]*>/gs, ' ')
    .replace(/(?:\s|&nbsp;)+/g, ' ')
    .trim();

for (const file of readdirSync(folder)) {
  const isHtml = file.endsWith('.html');
  suite(file, () => {
    for (const { title, above, below } of samplesOf(file))
      test(title, () => {
        const text = octets((isHtml ? above + below : above + below.replace(/^\n/, '')).replaceAll('\n', '\r\n'));
        const at = isHtml
          ? findHtmlPlace(text, { position: 'newest', read: words })
          : findTextPlace(text, { flowed: false, position: 'newest', read: words }).at;
        assert.notEqual(at, undefined);
        const parts = [text.slice(0, at), text.slice(at)].map(words);
        assert.deepEqual(parts.map(isHtml ? shown : plain), [above, below].map(isHtml ? shown : plain));
      });
  });
}
