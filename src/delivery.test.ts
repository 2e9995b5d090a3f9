import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Delivery } from './delivery.ts';
import { createNextHop, type NextHopOptions } from './outbound/next-hop.ts';
import { loopback, nextHopOptions, RecordingLog } from './outbound/testing/options.ts';
import { ScriptedPeer } from './outbound/testing/scripted-peer.ts';
import type { PathCommand } from './smtp/command.ts';
import type { Reply } from './smtp/reply.ts';

const hello = `
  S: 220 b.example ESMTP
  C: EHLO relay.example
  S: 250-b.example
  S: 250 PIPELINING`;
const delivered = `
  C: MAIL FROM:<a@a.example>
  S: 250 2.1.0 Ok
  C: RCPT TO:<b@b.example>
  S: 250 2.1.5 Ok
  C: DATA
  S: 354 Go ahead
  C.
  S: 250 2.0.0 Ok`;

const mail = { path: '<a@a.example>', params: [] };
const rcpt = (name: string): PathCommand => ({ path: `<${name}@b.example>`, params: [] });
const codes = (replies: readonly Reply[]): number[] => replies.map(({ code }) => code);
const content = Buffer.from('Subject: x\r\n\r\nx\r\n');

/** Deliveries of one message each to a next hop with these scripts, one for each connection. */
async function stage(t: TestContext, scripts: readonly string[], timeouts: NextHopOptions['timeouts'] = {}) {
  const peer = await ScriptedPeer.listen(t, ...scripts);
  const log = new RecordingLog();
  const nextHop = createNextHop(nextHopOptions([loopback(peer.port)], { log, timeouts }));
  t.after(() => nextHop.close());
  return {
    begin: () =>
      new Delivery({
        nextHop,
        log,
        signal: new AbortController().signal,
        mail,
        xforward: new Map(),
        extendChain: () => '',
      }),
    end: async (delivery: Delivery): Promise<void> => {
      const replies = await delivery.complete([], { body: () => [content], bytesOut: content.length });
      assert.deepEqual(codes(replies), [250]);
      delivery.release();
      await nextHop.close();
      await peer.done();
    },
    replaced: () => log.entries.filter(({ event }) => event === 'session-replaced').length,
  };
}

test('a pooled session that is silent to MAIL is replaced unnoticed, as if its cable had been pulled', async (t) => {
  const silent = `${hello}${delivered}
    C: MAIL FROM:<a@a.example>
    gone`;
  const { begin, end, replaced } = await stage(t, [silent, hello + delivered], { reusedMail: 50 });
  for (let i = 0; i < 2; i += 1) {
    const delivery = begin();
    assert.deepEqual(codes(await delivery.mail()), [250]);
    assert.deepEqual(codes(await delivery.rcpt([rcpt('b')])), [250]);
    if (i === 1) await end(delivery);
    else {
      await delivery.complete([], { body: () => [content], bytesOut: content.length });
      delivery.release();
    }
  }
  assert.equal(replaced(), 1);
});

test('MAIL and RCPTs that came together leave together; each has its verdict', async (t) => {
  const script = `${hello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<b@b.example>
    C: RCPT TO:<c@b.example>
    S: 250 2.1.0 Ok
    S: 250 2.1.5 Ok
    S: 550 5.1.1 no
    C: RCPT TO:<d@b.example>
    C: RCPT TO:<e@b.example>
    S: 451 4.2.0 later
    S: 250 2.1.5 Ok
    C: DATA
    S: 354 Go ahead
    C.
    S: 250 2.0.0 Ok`;
  const { begin, end } = await stage(t, [script]);
  const delivery = begin();
  assert.deepEqual(codes(await delivery.mail([rcpt('b'), rcpt('c')])), [250, 250, 550]);
  assert.deepEqual(codes(await delivery.rcpt([rcpt('d'), rcpt('e')])), [451, 250]);
  await end(delivery);
});

test('421 to an RCPT that came with MAIL: both are said again to a new session, and nobody notices', async (t) => {
  const closing = `${hello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<b@b.example>
    S: 250 2.1.0 Ok
    S: 421 4.4.2 closing
    close`;
  const { begin, end, replaced } = await stage(t, [closing, hello + delivered]);
  const delivery = begin();
  assert.deepEqual(codes(await delivery.mail([rcpt('b')])), [250, 250]);
  assert.equal(replaced(), 1);
  await end(delivery);
});

test('a session lost among RCPTs: the new one hears those that were answered, then these again, each once', async (t) => {
  const lost = `${hello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<b@b.example>
    S: 250 2.1.0 Ok
    S: 250 2.1.5 Ok
    C: RCPT TO:<c@b.example>
    C: RCPT TO:<d@b.example>
    S: 250 2.1.5 Ok
    close`;
  const fresh = `${hello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<b@b.example>
    S: 250 2.1.0 Ok
    S: 250 2.1.5 Ok
    C: RCPT TO:<c@b.example>
    C: RCPT TO:<d@b.example>
    S: 250 2.1.5 Ok
    S: 550 5.1.1 no
    C: DATA
    S: 354 Go ahead
    C.
    S: 250 2.0.0 Ok`;
  const { begin, end, replaced } = await stage(t, [lost, fresh]);
  const delivery = begin();
  assert.deepEqual(codes(await delivery.mail([rcpt('b')])), [250, 250]);
  assert.deepEqual(codes(await delivery.rcpt([rcpt('c'), rcpt('d')])), [250, 550]);
  assert.equal(replaced(), 1);
  await end(delivery);
});

test('a refused MAIL stands, whatever is said to the RCPTs behind it, and the session is good for the next', async (t) => {
  const script = `${hello}
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<b@b.example>
    S: 550 5.7.1 not you
    S: 503 5.5.1 need MAIL
    C: RSET
    S: 250 2.0.0 Ok${delivered}`;
  const { begin, end } = await stage(t, [script]);
  const refused = begin();
  assert.equal(codes(await refused.mail([rcpt('b')]))[0], 550);
  refused.release();
  const delivery = begin();
  assert.deepEqual(codes(await delivery.mail([rcpt('b')])), [250, 250]);
  await end(delivery);
});
