/** What a filter does not read, and how much a mail server may say. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startMilterServer } from './server.ts';
import { accepted, atOnce, endlessRoom, failedReply, readAll, start } from './testing/harness.ts';
import { everything, hello, MailServer, say } from './testing/mail-server.ts';
import { envelope, message, shown } from './testing/sample-message.ts';

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
