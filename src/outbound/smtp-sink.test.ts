// Against Postfix's own test server, which refuses, drops and hangs on demand.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeReply, type Reply } from '../smtp/reply.ts';
import type { NextHop, Session } from './interface.ts';
import { createNextHop } from './next-hop.ts';
import { fails } from './testing/fails.ts';
import { nextHopOptions, type Overrides } from './testing/options.ts';
import { codes, from, to } from './testing/transaction.ts';

const directory = mkdtempSync(join(tmpdir(), 'smtp-sink-'));
after(() => rmSync(directory, { recursive: true }));
let sinks = 0;

async function connects(path: string): Promise<boolean> {
  const socket = net.connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** smtp-sink on a unix socket of its own: no port to be free. */
async function sink(t: TestContext, options: readonly string[], overrides: Overrides = {}): Promise<NextHop> {
  const path = join(directory, `${++sinks}.sock`);
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const child = spawn('/usr/sbin/smtp-sink', [...user, ...options, `unix:${path}`, '10'], { stdio: 'inherit' });
  t.after(() => child.kill());
  const deadline = Date.now() + 10_000;
  while (!(await connects(path))) {
    assert.ok(child.exitCode === null && Date.now() < deadline, 'smtp-sink does not listen');
    await sleep(10);
  }
  const hop = createNextHop(nextHopOptions([{ kind: 'unix', path }], overrides));
  t.after(() => hop.close());
  return hop;
}

const text = Buffer.from('Subject: x\r\n\r\n.dot\r\n..two\r\nend\r\n');

async function transaction(session: Session, message: Iterable<Buffer> = [text]): Promise<Reply[]> {
  const replies = [...(await session.envelope(from, [to('x'), to('y')]))];
  if (replies.some(({ code }) => code >= 400)) return replies;
  const data = await session.data();
  if (data.code >= 400) return [data];
  await session.write(message);
  return [...(await session.finish())];
}

for (const [name, options, pipelining] of [
  ['as it is', [], true],
  ['without PIPELINING', ['-p'], false],
  ['without ESMTP', ['-e'], false],
  ['without 8BITMIME, DSN, enhanced codes and XFORWARD', ['-8', '-N', '-E', '-F'], true],
] as const) {
  test(`smtp-sink ${name}: three messages on one session, byte for byte`, async (t) => {
    const dump = mkdtempSync(join(directory, 'dump-'));
    const hop = await sink(t, [...options, '-d', `${dump}/%H.`]);
    for (let i = 0; i < 3; i++) {
      const session = await hop.acquire({ signal: t.signal });
      assert.equal(session.reused, i > 0);
      assert.equal(session.extensions.has('PIPELINING'), pipelining);
      assert.deepEqual(codes(await transaction(session)), [250]);
      session.release();
    }
    const files = readdirSync(dump);
    assert.equal(files.length, 3);
    for (const file of files) {
      // smtp-sink writes its own header on top, and bare LFs.
      const dumped = readFileSync(join(dump, file), 'latin1');
      assert.ok(dumped.includes('Subject: x\n\n.dot\n..two\nend\n'), dumped);
    }
  });
}

test('smtp-sink: XFORWARD is taken', async (t) => {
  const hop = await sink(t, []);
  const session = await hop.acquire({ signal: t.signal });
  assert.match(session.extensions.get('XFORWARD') ?? '', /NAME/);
  const attributes = new Map([
    ['NAME', 'client.example'],
    ['ADDR', '192.0.2.1'],
    ['HELO', 'odd = name'],
  ]);
  assert.equal((await session.xforward(attributes)).code, 250);
  assert.deepEqual(codes(await transaction(session)), [250]);
  session.release();
});

test('smtp-sink as LMTP: a reply per recipient', async (t) => {
  const hop = await sink(t, ['-L'], { outbound: { protocol: 'lmtp' } });
  for (let i = 0; i < 2; i++) {
    const session = await hop.acquire({ signal: t.signal });
    assert.deepEqual(codes(await transaction(session)), [250, 250]);
    session.release();
  }
});

for (const [flag, code] of [
  ['-r', 450],
  ['-f', 500],
] as const) {
  for (const [command, expected] of [
    ['MAIL', [code, code, code]],
    ['RCPT', [250, code, code]],
    ['DATA', [code]],
    ['.', [code]],
  ] as const) {
    test(`smtp-sink ${flag} ${command}: its own reply comes back`, async (t) => {
      const hop = await sink(t, [flag, command]);
      const session = await hop.acquire({ signal: t.signal });
      assert.deepEqual(codes(await transaction(session)), expected);
      assert.equal(session.alive, true);
      session.release();
    });
  }
}

for (const command of ['MAIL', 'RCPT', 'DATA', '.']) {
  test(`smtp-sink -q ${command}: it closes without a word`, async (t) => {
    const hop = await sink(t, ['-q', command]);
    const session = await hop.acquire({ signal: t.signal });
    await assert.rejects(transaction(session), fails('nextHopLost'));
    assert.equal(session.alive, false);
    session.release();
  });

  test(`smtp-sink -Q ${command}: it says 421 and closes`, async (t) => {
    const hop = await sink(t, ['-Q', command]);
    const session = await hop.acquire({ signal: t.signal });
    const last = (await transaction(session)).at(-1);
    assert.equal(last?.code, 421, last && describeReply(last));
    assert.equal(session.alive, false);
    session.release();
  });
}

for (const command of ['CONNECT', 'EHLO']) {
  test(`smtp-sink -q and -Q ${command}: no session`, async (t) => {
    for (const flag of ['-q', '-Q']) {
      const hop = await sink(t, [flag, command]);
      await assert.rejects(hop.acquire({ signal: t.signal }), fails('nextHopUnreachable'));
      assert.equal(await hop.probe(t.signal), false);
    }
  });
}

test('smtp-sink -A: 550 in the middle of the message, and nothing more is read', async (t) => {
  const hop = await sink(t, ['-A', '0']);
  const session = await hop.acquire({ signal: t.signal });
  const block = Buffer.alloc(65536, `${'x'.repeat(62)}\r\n`);
  const replies = await transaction(session, new Array<Buffer>(2000).fill(block));
  assert.deepEqual(codes(replies), [550]);
  assert.equal(session.alive, false);
  session.release();
});
