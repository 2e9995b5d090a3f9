import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { Lab, oneByOne } from './testing/lab.ts';
import { cutAt, cuts, message } from './testing/messages.ts';

const lab = new Lab();
after(() => lab.close());

test('whatever comes in can be put back together, however it is cut', async () => {
  let detached = 0;
  await fc.assert(
    fc.asyncProperty(message, cuts, async (original, places) => {
      const out = await lab.detach(original);
      if (out.files.length === 0) assert.deepEqual(out.message, original);
      else {
        detached += 1;
        assert.deepEqual(await lab.restore(out.message), original);
      }
      assert.deepEqual(await lab.detach(cutAt(original, places)), out);
    }),
    { numRuns: 1000 },
  );
  assert.ok(detached > 60, `only ${detached} messages had something to detach`);
});

test('one byte at a time gives the same', async () => {
  await fc.assert(
    fc.asyncProperty(message, async (original) => {
      assert.deepEqual(await lab.detach([...oneByOne(original)]), await lab.detach(original));
    }),
    { numRuns: 60 },
  );
});
