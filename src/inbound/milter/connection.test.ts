import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { startMilterServer } from './server.ts';
import { accepted, atOnce, endlessRoom, failedReply, readAll, start } from './testing/harness.ts';
import { describe, everything, hello, MailServer, say } from './testing/mail-server.ts';

const envelope = Buffer.concat([
  say.macros('M', { i: 'QUEUE1', '{auth_type}': 'PLAIN' }),
  say.mail('<a@example.com>', 'SIZE=100', 'BODY=8BITMIME'),
  say.rcpt('<b@example.org>', 'NOTIFY=NEVER'),
  say.rcpt('<c@example.org>'),
]);

const message = Buffer.concat([
  envelope,
  say.header('From', ' a@example.com'),
  say.header('Subject', '   three blanks\n\tand a fold'),
  say.header('X-Raw', '\xe9 8-bit'),
  say.header('Empty', ''),
  say.endOfHeader(),
  say.body('first line\r\n'),
  say.endOfMessage('no line end'),
]);

const shown = {
  header: 'From: a@example.com\r\nSubject:   three blanks\r\n\tand a fold\r\nX-Raw:\xe9 8-bit\r\nEmpty:\r\n',
  body: 'first line\r\nno line end',
  mail: '<a@example.com> SIZE=100 BODY=8BITMIME',
  rcpt: ['<b@example.org> NOTIFY=NEVER', '<c@example.org>'],
  macros: { i: 'QUEUE1' },
  client: 'mx.example 192.0.2.7:4711 client.example',
};

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

