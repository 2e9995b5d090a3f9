/** Messages around the sizes from which they are kept on a tape, and scanned: with rules as they are in use. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, suite, test } from 'node:test';
import type { Meter } from '../observe/interface.ts';
import { MemoryStore } from '../storage/testing/memory-store.ts';
import { Lab, silentMeter } from './testing/lab.ts';
import { cutAt, letterWithFile } from './testing/messages.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

const levels: number[] = [];
const meter: Meter = { ...silentMeter, spool: (bytes) => void levels.push(bytes) };
const store = new MemoryStore();
const lab = new Lab({ store, meter, rules: { minSize: mebibyte, exemptRecipients: ['exempt.example'] } });
after(() => lab.close());

/** As a socket gives it. */
const chunked = (message: Buffer, size = 64 * kibibyte): Buffer[] =>
  cutAt(
    message,
    Array.from({ length: Math.ceil(message.length / size) }, (_, i) => i * size),
  );

const withFile = (bytes: number): Buffer => letterWithFile(randomBytes(bytes), 'Message-ID: <long@a.example>');

suite('a message with nothing to detach goes on as it came', () => {
  for (const size of [64 * kibibyte, 300 * kibibyte, mebibyte, 3 * mebibyte]) {
    for (const more of [-1, 0, 1]) {
      const length = size + more;
      test(`of ${length} bytes`, async () => {
        const message = Buffer.alloc(length, 'From: a@a.example\r\n\r\n0123456789');
        const { message: passed, files } = await lab.detach(chunked(message));
        assert.deepEqual(files, []);
        assert.ok(passed.equals(message));
        assert.equal(levels.at(-1) ?? 0, 0, 'the spool is empty again');
      });
    }
  }

  test('with a file that is small enough to stay', async () => {
    const message = withFile(mebibyte - 1);
    assert.ok((await lab.detach(chunked(message))).message.equals(message));
    assert.equal(levels.at(-1), 0);
  });

  test('to somebody who is exempt', async () => {
    const message = withFile(3 * mebibyte);
    const { message: passed } = await lab.detach(chunked(message), {
      reversePath: 'sender@a.example',
      recipients: ['u@exempt.example'],
    });
    assert.ok(passed.equals(message));
    assert.equal(levels.at(-1), 0);
  });
});

for (const size of [1000, 64 * kibibyte, mebibyte, 8 * mebibyte])
  test(`a file is found in chunks of ${size} bytes, and comes back`, async () => {
    const message = withFile(2 * mebibyte);
    const { message: passed, files } = await lab.detach(chunked(message, size));
    assert.equal(files.length, 1);
    assert.ok(passed.length < 5000);
    assert.ok((await lab.restore(passed)).equals(message));
    assert.equal(levels.at(-1), 0);
  });

test('a client that goes away within the message leaves nothing in the spool', async () => {
  for (const after of [300 * kibibyte, 3 * mebibyte]) {
    async function* broken(): AsyncGenerator<Buffer> {
      yield* await Promise.resolve(chunked(withFile(4 * mebibyte).subarray(0, after)));
      throw new Error('gone');
    }
    const incoming = await lab.detacher.receive(broken(), { signal: new AbortController().signal });
    await assert.rejects(incoming.detach({ reversePath: '', recipients: ['u@b.example'] }), /gone/);
    assert.equal(levels.at(-1), 0);
  }
});

test('of what came over the wire nothing is held on to once it was read', async () => {
  const chunks = chunked(withFile(3 * mebibyte));
  const first = chunks[0]!;
  const results: { value: Buffer | undefined; done: boolean }[] = [];
  const source = {
    next: () => {
      const value = chunks.shift();
      const result = { value, done: value === undefined };
      results.push(result);
      return Promise.resolve(result);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  } as AsyncIterableIterator<Buffer>;
  const incoming = await lab.detacher.receive(source, { signal: new AbortController().signal });
  const outgoing = await incoming.detach({ reversePath: 'sender@a.example', recipients: ['u@b.example'] });
  assert.notEqual(incoming.header.raw.buffer, first.buffer, 'a header of its own');
  assert.ok(results.length > 40);
  assert.ok(results.every(({ value }) => value === undefined || value.length === 0));
  await outgoing.dispose();
});
