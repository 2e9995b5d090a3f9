import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Failure, type FailureName } from '../smtp/failures.ts';
import { describeReply, type Reply } from '../smtp/reply.ts';
import { Channel } from './channel.ts';
import type { Session } from './interface.ts';
import { createNextHop } from './next-hop.ts';
import { ChannelSession } from './session.ts';
import { loopback, nextHopOptions, type Overrides } from './testing/options.ts';
import { ScriptedPeer } from './testing/scripted-peer.ts';
import { defaultTimeouts } from './timeouts.ts';

const hello = `
  S: 220 b.example ESMTP
  C: EHLO relay.example
  S: 250-b.example at your service
  S: 250-PIPELINING
  S: 250-XFORWARD NAME ADDR PROTO HELO
  S: 250 8BITMIME`;
const plainHello = `
  S: 220 b.example ESMTP
  C: EHLO relay.example
  S: 250 b.example`;
const lmtpHello = `
  S: 220 b.example LMTP
  C: LHLO relay.example
  S: 250-b.example
  S: 250 PIPELINING`;
const envelope = `
  C: MAIL FROM:<a@a.example>
  S: 250 2.1.0 Ok
  C: RCPT TO:<b@b.example>
  S: 250 2.1.5 Ok`;
const untilData = `${envelope}
  C: DATA
  S: 354 Go ahead`;

const from = { path: '<a@a.example>', params: [] };
const to = (name: string) => ({ path: `<${name}@b.example>`, params: [] });
const text = Buffer.from('Subject: x\r\n\r\n.dot\r\nend\r\n');

/** Opens a session with a peer that plays the script, and checks that it was played to its end. */
async function play(
  t: TestContext,
  script: string,
  client: (session: Session, peer: ScriptedPeer) => Promise<void>,
  overrides: Overrides = {},
): Promise<void> {
  const peer = await ScriptedPeer.listen(t, script);
  const hop = createNextHop(nextHopOptions([loopback(peer.port)], overrides));
  const session = await hop.acquire({ signal: t.signal });
  try {
    await client(session, peer);
  } finally {
    session.release();
    await hop.close();
  }
  await peer.done();
}

const said = (reply: Reply): string => describeReply(reply);
const allSaid = (replies: readonly Reply[]): string[] => replies.map(said);

const fails = (kind: FailureName, reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.kind, kind, error.message);
  assert.match(error.message, reason);
  return true;
};

async function toMessage(session: Session): Promise<void> {
  assert.equal((await session.mail(from)).code, 250);
  assert.equal((await session.rcpt(to('b'))).code, 250);
  assert.equal((await session.data()).code, 354);
}

