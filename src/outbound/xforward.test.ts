import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeReply } from '../smtp/reply.ts';
import { play } from './testing/play.ts';
import { hello } from './testing/transaction.ts';

const opened = hello('PIPELINING', 'XFORWARD NAME ADDR PROTO HELO');

test('XFORWARD: what the next hop takes, encoded as Postfix expects', async (t) => {
  const script = `${opened}
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
    assert.equal(describeReply(await session.xforward(attributes)), '250 2.0.0 Ok');
  });
});

test('XFORWARD: several commands where one would be too long, and the first refusal', async (t) => {
  const name = 'n'.repeat(255);
  const script = `${opened}
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
    assert.equal(describeReply(reply), '550 5.7.0 not you');
  });
});

test('XFORWARD: an attribute that fits no command is said to be unknown; not offered, nothing is said', async (t) => {
  await play(t, `${opened}\nC: XFORWARD HELO=[UNAVAILABLE]\nS: 250 Ok`, async (session) => {
    assert.equal((await session.xforward(new Map([['HELO', '\xff'.repeat(200)]]))).code, 250);
  });
  await play(t, hello(), async (session) => {
    assert.equal((await session.xforward(new Map([['HELO', 'x']]))).code, 250);
  });
});
