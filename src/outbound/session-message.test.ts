import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Failure } from '../smtp/failures.ts';
import { describeReply } from '../smtp/reply.ts';
import { Channel } from './channel.ts';
import type { Session } from './interface.ts';
import { ChannelSession } from './session.ts';
import { fails } from './testing/fails.ts';
import { play } from './testing/play.ts';
import { stage } from './testing/stage.ts';
import { allSaid, delivered, envelope, from, hello, text, to, toMessage, untilData } from './testing/transaction.ts';
import { defaultTimeouts } from './timeouts.ts';

const opened = hello('PIPELINING');

test('a message in thousands of pieces, sync and async, arrives whole', async (t) => {
  const lines = Array.from({ length: 20_000 }, (_, i) => Buffer.from(`${'.'.repeat(i % 3)}line ${i}\r\n`));
  const large = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(200));
  const whole = Buffer.concat([...lines, large, large]).toString('latin1');
  async function* slowly(): AsyncGenerator<Buffer> {
    for (const [i, line] of lines.entries()) {
      if (i % 5000 === 0) await nextTurn();
      yield line;
    }
    yield large;
    yield Buffer.alloc(0);
    yield large;
  }
  for (const message of [[...lines, large, large], slowly()]) {
    await play(t, opened + delivered, async (session, peer) => {
      await toMessage(session);
      await session.write(message);
      await session.finish();
      const arrived = `\r\n${peer.messages[0]}`.replaceAll('\r\n..', '\r\n.').slice(2);
      assert.ok(arrived === whole, 'not what was sent');
    });
  }
});

test('an empty message, and one in several writes', async (t) => {
  await play(t, opened + delivered + delivered, async (session, peer) => {
    await toMessage(session);
    await session.write([]);
    await session.finish();
    await toMessage(session);
    await session.write([Buffer.from('a\r\n')]);
    await session.write([Buffer.from('.b')]);
    await session.finish();
    assert.deepEqual(peer.messages, ['', 'a\r\n..b\r\n']);
  });
});

test('DATA: refused, or answered with what is no answer to it', async (t) => {
  await play(t, `${opened}${envelope}\nC: DATA\nS: 451 4.3.0 later\nC: RSET\nS: 250 Ok`, async (session) => {
    await session.mail(from);
    await session.rcpt(to('b'));
    assert.equal(describeReply(await session.data()), '451 4.3.0 later');
    assert.equal((await session.rset()).code, 250);
  });
  await play(t, `${opened}${envelope}\nC: DATA\nS: 250 fine\ngone`, async (session) => {
    await session.mail(from);
    await session.rcpt(to('b'));
    await assert.rejects(session.data(), fails('nextHopProtocol', /answered DATA with 250 fine/));
  });
});

/** More than the kernel's buffers between us take. */
function* endless(): Generator<Buffer> {
  const block = Buffer.alloc(65536, `${'x'.repeat(62)}\r\n`);
  for (let i = 0; i < 4096; i++) yield block;
}

for (const reply of ['552 5.3.4 too big', '451 4.3.0 disk full', '421 4.3.2 going down']) {
  for (const ending of ['close', 'drain']) {
    test(`in the middle of the message: ${reply}, then ${ending}`, async (t) => {
      await play(t, `${opened}${untilData}\ntake: 1000\nS: ${reply}\n${ending}`, async (session) => {
        await toMessage(session);
        await session.write(endless());
        assert.deepEqual(allSaid(await session.finish()), [reply]);
        assert.equal(session.alive, false);
      });
    });
  }
}

test('250 before the dot is no delivery', async (t) => {
  await play(t, `${opened}${envelope}\nC: DATA\nraw: "354 go\\r\\n250 Ok\\r\\n"\ngone`, async (session) => {
    await toMessage(session);
    const outcome = session.write([text]).then(() => session.finish());
    await assert.rejects(outcome, fails('nextHopProtocol', /unsolicited reply: 250 Ok/));
  });
});

test('in the middle of the message: closed without a word', async (t) => {
  await play(t, `${opened}${untilData}\ntake: 1000\nclose`, async (session) => {
    await toMessage(session);
    await assert.rejects(session.write(endless()), fails('nextHopLost', /in the message/));
    await assert.rejects(session.finish(), fails('internal', /cut/));
  });
});