test('a whole transaction, each reply line by line as it stood on the wire', async (t) => {
  const script = `${hello}
    C: MAIL FROM:<a@a.example> BODY=8BITMIME ENVID=x+2B
    S: 250-2.1.0 first
    S: 250 2.1.0  second
    C: RCPT TO:<@r.example:"b c"@b.example> ORCPT=rfc822;b
    S: 550-5.1.1 No
    S: 550 5.1.1 caf\xe9
    C: RCPT TO:<b@b.example>
    S: 250 2.1.5 Ok
    C: DATA
    S: 354 End data with <CR><LF>.<CR><LF>
    C.
    S: 250 2.0.0 Ok: queued as 4F
    C: QUIT
    S: 221 Bye`;
  const run = (wire: string): Promise<void> =>
    play(
      t,
      wire,
      async (session, peer) => {
        assert.deepEqual(
          [...session.extensions],
          [
            ['PIPELINING', ''],
            ['XFORWARD', 'NAME ADDR PROTO HELO'],
            ['8BITMIME', ''],
          ],
        );
        assert.equal(session.peer, `127.0.0.1:${peer.port}`);
        assert.equal(session.reused, false);
        assert.deepEqual(await session.mail({ path: '<a@a.example>', params: ['BODY=8BITMIME', 'ENVID=x+2B'] }), {
          code: 250,
          lines: ['2.1.0 first', '2.1.0  second'],
        });
        const odd = { path: '<@r.example:"b c"@b.example>', params: ['ORCPT=rfc822;b'] };
        assert.deepEqual(await session.rcpt(odd), { code: 550, lines: ['5.1.1 No', '5.1.1 caf\xe9'] });
        assert.deepEqual(await session.rcpt(to('b')), { code: 250, lines: ['2.1.5 Ok'] });
        assert.equal((await session.data()).code, 354);
        await session.write([text]);
        assert.deepEqual(allSaid(await session.finish()), ['250 2.0.0 Ok: queued as 4F']);
        assert.equal(peer.messages[0], 'Subject: x\r\n\r\n..dot\r\nend\r\n');
        assert.equal(session.alive, true);
      },
      { outbound: { maxIdle: 0 } },
    );
  await run(script);
  await run(script.replaceAll('S:', 's:'));
});

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
    await play(t, `${hello}${untilData}\nC.\nS: 250 Ok`, async (session, peer) => {
      await toMessage(session);
      await session.write(message);
      await session.finish();
      const arrived = `\r\n${peer.messages[0]}`.replaceAll('\r\n..', '\r\n.').slice(2);
      assert.ok(arrived === whole, 'not what was sent');
    });
  }
});

