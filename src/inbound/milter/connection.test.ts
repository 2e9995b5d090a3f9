import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { startMilterServer } from './server.ts';
import { accepted, atOnce, endlessRoom, failedReply, readAll, start } from './testing/harness.ts';
import { describe, everything, hello, MailServer, say } from './testing/mail-server.ts';
import { envelope, message, shown } from './testing/sample-message.ts';

suite('a message', () => {
  for (const cut of [undefined, 1, 2, 3, 5, 64])
    test(`is shown as it came, bytes ${cut === undefined ? 'together' : `by ${cut}`}`, async (t) => {
      const { open, seen, events } = await start(t);
      const peer = open();
      await peer.write(Buffer.concat([hello, message]), cut);
      assert.deepEqual(await peer.verdict(), ['O 6 19 1cf380', 'c']);
      assert.deepEqual(seen, [shown]);
      await peer.write(say.quit());
      assert.equal(await peer.packet(), undefined);
      assert.deepEqual(events, []);
    });

  test('several on one connection; ABORT and QUIT_NC forget what was begun', async (t) => {
    const { open, seen } = await start(t);
    const peer = open();
    await peer.write(hello);
    await peer.packet();
    for (const between of [say.abort(), Buffer.concat([envelope, say.abort()]), Buffer.alloc(0)]) {
      await peer.write(Buffer.concat([between, message]));
      assert.deepEqual(await peer.verdict(), ['c']);
    }
    await peer.write(Buffer.concat([envelope, say.header('A', ' b'), say.endOfHeader(), say.body('x'), say.abort()]));
    await peer.write(
      Buffer.concat([say.quitNewConnection(), say.connect('other', '192.0.2.8', 1), say.helo('o'), message]),
    );
    assert.deepEqual(await peer.verdict(), ['c']);
    assert.deepEqual(seen, [shown, shown, shown, { ...shown, client: 'other 192.0.2.8:1 o' }]);
    peer.close();
  });

  test('ABORT within the body, to a filter that rejects with an error of its own', async (t) => {
    const server = await startMilterServer({
      listen: { host: '127.0.0.1', port: 0 },
      macros: [],
      maxHeaderBytes: 1000,
      maxHeaderFields: 1000,
      openRoom: () => endlessRoom,
      enter: () => ({ kind: 'admitted', leave: () => undefined }),
      trusts: () => true,
      replyWithinMs: 60_000,
      progressEveryMs: 60_000,
      report: () => undefined,
      filter: {
        failed: failedReply,
        refused: (_envelope, error) => failedReply(error),
        message: async ({ body }) => {
          await readAll(body).catch(() => Promise.reject(new Error('the message did not come to its end')));
          return accepted;
        },
      },
    });
    t.after(() => server.close(atOnce));
    const peer = new MailServer(server.port);
    await peer.write(hello);
    await peer.packet();
    await peer.write(Buffer.concat([envelope, say.endOfHeader(), say.body('x'), say.abort(), message]));
    assert.deepEqual(await peer.verdict(), ['c']);
    peer.close();
  });

  test('a server that takes the first blank and waits for each answer', async (t) => {
    const { open, seen } = await start(t);
    const peer = open();
    await peer.write(say.negotiate({ ...everything, version: 4, steps: 0 }));
    assert.equal(describe((await peer.packet())!), 'O 4 19 0');
    const commands = [
      say.connect('h', '192.0.2.1', 1),
      say.helo('h'),
      say.mail('<>'),
      say.rcpt('<b@example.org>'),
      say.raw('T'),
      say.header('Subject', 'x'),
      say.endOfHeader(),
      say.body('text\r\n'),
      say.endOfMessage(),
    ];
    for (const command of commands) {
      await peer.write(command);
      assert.deepEqual(await peer.verdict(), ['c']);
    }
    assert.equal(seen[0]?.header, 'Subject: x\r\n');
    peer.close();
  });
});

