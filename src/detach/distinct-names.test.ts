import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { safeFileName } from '../message/file-name.ts';
import { shownNames } from '../links/notice/shown-names.ts';
import { distinctNames } from './distinct-names.ts';

function namesOf(given: readonly string[]): string[] {
  const named = given.map((disposition) => {
    const { name, isGiven, whole } = safeFileName({ disposition }, 'application/pdf');
    return { name, isNamed: isGiven, wholeName: whole };
  });
  return distinctNames(named).map(({ name }) => name);
}

test('names that differ in one character, wherever it stands, are different when they are shortened', () => {
  const letters = fc.constantFrom<string>('a', 'ü', '報', '😀', ' ', '-');
  const long = fc.array(letters, { minLength: 40, maxLength: 600 });
  fc.assert(
    fc.property(long, fc.nat(), fc.constantFrom('.pdf', '', '.tar.gz'), (stem, place, extension) => {
      const at = place % stem.length;
      const names = namesOf(['1', '2', '3'].map((digit) => stem.with(at, digit).join('') + extension));
      assert.equal(new Set(names).size, 3);
      const shown = shownNames(names);
      assert.equal(new Set(shown).size, 3);
      for (const [i, name] of names.entries()) {
        assert.ok(name.includes(String(i + 1)), `the differing part of ${name}`);
        assert.ok(shown[i]!.includes(String(i + 1)), `the differing part of ${shown[i]}`);
        assert.ok(name.endsWith(/\.\w+$/.exec(extension)?.[0] ?? ''));
        assert.ok(Buffer.byteLength(name) <= 150);
        assert.equal(safeFileName({ disposition: name }, 'application/pdf').name, name);
      }
    }),
    { numRuns: 300, seed: 16 },
  );
});

test('equal names stay as the sender wrote them, and unnamed files are numbered', () => {
  assert.deepEqual(namesOf(['a.pdf', 'a.pdf', '', '.pdf', ' ']), [
    'a.pdf',
    'a.pdf',
    'attachment.pdf',
    'attachment-2.pdf',
    'attachment-3.pdf',
  ]);
});

test('names too long to be read, which may differ in what is left out, are numbered', () => {
  const long = [1, 2, 3].map((number) => `${'a'.repeat(1500)}${number}${'b'.repeat(1500)}.pdf`);
  const names = namesOf([...long, 'a.pdf', 'a.pdf']);
  const short = `${'a'.repeat(96)}...${'b'.repeat(47)}`;
  assert.deepEqual(names, [`${short}.pdf`, `${short}-2.pdf`, `${short}-3.pdf`, 'a.pdf', 'a.pdf']);
});
