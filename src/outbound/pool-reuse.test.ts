import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fails } from './testing/fails.ts';
import { stage, type Stage } from './testing/stage.ts';
import { deliver, delivered, envelope, from, goodbye, hello, to } from './testing/transaction.ts';

const opened = hello('PIPELINING');

/** A user that leaves its session in the middle of a transaction. */
async function abandon(acquire: Stage['acquire']): Promise<void> {
  const session = await acquire();
  await session.envelope(from, [to('b')]);
  session.release();
}

/** A user that delivers on a session that others had before. */
async function deliverNext(acquire: Stage['acquire']): Promise<void> {
  const session = await acquire();
  assert.equal(session.reused, true);
  await deliver(session);
  session.release();
}

/** A session that ends so, once it was told that it is idle: the next user gets another one. */
async function endsIdle(t: TestContext, ending: string): Promise<void> {
  const { acquire, open, end } = await stage(t, [`${opened}${envelope}\nC: RSET\n${ending}`, opened]);
  await abandon(acquire);
  await open(0);
  const second = await acquire();
  assert.equal(second.reused, false);
  second.release();
  await end();
}

test('a session that has delivered serves again, without RSET', async (t) => {
  const { acquire, count, end } = await stage(t, [opened + delivered + delivered + goodbye]);
  const first = await acquire();
  await deliver(first);
  first.release();
  first.release();
  assert.deepEqual(count, { open: 1, idle: 1 });
  const second = await acquire();
  assert.equal(second.reused, true);
  assert.deepEqual(count, { open: 1, idle: 0 });
  await deliver(second);
  second.release();
  await end();
  assert.deepEqual(count, { open: 0, idle: 0 });
});

test('a session left in a transaction says RSET, and is ready for the next before the reply', async (t) => {
  const script = `${opened}${envelope}
    C: RSET
    C: MAIL FROM:<a@a.example>
    S: 250 2.0.0 Ok
    S: 250 2.1.0 Ok
    C: RCPT TO:<b@b.example>
    S: 450 4.2.0 no
    ${goodbye.replace('C: QUIT', 'C: RSET\nC: QUIT\nS: 250 2.0.0 Ok')}`;
  const { acquire, end } = await stage(t, [script]);
  await abandon(acquire);
  const second = await acquire();
  assert.equal((await second.mail(from)).code, 250);
  assert.equal((await second.rcpt(to('b'))).code, 450);
  second.release();
  await end();
});

test('what XFORWARD said of one client is not left to the next', async (t) => {
  const script = `${hello('XFORWARD NAME')}
    C: XFORWARD NAME=one.example
    S: 250 2.0.0 Ok
    C: RSET
    S: 250 2.0.0 Ok
    ${delivered}
    ${goodbye}`;
  const { acquire, end } = await stage(t, [script]);
  const first = await acquire();
  await first.xforward(new Map([['NAME', 'one.example']]));
  first.release();
  await deliverNext(acquire);
  await end();
});

test('without PIPELINING the next user waits for the RSET of the one before', async (t) => {
  const script = `${hello()}${envelope}
    C: RSET
    s: 250 2.0.0 Ok
    ${delivered}
    ${goodbye}`;
  const { acquire, end } = await stage(t, [script]);
  await abandon(acquire);
  await deliverNext(acquire);
  await end();
});

test('a session that refuses RSET is not used again', async (t) => {
  await endsIdle(t, 'S: 500 no\ngone');
});

test('a session released in the middle of a message is cut, without a dot', async (t) => {
  const { acquire, count, end } = await stage(t, [
    `${opened}${envelope}\nC: DATA\nS: 354 go\ngone`,
    `${opened}${envelope}\nC: DATA\ngone`,
  ]);
  const first = await acquire();
  await first.envelope(from, [to('b')]);
  await first.data();
  await first.write([Buffer.from('half')]);
  first.release();
  assert.deepEqual(count, { open: 0, idle: 0 });
  const second = await acquire();
  await second.envelope(from, [to('b')]);
  const data = second.data();
  await nextTurn();
  second.release();
  await assert.rejects(data, fails('nextHopLost'));
  assert.deepEqual(count, { open: 0, idle: 0 });
  await end();
});

for (const [name, ending] of [
  ['closes', 'close'],
  ['resets', 'reset'],
  ['says 421', 'S: 421 4.4.2 idle too long\nclose'],
  ['speaks out of turn', 'S: 250 hello?\ngone'],
] as const) {
  test(`an idle session that the next hop ${name} is not handed out`, async (t) => {
    await endsIdle(t, `S: 250 Ok\n${ending}`);
  });
}

test('a session that dies in use is alive no more, before anything is said on it', async (t) => {
  const { acquire, open } = await stage(t, [`${opened}\nS: 421 4.3.2 bye\nclose`]);
  const session = await acquire();
  await open(0);
  assert.equal(session.alive, false);
  session.release();
});

test('retired after 100 messages', async (t) => {
  const { acquire, open, peer } = await stage(t, [opened + delivered.repeat(100) + goodbye]);
  for (let i = 0; i < 100; i++) {
    const session = await acquire();
    assert.equal(session.reused, i > 0);
    await deliver(session);
    session.release();
  }
  await open(0);
  await peer.done();
});

test('retired after 5 refusals', async (t) => {
  const refusing = `
    C: MAIL FROM:<a@a.example>
    S: 250 Ok
    C: RCPT TO:<b@b.example>
    S: 550 no
    C: RCPT TO:<b@b.example>
    S: 450 later`;
  const script = `${opened}${refusing}\nC: RSET\nS: 250 Ok${refusing}\nC: RSET\nS: 250 Ok
    C: MAIL FROM:<a@a.example>\nS: 452 busy${goodbye}`;
  const { acquire, open, peer } = await stage(t, [script]);
  for (let i = 0; i < 2; i++) {
    const session = await acquire();
    await session.envelope(from, [to('b'), to('b')]);
    session.release();
  }
  const last = await acquire();
  assert.equal(last.reused, true);
  assert.equal((await last.mail(from)).code, 452);
  last.release();
  await open(0);
  await peer.done();
});
