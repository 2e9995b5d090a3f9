import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Lab, oneByOne } from './lab.ts';

/** Whole messages by title, and the names of the files that leave them; none unless said. */
export type Cases = Readonly<Record<string, readonly [original: Buffer, detached?: readonly string[]]>>;

/** A test for each: what leaves it, that it is restored exactly, and that it does not matter how it is cut on its way. */
export function checkCases(lab: Lab, cases: Cases): void {
  for (const [title, [original, expected = []]] of Object.entries(cases))
    test(title, async () => {
      const { message: out, files } = await lab.detach(original);
      assert.deepEqual(
        files.map(({ name }) => name),
        expected,
      );
      assert.deepEqual(files.length > 0 ? await lab.restore(out) : out, original);
      assert.deepEqual((await lab.detach([...oneByOne(original)])).message, out, 'one byte at a time');
    });
}
