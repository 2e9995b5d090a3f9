import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Delivery } from './delivery.ts';
import { ownCalls } from '../loopguard/testing/calls.ts';
import type { NextHopOptions } from '../outbound/next-hop.ts';
import { stage } from '../outbound/testing/stage.ts';
import { codes, delivered, from, hello, pipelined, taken, text, to } from '../outbound/testing/transaction.ts';

const opened = hello('PIPELINING');
const content = { body: () => [text], bytesOut: text.length };

/** Deliveries of one message each to a next hop with these scripts, one for each connection. */
async function deliveries(t: TestContext, scripts: readonly string[], timeouts: NextHopOptions['timeouts'] = {}) {
  const { hop, log, end } = await stage(t, scripts, { timeouts });
  return {
    begin: () =>
      new Delivery({
        nextHop: hop,
        log,
        signal: new AbortController().signal,
        mail: from,
        id: 'T1',
        xforward: new Map(),
        calls: ownCalls(),
        extendChain: () => '',
      }),
    end: async (delivery: Delivery): Promise<void> => {
      const replies = await delivery.complete([], content);
      assert.deepEqual(codes(replies), [250]);
      delivery.release();
      await end();
    },
    replaced: () => log.entries.filter(({ event }) => event === 'session-replaced').length,
  };
}

test('a pooled session that is silent to MAIL is replaced unnoticed, as if its cable had been pulled', async (t) => {
  const silent = `${opened}${delivered}
    C: MAIL FROM:<a@a.example>
    gone`;
  const { begin, end, replaced } = await deliveries(t, [silent, opened + delivered], { reusedMail: 50 });
  for (let i = 0; i < 2; i += 1) {
    const delivery = begin();
    assert.deepEqual(codes(await delivery.mail()), [250]);
    assert.deepEqual(codes(await delivery.rcpt([to('b')])), [250]);
    if (i === 1) await end(delivery);
    else {
      await delivery.complete([], content);
      delivery.release();
    }
  }
  assert.equal(replaced(), 1);
});

test('MAIL and RCPTs that came together leave together; each has its verdict', async (t) => {
  const script = `${opened}${pipelined('b', 'c')}
    S: 250 2.1.0 Ok
    S: 250 2.1.5 Ok
    S: 550 5.1.1 no
    C: RCPT TO:<d@b.example>
    C: RCPT TO:<e@b.example>
    S: 451 4.2.0 later
    S: 250 2.1.5 Ok${taken}`;
  const { begin, end } = await deliveries(t, [script]);
  const delivery = begin();
  assert.deepEqual(codes(await delivery.mail([to('b'), to('c')])), [250, 250, 550]);
  assert.deepEqual(codes(await delivery.rcpt([to('d'), to('e')])), [451, 250]);
  await end(delivery);
});

test('421 to an RCPT that came with MAIL: both are said again to a new session, and nobody notices', async (t) => {
  const closing = `${opened}${pipelined('b')}
    S: 250 2.1.0 Ok
    S: 421 4.4.2 closing
    close`;
  const { begin, end, replaced } = await deliveries(t, [closing, opened + delivered]);
  const delivery = begin();
  assert.deepEqual(codes(await delivery.mail([to('b')])), [250, 250]);
  assert.equal(replaced(), 1);
  await end(delivery);
});

test('a session lost among RCPTs: the new one hears those that were answered, then these again, each once', async (t) => {
  const half = `${opened}${pipelined('b')}
    S: 250 2.1.0 Ok
    S: 250 2.1.5 Ok
    C: RCPT TO:<c@b.example>
    C: RCPT TO:<d@b.example>
    S: 250 2.1.5 Ok`;
  const { begin, end, replaced } = await deliveries(t, [`${half}\nclose`, `${half}\nS: 550 5.1.1 no${taken}`]);
  const delivery = begin();
  assert.deepEqual(codes(await delivery.mail([to('b')])), [250, 250]);
  assert.deepEqual(codes(await delivery.rcpt([to('c'), to('d')])), [250, 550]);
  assert.equal(replaced(), 1);
  await end(delivery);
});

test('a refused MAIL stands, whatever is said to the RCPTs behind it, and the session is good for the next', async (t) => {
  const script = `${opened}${pipelined('b')}
    S: 550 5.7.1 not you
    S: 503 5.5.1 need MAIL
    C: RSET
    S: 250 2.0.0 Ok${delivered}`;
  const { begin, end } = await deliveries(t, [script]);
  const refused = begin();
  assert.equal(codes(await refused.mail([to('b')]))[0], 550);
  refused.release();
  const delivery = begin();
  assert.deepEqual(codes(await delivery.mail([to('b')])), [250, 250]);
  await end(delivery);
});
