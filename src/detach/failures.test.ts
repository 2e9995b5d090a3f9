import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { suite, test } from 'node:test';
import { Failure, type FailureName } from '../smtp/failures.ts';
import type { FileContent } from '../storage/interface.ts';
import { MemoryStore } from '../storage/testing/memory-store.ts';
import { hashThread } from '../runtime/hashing/hash-thread.ts';
import { Lab, stream } from './testing/lab.ts';
import { base64, crlf } from './testing/messages.ts';

const withFile = (size: number): Buffer =>
  crlf(
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: application/pdf; name=x.pdf',
    'Content-Transfer-Encoding: base64',
    '',
    base64(randomBytes(size)),
    '--b--',
  );
const message = withFile(20_000);
const envelope = { reversePath: 'a@a.example', recipients: ['b@b.example'] };

const failsWith =
  (kind: FailureName) =>
  (error: unknown): boolean =>
    error instanceof Failure && error.kind === kind;

suite('storage that fails', () => {
  test('defers the message', async () => {
    const store = new MemoryStore();
    const lab = new Lab({ store });
    store.down = true;
    await assert.rejects(() => lab.detach(message), failsWith('storageFailed'));
    store.down = false;
    assert.equal((await lab.detach(message)).files.length, 1);
    await lab.close();
  });

  test('lets the message pass whole when so configured', async () => {
    const store = new MemoryStore();
    const lab = new Lab({ store, rules: { onStorageFailure: 'pass' } });
    store.down = true;
    assert.deepEqual(await lab.detach(message), { message, files: [] });
    await lab.close();
  });

  test('is not asked about mail without files', async () => {
    const store = new MemoryStore();
    store.down = true;
    const lab = new Lab({ store });
    const plain = crlf('Subject: x', '', 'text '.repeat(2000));
    assert.deepEqual(await lab.detach(plain), { message: plain, files: [] });
    await lab.close();
  });
});

test('a message whose file could not be hashed is deferred, and the next one is not', async () => {
  const store = new MemoryStore();
  const lab = new Lab({ store, rules: { onStorageFailure: 'pass' } });
  async function* stopped(): AsyncGenerator<Buffer> {
    const parts = [...slices(withFile(300_000))];
    yield* parts.slice(0, 3);
    await hashThread().stop();
    yield* parts.slice(3);
  }
  const incoming = await lab.detacher.receive(stopped(), { signal: new AbortController().signal });
  await assert.rejects(() => incoming.detach(envelope), failsWith('internal'));
  assert.equal((await lab.detach(message)).files.length, 1);
  assert.deepEqual(readdirSync(lab.directory), []);
  await lab.close();
});

suite('limits', () => {
  test('a full spool refuses the message, and is empty again', async () => {
    const lab = new Lab({ spoolBytes: 512 * 1024 });
    await assert.rejects(() => lab.detach([...slices(withFile(3_000_000))]), failsWith('spoolFull'));
    assert.equal((await lab.detach([...slices(withFile(300_000))])).files.length, 1);
    assert.deepEqual(readdirSync(lab.directory), []);
    await lab.close();
  });

  test('a header that does not end', async () => {
    const lab = new Lab();
    const endless = Array.from({ length: 100 }, () => Buffer.alloc(65536, 'X: y\r\n'));
    await assert.rejects(() => lab.detach(endless), failsWith('headerTooLarge'));
    await lab.close();
  });

  test('100,000 header fields pass', async () => {
    const lab = new Lab();
    const many = crlf(...Array.from({ length: 100_000 }, (_, i) => `X-${i}: y`), '', 'text');
    assert.deepEqual((await lab.detach([...slices(many)])).message, many);
    await lab.close();
  });
});

suite('messages at the edges', () => {
  const cases: Record<string, Buffer> = {
    nothing: Buffer.alloc(0),
    'an empty line': Buffer.from('\r\n'),
    'a header without a body': Buffer.from('Subject: x\r\n'),
    'a header that is cut': Buffer.from('Subject: x'),
    'an empty body': Buffer.from('Subject: x\r\n\r\n'),
    'no header': Buffer.from('\r\nbody\r\n'),
    'leading dots': Buffer.from('Subject: x\r\n\r\n.\r\n..\r\n'),
    'a line that is no field': Buffer.concat([Buffer.from('no field\r\n'), message]),
    'a large body without structure': Buffer.concat([Buffer.from('Subject: x\r\n\r\n'), Buffer.alloc(3_000_000, 'x')]),
  };
  for (const [title, bytes] of Object.entries(cases))
    test(title, async () => {
      const lab = new Lab();
      assert.deepEqual(await lab.detach(bytes), { message: bytes, files: [] });
      await lab.close();
    });
});

test('an upload is finished although the client is gone, and nothing is kept after it', async () => {
  let finish = (): void => undefined;
  let start = (): void => undefined;
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  class SlowStore extends MemoryStore {
    override async putFile(file: FileContent, signal: AbortSignal): Promise<'stored' | 'present'> {
      await new Promise<void>((resolve) => {
        finish = resolve;
        start();
      });
      assert.ok(!signal.aborted);
      return super.putFile(file, signal);
    }
  }
  const store = new SlowStore();
  const lab = new Lab({ store });
  const gone = new AbortController();
  const incoming = await lab.detacher.receive(stream([message]), { signal: gone.signal });
  const detached = incoming.detach(envelope);
  await started;
  gone.abort(new Failure('clientGone'));
  await assert.rejects(detached, failsWith('clientGone'));
  assert.equal(store.files.size, 0);
  finish();
  await lab.detacher.close();
  assert.equal(store.files.size, 1);
  assert.equal(store.links.size, 0);
  await lab.close();
});

test('the body can be read again, and another retry gives the same bytes', async () => {
  const lab = new Lab();
  const incoming = await lab.detacher.receive(stream([...slices(message)]), { signal: new AbortController().signal });
  const outgoing = await incoming.detach(envelope);
  const read = async (): Promise<Buffer> => {
    const blocks: Buffer[] = [outgoing.header];
    for await (const block of outgoing.body()) blocks.push(block);
    return Buffer.concat(blocks);
  };
  const first = await read();
  assert.deepEqual(await read(), first);
  assert.deepEqual((await lab.detach(message, envelope)).message, first);
  await outgoing.dispose();
  await lab.close();
});

test('a message that is discarded is read to its end', async () => {
  const lab = new Lab();
  let read = 0;
  async function* source(): AsyncGenerator<Buffer> {
    for (const slice of slices(message)) {
      read += slice.length;
      yield await Promise.resolve(slice);
    }
  }
  const incoming = await lab.detacher.receive(source(), { signal: new AbortController().signal });
  await incoming.discard();
  assert.equal(read, message.length);
  await lab.close();
});

function* slices(bytes: Buffer, size = 60_000): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
