import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Delivery } from './delivery.ts';
import { createNextHop } from './outbound/next-hop.ts';
import { loopback, nextHopOptions, RecordingLog } from './outbound/testing/options.ts';
import { ScriptedPeer } from './outbound/testing/scripted-peer.ts';

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

test('a pooled session that is silent to MAIL is replaced unnoticed, as if its cable had been pulled', async (t) => {
  const silent = `${hello}${delivered}
    C: MAIL FROM:<a@a.example>
    gone`;
  const peer = await ScriptedPeer.listen(t, silent, hello + delivered);
  const log = new RecordingLog();
  const nextHop = createNextHop(nextHopOptions([loopback(peer.port)], { log, timeouts: { reusedMail: 50 } }));
  t.after(() => nextHop.close());
  for (let i = 0; i < 2; i += 1) {
    const delivery = new Delivery({
      nextHop,
      log,
      signal: new AbortController().signal,
      mail: { path: '<a@a.example>', params: [] },
      xforward: new Map(),
      extendChain: () => '',
    });
    assert.equal((await delivery.mail()).code, 250);
    assert.equal((await delivery.rcpt({ path: '<b@b.example>', params: [] })).code, 250);
    const content = Buffer.from('Subject: x\r\n\r\nx\r\n');
    const [reply] = await delivery.complete([], { body: () => [content], bytesOut: content.length });
    assert.equal(reply?.code, 250);
    delivery.release();
  }
  await peer.done();
  assert.deepEqual(
    log.entries.map(({ event }) => event).filter((event) => event === 'session-replaced'),
    ['session-replaced'],
  );
});