test('in the middle of the message: nothing is taken any more', async (t) => {
  const { acquire, hop } = await stage(t, [`${opened}${untilData}\nstall`], { timeouts: { block: 100 } });
  const session = await acquire();
  await toMessage(session);
  await assert.rejects(session.write(endless()), fails('nextHopTimeout', /100 ms to a block of the message/));
  session.release();
  await hop.close();
});

for (const [ending, outcome] of [
  ['S: 250 2.0.0 queued', '250 2.0.0 queued'],
  ['S: 550 5.7.1 spam', '550 5.7.1 spam'],
  ['S: 421 4.3.2 bye\ngone', '421 4.3.2 bye'],
] as const) {
  test(`after the dot: ${ending}`, async (t) => {
    await play(t, `${opened}${untilData}\nC.\n${ending}`, async (session) => {
      await toMessage(session);
      await session.write([text]);
      assert.deepEqual(allSaid(await session.finish()), [outcome]);
    });
  });
}

for (const [ending, kind, reason] of [
  ['close', 'nextHopLost', /closed while waiting for the reply to the final dot/],
  ['gone', 'nextHopTimeout', /no reply within 50 ms to the final dot/],
  ['S: 354 more?\ngone', 'nextHopProtocol', /answered the final dot with 354/],
] as const) {
  test(`after the dot: ${ending} is a failure`, async (t) => {
    const client = async (session: Session): Promise<void> => {
      await toMessage(session);
      await session.write([text]);
      await assert.rejects(session.finish(), fails(kind, reason));
    };
    await play(t, `${opened}${untilData}\nC.\n${ending}`, client, { timeouts: { finalDot: 50 } });
  });
}

test('a source that fails never gets its dot', async (t) => {
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('half a message\r\n');
    throw new Failure('spoolFull');
  }
  await play(t, `${opened}${untilData}\ngone`, async (session) => {
    await toMessage(session);
    await assert.rejects(session.write(broken()), fails('spoolFull', /storage/));
    assert.equal(session.alive, false);
    await assert.rejects(session.finish(), fails('internal', /cut/));
  });
});

test('a source is closed when the next hop gives up', async (t) => {
  let closed = false;
  async function* source(): AsyncGenerator<Buffer> {
    try {
      for (const block of endless()) {
        yield block;
        await nextTurn();
      }
    } finally {
      closed = true;
    }
  }
  await play(t, `${opened}${untilData}\ntake: 1000\nS: 452 4.3.1 full\ndrain`, async (session) => {
    await toMessage(session);
    await session.write(source());
    assert.equal(closed, true);
    assert.deepEqual(allSaid(await session.finish()), ['452 4.3.1 full']);
  });
});

/** Takes commands and never a block of a message. */
class Stalled extends Duplex {
  override _read(): void {
    // What it says is pushed.
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    if (chunk.length < 1000) taken();
  }
}

/** A session in DATA with a next hop that reads no more: where the kernel would stop taking bytes is chance. */
async function stalled(): Promise<{ session: Session; say: (line: string) => void }> {
  const socket = new Stalled({ writableHighWaterMark: 16_384 });
  const say = (line: string): void => void socket.push(`${line}\r\n`);
  const options = { peer: 'b', extensions: new Map(), protocol: 'smtp', timeouts: defaultTimeouts } as const;
  const channel = new Channel(socket as unknown as Socket, options);
  const session = new ChannelSession(channel, { reused: false, giveBack: () => undefined });
  const data = session.data();
  say('354 go');
  await data;
  await session.write([Buffer.alloc(60_000, 'x')]);
  return { session, say };
}

test('an answer while the final dot is still here: a refusal stands, an acceptance is not believed', async () => {
  const refusing = await stalled();
  const refusal = refusing.session.finish();
  refusing.say('552 5.3.4 too big');
  assert.deepEqual(allSaid(await refusal), ['552 5.3.4 too big']);
  assert.equal(refusing.session.alive, false);

  const accepting = await stalled();
  const acceptance = accepting.session.finish();
  accepting.say('250 2.0.0 taken');
  await assert.rejects(acceptance, fails('nextHopProtocol', /before its final dot/));
});
