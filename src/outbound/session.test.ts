import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureName } from '../smtp/failures.ts';
import { fails } from './testing/fails.ts';
import { play } from './testing/play.ts';
import { allSaid, envelope, from, hello, pipelined, text, to } from './testing/transaction.ts';

const opened = hello('PIPELINING', 'XFORWARD NAME ADDR PROTO HELO', '8BITMIME');

test('a whole transaction, each reply line by line as it stood on the wire', async (t) => {
  const script = `${opened}
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

test('pipelining: the whole envelope is on the wire before the first reply', async (t) => {
  const script = `${opened}${pipelined('x', 'y', 'z')}
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
  const script = `${opened}${pipelined('x')}
    raw: "250 sender\\r\\n451 x\\r\\n"`;
  await play(t, script, async (session) => {
    const replies = await Promise.all([session.mail(from), session.rcpt(to('x'))]);
    assert.deepEqual(allSaid(replies), ['250 sender', '451 x']);
  });
});

test('without PIPELINING nothing is said ahead of a reply', async (t) => {
  const script = `${hello()}
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

test('a line break inside a command never reaches the wire', async (t) => {
  await play(t, `${opened}${envelope}`, async (session) => {
    for (const path of ['<a@b>\r\nRCPT TO:<c@d>', '<a\nb>', '<a\rb>']) {
      await assert.rejects(session.mail({ path, params: [] }), fails('internal', /line break/));
    }
    await session.mail(from);
    await session.rcpt(to('b'));
  });
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
      `${opened}\nC: MAIL FROM:<a@a.example>\n${script}`,
      async (session) => {
        await assert.rejects(session.mail(from), fails(kind, reason));
        assert.equal(session.alive, false);
        // Poisoned: the same failure, and not an octet more.
        await assert.rejects(session.rcpt(to('b')), fails(kind, reason));
        await assert.rejects(session.rset(), fails(kind, reason));
      },
      name === 'silence' ? { timeouts: { mail: 50 } } : {},
    );
  });
}

test('all that waits for a reply is told when the connection breaks', async (t) => {
  const script = `${opened}${pipelined('x')}
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
  const script = `${opened}${pipelined('x')}
    S: 421 4.3.2 shutting down
    gone`;
  await play(t, script, async (session) => {
    const replies = await session.envelope(from, [to('x')]);
    assert.deepEqual(allSaid(replies), ['421 4.3.2 shutting down', '421 4.3.2 shutting down']);
    assert.equal(session.alive, false);
    await assert.rejects(session.rset(), fails('nextHopLost', /421 4\.3\.2 shutting down/));
  });
});

test('methods out of order are refused without a word on the wire', async (t) => {
  await play(t, `${opened}${envelope}`, async (session) => {
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
