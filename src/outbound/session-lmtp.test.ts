import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from './interface.ts';
import { fails } from './testing/fails.ts';
import { play } from './testing/play.ts';
import { allSaid, from, pipelined, text, to } from './testing/transaction.ts';

const opened = `
  S: 220 b.example LMTP
  C: LHLO relay.example
  S: 250-b.example
  S: 250 PIPELINING`;
const lmtp = { outbound: { protocol: 'lmtp' } } as const;

/** The whole transaction, for these recipients: the verdicts. */
async function send(session: Session, ...names: readonly string[]): Promise<string[]> {
  await session.envelope(from, names.map(to));
  await session.data();
  await session.write([text]);
  return allSaid(await session.finish());
}

test('LMTP: a reply for each accepted recipient, in order', async (t) => {
  const script = `${opened}${pipelined('x', 'y', 'z')}
    raw: "250 a\\r\\n250 x\\r\\n550 y\\r\\n250 z\\r\\n"
    C: DATA
    S: 354 go
    C.
    S: 250 x stored
    S: 452 z full${pipelined('x')}
    raw: "250 a\\r\\n250 x\\r\\n"
    C: DATA
    S: 354 go
    C.
    S: 250 x again`;
  await play(
    t,
    script,
    async (session) => {
      assert.deepEqual(await send(session, 'x', 'y', 'z'), ['250 x stored', '452 z full']);
      assert.deepEqual(await send(session, 'x'), ['250 x again']);
    },
    lmtp,
  );
});

/** Three recipients, of which the first has the message. */
const firstIsStored = (ending: string): string => `${opened}${pipelined('x', 'y', 'z')}
      raw: "250 a\\r\\n250 x\\r\\n250 y\\r\\n250 z\\r\\n"
      C: DATA
      S: 354 go
      C.
      S: 250 x stored
      ${ending}`;

for (const [ending, last] of [
  ['close', '451 4.4.2 lost connection with next hop, try again later'],
  ['raw: "garbage\\r\\n"', '451 4.5.0 next hop spoke out of turn, try again later'],
  ['S: 421 4.3.2 bye', '421 4.3.2 bye'],
] as const) {
  test(`LMTP: a recipient that has the message keeps its 250 when then comes ${ending}`, async (t) => {
    const script = firstIsStored(ending);
    const client = async (session: Session): Promise<void> => {
      assert.deepEqual(await send(session, 'x', 'y', 'z'), ['250 x stored', last, last]);
      assert.equal(session.alive, false);
    };
    await play(t, script, client, lmtp);
  });
}

for (const [ending, last] of [
  ['raw: "421 busy\\r\\n250 z stored\\r\\n"', '250 z stored'],
  ['S: 421 busy\n      S: 250 z stored', '250 z stored'],
  ['S: 421 busy\n      S: 550 no z', '550 no z'],
  ['S: 421 busy\n      S: 421 busy too', '421 busy too'],
  ['S: 421 busy\n      raw: "garbage\\r\\n"', '421 busy'],
  ['S: 421 busy\n      close', '421 busy'],
] as const) {
  test(`LMTP: 421 for one recipient is not the verdict on the next: ${JSON.stringify(ending)}`, async (t) => {
    const script = firstIsStored(ending);
    const client = async (session: Session): Promise<void> => {
      assert.deepEqual(await send(session, 'x', 'y', 'z'), ['250 x stored', '421 busy', last]);
      assert.equal(session.alive, false);
    };
    await play(t, script, client, lmtp);
  });
}

test('LMTP: 354 without any recipient is a fault', async (t) => {
  const script = `${opened}
    C: DATA
    S: 354 go
    gone`;
  const client = async (session: Session): Promise<void> => {
    await assert.rejects(session.data(), fails('nextHopProtocol', /354 go/));
  };
  await play(t, script, client, lmtp);
});

test('a verdict before the dot counts for every LMTP recipient', async (t) => {
  const script = `${opened}${pipelined('x', 'y')}
    raw: "250 a\\r\\n250 x\\r\\n250 y\\r\\n"
    C: DATA
    raw: "354 go\\r\\n451 no after all\\r\\n"
    gone`;
  const client = async (session: Session): Promise<void> => {
    assert.deepEqual(await send(session, 'x', 'y'), ['451 no after all', '451 no after all']);
  };
  await play(t, script, client, lmtp);
});