test('an empty message, and one in several writes', async (t) => {
  await play(t, `${hello}${untilData}\nC.\nS: 250 Ok${untilData}\nC.\nS: 250 Ok`, async (session, peer) => {
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

test('pipelining: the whole envelope is on the wire before the first reply', async (t) => {
  const script = `${hello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<x@b.example>
    C: RCPT TO:<y@b.example>
    C: RCPT TO:<z@b.example>
    S: 250 sender
    S: 250 x
    s: 550 y
    S: 250 z`;
  await play(t, script, async (session) => {
    const replies = await session.envelope(from, [to('x'), to('y'), to('z')]);
    assert.deepEqual(allSaid(replies), ['250 sender', '250 x', '550 y', '250 z']);
  });
});

test('commands given in one turn leave in one piece, and their replies may come in one piece', async (t) => {
  const script = `${hello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<x@b.example>
    raw: "250 sender\\r\\n451 x\\r\\n"`;
  await play(t, script, async (session) => {
    const replies = await Promise.all([session.mail(from), session.rcpt(to('x'))]);
    assert.deepEqual(allSaid(replies), ['250 sender', '451 x']);
  });
});

test('without PIPELINING nothing is said ahead of a reply', async (t) => {
  const script = `${plainHello}
    C: MAIL FROM:<a@a.example>
    S: 250 sender
    C: RCPT TO:<x@b.example>
    S: 250 x
    C: RCPT TO:<y@b.example>
    S: 250 y
    C: MAIL FROM:<a@a.example>
    S: 503 nested
    C: RSET
    S: 250 reset
    C: MAIL FROM:<a@a.example>
    S: 250 sender
    C: RCPT TO:<x@b.example>
    S: 250 x`;
  await play(t, script, async (session) => {
    assert.deepEqual(allSaid(await session.envelope(from, [to('x'), to('y')])), ['250 sender', '250 x', '250 y']);
    // A refused MAIL is the verdict for all: its RCPTs are not said.
    assert.deepEqual(allSaid(await session.envelope(from, [to('x')])), ['503 nested', '503 nested']);
    const replies = await Promise.all([session.rset(), session.mail(from), session.rcpt(to('x'))]);
    assert.deepEqual(allSaid(replies), ['250 reset', '250 sender', '250 x']);
  });
});

test('XFORWARD: what the next hop takes, encoded as Postfix expects', async (t) => {
  const script = `${hello}
    C: XFORWARD NAME=host+2Bx.example ADDR=IPV6:2001:db8::1 HELO=a+3Db+C3+A9 PROTO=[UNAVAILABLE]
    S: 250 2.0.0 Ok`;
  await play(t, script, async (session) => {
    const attributes = new Map([
      ['NAME', 'host+x.example'],
      ['ADDR', 'IPV6:2001:db8::1'],
      ['IDENT', 'not offered'],
      ['HELO', 'a=b\xc3\xa9'],
      ['PROTO', ''],
    ]);
    assert.equal(said(await session.xforward(attributes)), '250 2.0.0 Ok');
  });
});

test('XFORWARD: several commands where one would be too long, and the first refusal', async (t) => {
  const name = 'n'.repeat(255);
  const script = `${hello}
    C: XFORWARD NAME=${name}
    S: 250 2.0.0 Ok
    C: XFORWARD HELO=${name}
    S: 550 5.7.0 not you`;
  await play(t, script, async (session) => {
    const reply = await session.xforward(
      new Map([
        ['NAME', name],
        ['HELO', name],
      ]),
    );
    assert.equal(said(reply), '550 5.7.0 not you');
  });
});

test('XFORWARD: an attribute that fits no command is said to be unknown; not offered, nothing is said', async (t) => {
  await play(t, `${hello}\nC: XFORWARD HELO=[UNAVAILABLE]\nS: 250 Ok`, async (session) => {
    assert.equal((await session.xforward(new Map([['HELO', '\xff'.repeat(200)]]))).code, 250);
  });
  await play(t, plainHello, async (session) => {
    assert.equal((await session.xforward(new Map([['HELO', 'x']]))).code, 250);
  });
});

test('a line break inside a command never reaches the wire', async (t) => {
  await play(t, `${hello}${envelope}`, async (session) => {
    for (const path of ['<a@b>\r\nRCPT TO:<c@d>', '<a\nb>', '<a\rb>']) {
      await assert.rejects(session.mail({ path, params: [] }), fails('internal', /line break/));
    }
    await session.mail(from);
    await session.rcpt(to('b'));
  });
});

test('LMTP: a reply for each accepted recipient, in order', async (t) => {
  const script = `${lmtpHello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<x@b.example>
    C: RCPT TO:<y@b.example>
    C: RCPT TO:<z@b.example>
    raw: "250 a\\r\\n250 x\\r\\n550 y\\r\\n250 z\\r\\n"
    C: DATA
    S: 354 go
    C.
    S: 250 x stored
    S: 452 z full
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<x@b.example>
    raw: "250 a\\r\\n250 x\\r\\n"
    C: DATA
    S: 354 go
    C.
    S: 250 x again`;
  const lmtp = { outbound: { protocol: 'lmtp' } } as const;
  await play(
    t,
    script,
    async (session) => {
      await session.envelope(from, [to('x'), to('y'), to('z')]);
      await session.data();
      await session.write([text]);
      assert.deepEqual(allSaid(await session.finish()), ['250 x stored', '452 z full']);
      await session.envelope(from, [to('x')]);
      await session.data();
      await session.write([text]);
      assert.deepEqual(allSaid(await session.finish()), ['250 x again']);
    },
    lmtp,
  );
});

for (const [ending, last] of [
  ['close', '451 4.4.2 lost connection with next hop, try again later'],
  ['raw: "garbage\\r\\n"', '451 4.5.0 next hop spoke out of turn, try again later'],
  ['S: 421 4.3.2 bye', '421 4.3.2 bye'],
] as const) {
  test(`LMTP: a recipient that has the message keeps its 250 when then comes ${ending}`, async (t) => {
    const script = `${lmtpHello}
      C: MAIL FROM:<a@a.example>
      C: RCPT TO:<x@b.example>
      C: RCPT TO:<y@b.example>
      C: RCPT TO:<z@b.example>
      raw: "250 a\\r\\n250 x\\r\\n250 y\\r\\n250 z\\r\\n"
      C: DATA
      S: 354 go
      C.
      S: 250 x stored
      ${ending}`;
    const client = async (session: Session): Promise<void> => {
      await session.envelope(from, [to('x'), to('y'), to('z')]);
      await session.data();
      await session.write([text]);
      assert.deepEqual(allSaid(await session.finish()), ['250 x stored', last, last]);
      assert.equal(session.alive, false);
    };
    await play(t, script, client, { outbound: { protocol: 'lmtp' } });
  });
}

test('LMTP: 354 without any recipient is a fault', async (t) => {
  const script = `${lmtpHello}
    C: DATA
    S: 354 go
    gone`;
  const client = async (session: Session): Promise<void> => {
    await assert.rejects(session.data(), fails('nextHopProtocol', /354 go/));
  };
  await play(t, script, client, { outbound: { protocol: 'lmtp' } });
});

/** Where a session breaks: what the peer does in answer to MAIL, and what the caller is told. */
const breaks: readonly (readonly [name: string, script: string, kind: FailureName, reason: RegExp])[] = [
  ['the peer closes', 'close', 'nextHopLost', /connection closed while waiting for the reply to MAIL/],
  ['the peer resets', 'reset', 'nextHopLost', /ECONNRESET while waiting for the reply to MAIL/],
  ['half a reply, then the end', 'raw: "250-a\\r\\n25"\nclose', 'nextHopLost', /connection closed/],
  ['garbage', 'S: hello?\ngone', 'nextHopProtocol', /not a reply line/],
  ['a reply with two codes', 'S: 250-a\nS: 550 b\ngone', 'nextHopProtocol', /changes its code/],
  ['354 to MAIL', 'S: 354 go ahead\ngone', 'nextHopProtocol', /answered MAIL with 354/],
  ['silence', 'gone', 'nextHopTimeout', /no reply within 50 ms to MAIL/],
];

for (const [name, script, kind, reason] of breaks) {
  test(`broken: ${name}`, async (t) => {
    await play(
      t,
      `${hello}\nC: MAIL FROM:<a@a.example>\n${script}`,
      async (session) => {
        await assert.rejects(session.mail(from), fails(kind, reason));
        assert.equal(session.alive, false);
        // Poisoned: the same failure, and not an octet more.
        await assert.rejects(session.rcpt(to('b')), fails(kind, reason));
        await assert.rejects(session.rset(), fails(kind, reason));
      },
      { timeouts: { mail: 50 } },
    );
  });
}

test('all that waits for a reply is told when the connection breaks', async (t) => {
  const script = `${hello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<x@b.example>
    S: 250 Ok
    close`;
  await play(t, script, async (session) => {
    const [mail, rcpt] = await Promise.allSettled([session.mail(from), session.rcpt(to('x'))]);
    assert.equal(mail.status, 'fulfilled');
    assert.equal(rcpt.status, 'rejected');
    fails('nextHopLost', /RCPT/)(rcpt.reason);
  });
});

test('421 answers whatever still waits, and ends the session', async (t) => {
  const script = `${hello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<x@b.example>
    S: 421 4.3.2 shutting down
    gone`;
  await play(t, script, async (session) => {
    const replies = await session.envelope(from, [to('x')]);
    assert.deepEqual(allSaid(replies), ['421 4.3.2 shutting down', '421 4.3.2 shutting down']);
    assert.equal(session.alive, false);
    await assert.rejects(session.rset(), fails('nextHopLost', /421 4\.3\.2 shutting down/));
  });
});

test('DATA: refused, or answered with what is no answer to it', async (t) => {
  await play(t, `${hello}${envelope}\nC: DATA\nS: 451 4.3.0 later\nC: RSET\nS: 250 Ok`, async (session) => {
    await session.mail(from);
    await session.rcpt(to('b'));
    assert.equal(said(await session.data()), '451 4.3.0 later');
    assert.equal((await session.rset()).code, 250);
  });
  await play(t, `${hello}${envelope}\nC: DATA\nS: 250 fine\ngone`, async (session) => {
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
      await play(t, `${hello}${untilData}\ntake: 1000\nS: ${reply}\n${ending}`, async (session) => {
        await toMessage(session);
        await session.write(endless());
        assert.deepEqual(allSaid(await session.finish()), [reply]);
        assert.equal(session.alive, false);
      });
    });
  }
}

test('a verdict before the dot counts for every LMTP recipient', async (t) => {
  const script = `${lmtpHello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<x@b.example>
    C: RCPT TO:<y@b.example>
    raw: "250 a\\r\\n250 x\\r\\n250 y\\r\\n"
    C: DATA
    raw: "354 go\\r\\n451 no after all\\r\\n"
    gone`;
  const client = async (session: Session): Promise<void> => {
    await session.envelope(from, [to('x'), to('y')]);
    await session.data();
    await session.write([text]);
    assert.deepEqual(allSaid(await session.finish()), ['451 no after all', '451 no after all']);
  };
  await play(t, script, client, { outbound: { protocol: 'lmtp' } });
});

test('250 before the dot is no delivery', async (t) => {
  await play(t, `${hello}${envelope}\nC: DATA\nraw: "354 go\\r\\n250 Ok\\r\\n"\ngone`, async (session) => {
    await session.mail(from);
    await session.rcpt(to('b'));
    assert.equal((await session.data()).code, 354);
    const outcome = session.write([text]).then(() => session.finish());
    await assert.rejects(outcome, fails('nextHopProtocol', /unsolicited reply: 250 Ok/));
  });
});

test('in the middle of the message: closed without a word', async (t) => {
  await play(t, `${hello}${untilData}\ntake: 1000\nclose`, async (session) => {
    await toMessage(session);
    await assert.rejects(session.write(endless()), fails('nextHopLost', /in the message/));
    await assert.rejects(session.finish(), fails('internal', /cut/));
  });
});

test('in the middle of the message: nothing is taken any more', async (t) => {
  const peer = await ScriptedPeer.listen(t, `${hello}${untilData}\nstall`);
  const hop = createNextHop(nextHopOptions([loopback(peer.port)], { timeouts: { block: 100 } }));
  const session = await hop.acquire({ signal: t.signal });
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
    await play(t, `${hello}${untilData}\nC.\n${ending}`, async (session) => {
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
    await play(t, `${hello}${untilData}\nC.\n${ending}`, client, { timeouts: { finalDot: 50 } });
  });
}

test('a source that fails never gets its dot', async (t) => {
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('half a message\r\n');
    throw new Failure('spoolFull');
  }
  await play(t, `${hello}${untilData}\ngone`, async (session) => {
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
  await play(t, `${hello}${untilData}\ntake: 1000\nS: 452 4.3.1 full\ndrain`, async (session) => {
    await toMessage(session);
    await session.write(source());
    assert.equal(closed, true);
    assert.deepEqual(allSaid(await session.finish()), ['452 4.3.1 full']);
  });
});

test('methods out of order are refused without a word on the wire', async (t) => {
  await play(t, `${hello}${envelope}`, async (session) => {
    await assert.rejects(session.write([text]), fails('internal', /phase commands, not message/));
    await assert.rejects(session.finish(), fails('internal', /phase commands, not message/));
    await session.mail(from);
    await session.rcpt(to('b'));
    session.release();
    assert.equal(session.alive, false);
    await assert.rejects(session.mail(from), fails('internal', /phase released/));
    await assert.rejects(session.rset(), fails('internal', /phase released/));
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
  const socket = new Stalled();
  const say = (line: string): void => void socket.push(`${line}\r\n`);
  const options = { peer: 'b', extensions: new Map(), protocol: 'smtp', timeouts: defaultTimeouts } as const;
  const session = new ChannelSession(new Channel(socket as unknown as Socket, options), false, () => undefined);
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