suite('what is not read', () => {
  test('a filter that answers without reading: the rest is thrown away, and the next message is whole', async (t) => {
    const shownNext: string[] = [];
    let first = true;
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
        async message({ body }) {
          if (!first) shownNext.push(await readAll(body));
          first = false;
          return accepted;
        },
      },
    });
    t.after(() => server.close(atOnce));
    const peer = new MailServer(server.port);
    await peer.write(Buffer.concat([hello, message, message]));
    assert.deepEqual((await peer.verdict()).slice(1), ['c']);
    assert.deepEqual(await peer.verdict(), ['c']);
    assert.deepEqual(shownNext, [shown.body]);
    peer.close();
  });

  test('a header over the limit: refused at the end, the filter is not asked', async (t) => {
    const { open, seen } = await start(t, undefined, { maxHeaderBytes: 120 });
    const peer = open();
    await peer.write(Buffer.concat([hello, message]));
    assert.deepEqual((await peer.verdict()).slice(1), ['c']);
    await peer.write(
      Buffer.concat([envelope, say.header('A', 'x'.repeat(121)), say.endOfHeader(), say.endOfMessage()]),
    );
    assert.deepEqual(await peer.verdict(), ['y "451 4.3.0 MilterLimitError\\u0000"']);
    assert.equal(seen.length, 1);
    peer.close();
  });

  test('half a million fields of two bytes are one buffer, not objects', async (t) => {
    const { open, seen } = await start(t, undefined, { maxHeaderBytes: 4_000_000 });
    const peer = open();
    const before = process.memoryUsage().heapUsed;
    const field = say.header('a', '');
    const many = Buffer.concat(new Array<Buffer>(521_000).fill(field));
    await peer.write(Buffer.concat([hello, envelope, many, say.endOfHeader(), say.endOfMessage()]));
    assert.equal((await peer.verdict()).at(-1), 'c');
    assert.equal(seen[0]?.header.length, 521_000 * 4);
    assert.ok(process.memoryUsage().heapUsed - before < 64 * 1024 * 1024);
    peer.close();
  });

  test('recipients over a limit: the filter is shown the first ones, their number, and why', async (t) => {
    const crowds: unknown[] = [];
    const { open } = await start(t, ({ crowd, recipients }) => {
      crowds.push(crowd && { ...crowd, kept: recipients.length });
      return accepted;
    });
    const reason = 'more than 8000 recipients or 2097152 bytes of envelope';
    const peer = open();
    await peer.write(hello);
    await peer.packet();
    for (const [count, length] of [
      [8000, 10],
      [100_000, 10],
      [3000, 1000],
    ] as const) {
      const many = Buffer.concat(new Array<Buffer>(count).fill(say.rcpt(`<${'b'.repeat(length)}@example.org>`)));
      await peer.write(Buffer.concat([say.mail('<>'), many, say.endOfHeader(), say.endOfMessage('x')]));
      assert.deepEqual(await peer.verdict(), ['c']);
    }
    assert.deepEqual(crowds, [
      undefined,
      { recipientCount: 100_000, reason, kept: 8000 },
      { recipientCount: 3000, reason, kept: 2067 },
    ]);
    peer.close();
  });

  test('commands that bring no message further end the connection; those of messages may be any number', async (t) => {
    const { open, events, seen } = await start(t);
    const packetOfBody = say.body('x'.repeat(8000));
    const short = Buffer.concat([
      say.macros('M', { i: '1' }),
      say.mail('<>'),
      ...Array.from({ length: 2000 }, () => [say.macros('R', {}), say.rcpt('<b@example.org>')]).flat(),
      ...new Array<Buffer>(2000).fill(say.header('A', ' b')),
      ...Array.from({ length: 2000 }, () => [say.macros('L', {}), say.header('A', ' b')]).flat(),
      say.endOfHeader(),
      ...new Array<Buffer>(2000).fill(say.body('x')),
      // Postfix says these before each packet of a body.
      ...Array.from({ length: 2000 }, () => [say.macros('B', { i: '1' }), packetOfBody]).flat(),
      say.endOfMessage(),
    ]);
    const takenBack = Buffer.concat([say.macros('M', { i: '1' }), say.mail('<>'), say.abort()]);
    const peer = open();
    await peer.write(hello);
    await peer.packet();
    // As much as Postfix lets a client do between two messages: smtpd_junk_command_limit, smtpd_hard_error_limit.
    for (let round = 0; round < 3; round++) {
      await peer.write(Buffer.concat([...new Array<Buffer>(200).fill(takenBack), short]));
      assert.equal((await peer.verdict()).at(-1), 'c');
    }
    assert.equal(seen.length, 3);
    peer.close();
    const floods = [
      ['negotiate', say.negotiate()],
      ['abort', say.abort()],
      ['mail', say.mail('a')],
      ['macros', say.macros('M', {})],
      ['rcpt and mail', Buffer.concat([say.mail('a'), say.rcpt('b')])],
      ['connect', say.connect('', '192.0.2.1', 1)],
      ['helo', say.helo('')],
      ['unknown', say.raw('U')],
      ['new connection', say.quitNewConnection()],
      ['messages taken back', Buffer.concat([say.mail('a'), say.endOfHeader(), say.abort()])],
    ] as const;
    for (const [what, command] of floods) {
      events.length = 0;
      const other = open();
      await other.write(Buffer.concat([hello, ...new Array<Buffer>(1001).fill(command)]));
      while (await other.packet());
      assert.match(JSON.stringify(events), /more than 1000 commands without a message/, what);
    }
  });

  test('answers that a server wants are as many as its commands, with each in one write or cut', async (t) => {
    for (const cut of [undefined, 1, 7]) {
      const { open } = await start(t);
      const peer = open();
      await peer.write(say.negotiate({ ...everything, steps: 0 }));
      await peer.packet();
      const all = [
        ...[say.connect('mx', '192.0.2.1', 1), say.helo('mx'), say.mail('<>'), say.rcpt('b'), say.rcpt('b')],
        ...[say.header('A', 'b'), say.header('A', 'b'), say.endOfHeader()],
        ...[say.body('a'), say.body('b'), say.body('c'), say.endOfMessage()],
      ];
      await peer.write(Buffer.concat(all), cut);
      let answers = 0;
      for (; answers < all.length; answers++) assert.equal((await peer.packet())?.letter, 'c');
      await peer.write(say.quit());
      for (let packet = await peer.packet(); packet; packet = await peer.packet()) answers += 1;
      assert.equal(answers, all.length, `cut by ${cut}`);
    }
  });
});
