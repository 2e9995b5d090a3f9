import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findHtmlPlace } from './html-place.ts';
import { maxMarkup } from './html-scan.ts';
import { maxLines } from './newest-text.ts';
import { SearchBudget } from './search-budget.ts';
import { findTextPlace } from './text-place.ts';

const read = (text: string): string => text;
const inHtml = (text: string, budget = new SearchBudget()): number | undefined =>
  findHtmlPlace(text, { position: 'newest', read, budget });
const inText = (text: string, budget = new SearchBudget()): number =>
  findTextPlace(text, { flowed: false, position: 'newest', read, budget }).at;

const oldHtml = '<div id="divRplyFwdMsg">old</div>';
const oldText = '> old\r\n';

suite('a text is read up to a limit', () => {
  test('HTML: what stands below the limit does not matter where the newest text ends above', () => {
    const tags = '<b></b>'.repeat(maxMarkup);
    assert.equal(inHtml(`new${oldHtml}${tags}`), 3);
    assert.equal(inHtml(`new${tags}${oldHtml}`), undefined, 'it goes on beyond the limit');
    const most = `${'<b></b>'.repeat(maxMarkup / 2 - 1)}new`;
    assert.equal(inHtml(most), most.length);
  });

  test('HTML of many lines: the newest text ends among the first of them or at the end', () => {
    const lines = 'a<br>'.repeat(maxLines + 10);
    assert.equal(inHtml(`new${oldHtml}${lines}`), 3);
    assert.equal(inHtml(`${lines}${oldHtml}</body>`), lines.length + oldHtml.length);
    const preformatted = `<pre>${'a\n'.repeat(maxLines + 10)}`;
    assert.equal(inHtml(`${preformatted}${oldHtml}`), preformatted.length + oldHtml.length);
  });

  test('plain text: as HTML', () => {
    const lines = 'a\r\n'.repeat(maxLines + 10);
    assert.equal(inText(`new\r\n${oldText}${lines}`), lines.length + 12);
    assert.equal(inText(`new\r\n-----Original Message-----\r\n${lines}`), 5);
    assert.equal(inText(lines + oldText), lines.length + oldText.length);
  });
});

test('the texts of one message share a limit, and the last ones may have nothing left', () => {
  const budget = new SearchBudget();
  const long = `new${oldHtml}${'a<br>'.repeat(20_000)}`;
  const places = Array.from({ length: 6 }, () => inHtml(long, budget));
  assert.equal(places[0], 3);
  assert.equal(places.at(-1), undefined);
  assert.equal(inText(`new\r\n${oldText}`, budget), 5 + oldText.length, 'at the end');
});