suite('the verdict', () => {
  test('changes of the header, a body in chunks of 65,535, and then the last word', async (t) => {
    const { open } = await start(t, () => ({
      verdict: {
        kind: 'accept',
        headerChanges: [
          { kind: 'insert', index: 0, name: 'X-A', value: ' one\n\ttwo' },
          { kind: 'change', index: 2, name: 'Content-Type', value: '' },
        ],
        body: [Buffer.alloc(65_000, 'x'), Buffer.alloc(1000, 'y')],
      },
    }));
    const peer = open();
    await peer.write(Buffer.concat([hello, message]));
    const [, insert, change, first, second, last] = await peer.verdict();
    assert.equal(insert, 'i 0 "X-A\\u0000 one\\n\\ttwo\\u0000"');
    assert.equal(change, 'm 2 "Content-Type\\u0000\\u0000"');
    assert.equal(first, `b ${JSON.stringify('x'.repeat(65_000) + 'y'.repeat(535))}`);
    assert.equal(second, `b ${JSON.stringify('y'.repeat(465))}`);
    assert.equal(last, 'c');
    peer.close();
  });

  test('taken back while it is being said: nothing of it comes with the next message', async (t) => {
    let messages = 0;
    const { open } = await start(t, ({ signal }) => {
      messages += 1;
      async function* body(): AsyncGenerator<Buffer, void, undefined> {
        yield Buffer.from('half of it');
        if (messages > 1) return;
        begun();
        await once(signal, 'abort');
      }
      const inserted = { kind: 'insert', index: 0, name: 'X-A', value: ` ${messages}` } as const;
      return { verdict: { kind: 'accept', headerChanges: [inserted], body: body() } };
    });
    let begun = (): void => undefined;
    const saying = new Promise<void>((resolve) => (begun = resolve));
    const peer = open();
    await peer.write(Buffer.concat([hello, message]));
    await peer.packet();
    await saying;
    await peer.write(Buffer.concat([say.abort(), message]));
    assert.deepEqual(await peer.verdict(), ['i 0 "X-A\\u0000 2\\u0000"', 'b "half of it"', 'c']);
    peer.close();
  });

  test('a new body without bytes is still a new body', async (t) => {
    const { open } = await start(t, () => ({ verdict: { kind: 'accept', headerChanges: [], body: [] } }));
    const peer = open();
    await peer.write(Buffer.concat([hello, message]));
    assert.deepEqual((await peer.verdict()).slice(1), ['b', 'c']);
    peer.close();
  });

  test('a refusal of several lines, its percent signs doubled', async (t) => {
    const reply = { code: 550, lines: ['5.7.1 100% no', '5.7.1 never'] };
    const { open } = await start(t, () => ({ verdict: { kind: 'refuse', reply } }));
    const peer = open();
    await peer.write(Buffer.concat([hello, message]));
    assert.deepEqual((await peer.verdict()).slice(1), ['y "550-5.7.1 100%% no\\r\\n550 5.7.1 never\\u0000"']);
    peer.close();
  });

  test('what the filter throws is a refusal, and the next message is none of it', async (t) => {
    let failing = true;
    const { open } = await start(t, () => {
      if (!failing) return accepted;
      failing = false;
      throw new RangeError('path/of/a/file');
    });
    const peer = open();
    await peer.write(Buffer.concat([hello, message]));
    assert.deepEqual((await peer.verdict()).slice(1), ['y "451 4.3.0 RangeError\\u0000"']);
    await peer.write(message);
    assert.deepEqual(await peer.verdict(), ['c']);
    peer.close();
  });

  test('a body that fails half-way ends with a refusal, which undoes it', async (t) => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.alloc(70_000));
      throw new RangeError('disk');
    }
    const done: boolean[] = [];
    const { open } = await start(t, () => ({
      verdict: { kind: 'accept', headerChanges: [], body: broken() },
      done: (written) => Promise.resolve(void done.push(written)),
    }));
    const peer = open();
    await peer.write(Buffer.concat([hello, message]));
    assert.equal((await peer.verdict()).at(-1), 'y "451 4.3.0 RangeError\\u0000"');
    assert.deepEqual(done, [false]);
    peer.close();
  });

  test('progress is told while it is being found', async (t) => {
    const { open } = await start(t, () => new Promise((resolve) => setTimeout(() => resolve(accepted), 200)), {
      progressEveryMs: 10,
    });
    const peer = open();
    await peer.write(Buffer.concat([hello, message]));
    const said = await peer.verdict();
    assert.ok(said.filter((packet) => packet === 'p').length >= 2, said.join());
    assert.equal(said.at(-1), 'c');
    peer.close();
  });

  test('too late is a refusal; what the filter says then is unheard', async (t) => {
    const done: boolean[] = [];
    let late: () => void = () => undefined;
    const { open } = await start(
      t,
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => setImmediate(late), { once: true });
          late = () => resolve({ ...accepted, done: (written) => Promise.resolve(void done.push(written)) });
        }),
      { replyWithinMs: 50 },
    );
    const peer = open();
    await peer.write(Buffer.concat([hello, message]));
    assert.equal((await peer.verdict()).at(-1), 'y "451 4.3.0 MilterTimeout\\u0000"');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(done, [false]);
    peer.close();
  });

  test('a server that leaves without waiting is seen at once', async (t) => {
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    let gone: () => void = () => undefined;
    const isGone = new Promise<void>((resolve) => (gone = resolve));
    const { open } = await start(
      t,
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            gone();
            resolve(accepted);
          });
          asked();
        }),
    );
    const peer = open();
    await peer.write(Buffer.concat([hello, message]));
    await isAsked;
    peer.close();
    await isGone;
  });

  test('a body is read no faster than the server takes it', async (t) => {
    let taken = 0;
    function* endless(): Generator<Buffer> {
      for (; taken < 1000; taken++) yield Buffer.alloc(65_535);
    }
    const { open } = await start(t, () => ({ verdict: { kind: 'accept', headerChanges: [], body: endless() } }));
    const peer = open();
    peer.socket.pause();
    await peer.write(Buffer.concat([hello, message]));
    let before = -1;
    while (before !== taken || taken === 0) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(taken < 500, `${taken} chunks are in flight`);
    let last = await peer.packet();
    while (last?.letter === 'b' || last?.letter === 'O') last = await peer.packet();
    assert.equal(last?.letter, 'c');
    assert.equal(taken, 1000);
    peer.close();
  });
});
