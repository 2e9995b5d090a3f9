import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Failure } from '../smtp/failures.ts';
import { createNextHop } from './next-hop.ts';
import { fails } from './testing/fails.ts';
import { loopback, nextHopOptions, RecordingLog } from './testing/options.ts';
import { ScriptedPeer } from './testing/scripted-peer.ts';
import { stage } from './testing/stage.ts';
import { deliver, delivered, from, hello, to } from './testing/transaction.ts';

const opened = hello('PIPELINING', 'XDETACH fingerprint');

/** A port that nobody listens on. */
async function deadPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

// --- reaching a next hop

test('what the next hop offers is remembered from the last session opened', async (t) => {
  const { hop, acquire } = await stage(t, [opened]);
  const seen = (): unknown => hop.lastSeen && [...hop.lastSeen];
  assert.equal(seen(), undefined);
  (await acquire()).release();
  assert.deepEqual(seen(), [
    ['PIPELINING', ''],
    ['XDETACH', 'fingerprint'],
  ]);
});

test('EHLO refused: HELO, and nothing is offered', async (t) => {
  const script = `
    S: 220 old.example
    C: EHLO relay.example
    S: 500 what?
    C: HELO relay.example
    S: 250 old.example`;
  const { acquire, peer } = await stage(t, [script + delivered]);
  const session = await acquire();
  assert.equal(session.extensions.size, 0);
  assert.equal((await session.mail(from)).code, 250);
  assert.equal((await session.rcpt(to('b'))).code, 250);
  await session.data();
  await session.write([]);
  await session.finish();
  session.release();
  assert.equal(peer.messages.length, 1);
});

const refusals: readonly (readonly [script: string, reason: RegExp])[] = [
  ['S: 554 5.7.1 go away', /554 5\.7\.1 go away/],
  ['S: 421 4.3.2 too busy\nclose', /421 4\.3\.2 too busy/],
  ['close', /closed/],
  ['reset', /closed|ECONNRESET/],
  ['S: SSH-2.0-OpenSSH', /SSH-2\.0/],
  ['S: 220 b\nC: EHLO relay.example\nS: 421 4.7.0 not now\nclose', /421 4\.7\.0 not now/],
  ['S: 220 b\nC: EHLO relay.example\nS: 550 no\nC: HELO relay.example\nS: 550 never', /550 never/],
  ['S: 220 b\nC: EHLO relay.example\nclose', /closed/],
  ['drain', /not open within \d+|Greeting never received/],
  ['S: 220 b\nC: EHLO relay.example\nraw: "250-b\\r\\n"\ndrain', /not open within \d+/],
];

for (const [script, reason] of refusals) {
  test(`the next one in the list takes over from one that plays ${JSON.stringify(script)}`, async (t) => {
    const bad = await ScriptedPeer.listen(t, script);
    const good = await ScriptedPeer.listen(t, opened);
    const log = new RecordingLog();
    const nextHop = [loopback(await deadPort()), loopback(bad.port), loopback(good.port)];
    const hop = createNextHop(nextHopOptions(nextHop, { log, timeouts: { reach: 3000 } }));
    const session = await hop.acquire({ signal: t.signal });
    assert.equal(session.peer, `127.0.0.1:${good.port}`);
    session.release();
    await hop.close();
    await good.done();
    assert.deepEqual(log.alarms, ['next-hop-failed', 'next-hop-failed']);
    const [refused, second] = log.entries.map((entry) => String(entry['reason']));
    assert.match(refused ?? '', /ECONNREFUSED/);
    assert.match(second ?? '', reason);
  });
}

test('when none can be reached, the reason is the last one, and all of it is within the budget', async (t) => {
  const silent = await ScriptedPeer.listen(t, 'drain', 'drain');
  const nextHop = [loopback(silent.port), loopback(silent.port)];
  const hop = createNextHop(nextHopOptions(nextHop, { timeouts: { reach: 200 } }));
  await assert.rejects(
    hop.acquire({ signal: t.signal }),
    fails('nextHopUnreachable', /not open within|Greeting never received/),
  );
  assert.equal(await hop.probe(t.signal), false);
});

test('what is said with the greeting already is noticed', async (t) => {
  const script = 'S: 220 b\nC: EHLO relay.example\nraw: "250 b\\r\\n250 and more\\r\\n"\ndrain';
  const { acquire } = await stage(t, [script]);
  const session = await acquire();
  await assert.rejects(session.mail(from), fails('nextHopLost'));
  session.release();
});

test('octets after EHLO that make no reply poison the session', async (t) => {
  const { acquire } = await stage(t, ['S: 220 b\nC: EHLO relay.example\nraw: "250 b\\r\\nxyz\\r\\n"\ndrain']);
  const session = await acquire();
  await assert.rejects(session.mail(from), fails('nextHopLost'));
  session.release();
});

test('unix sockets', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'next-hop-'));
  t.after(() => rm(directory, { recursive: true }));
  const address = { kind: 'unix', path: `${directory}/b.sock` } as const;
  const peer = await ScriptedPeer.listenOn(t, { path: address.path }, opened + delivered);
  const hop = createNextHop(nextHopOptions([address]));
  const session = await hop.acquire({ signal: t.signal });
  assert.equal(session.peer, `unix:${address.path}`);
  await deliver(session);
  session.release();
  await hop.close();
  await peer.done();
  const nobody = createNextHop(nextHopOptions([{ kind: 'unix', path: `${directory}/none.sock` }]));
  await assert.rejects(nobody.acquire({ signal: t.signal }), fails('nextHopUnreachable', /ENOENT/));
});

test('names are resolved as the system does', async (t) => {
  const peer = await ScriptedPeer.listen(t, opened);
  const hop = createNextHop(nextHopOptions([{ kind: 'tcp', host: 'localhost', port: peer.port }]));
  const session = await hop.acquire({ signal: t.signal });
  assert.equal(session.peer, `localhost:${peer.port}`);
  session.release();
  await hop.close();
});

test('given up while connecting', async (t) => {
  const { hop } = await stage(t, ['drain']);
  const controller = new AbortController();
  const acquired = hop.acquire({ signal: controller.signal });
  setImmediate(() => controller.abort(new Failure('shuttingDown')));
  await assert.rejects(acquired, fails('nextHopUnreachable', /given up/));
  await assert.rejects(hop.acquire({ signal: controller.signal }), fails('shuttingDown'));
});

// --- the mirror test

test('a next hop that offers our own fingerprint is refused, loudly', async (t) => {
  const { acquire, log, peer } = await stage(t, [opened], {
    isMirror: (extensions) => extensions.get('XDETACH') === 'fingerprint',
  });
  await assert.rejects(acquire(), fails('mirror', /XDETACH/));
  const alarm = log.entries.find(({ event }) => event === 'next-hop-is-this-relay');
  assert.equal(alarm?.level, 'error');
  assert.match(String(alarm['fix']), /outbound\.nextHop/);
  await peer.done();
});

test('a next hop that is our own listener is refused before a word is said, and not made up for', async (t) => {
  const own = await ScriptedPeer.listen(t, 'gone');
  const other = await ScriptedPeer.listen(t);
  const log = new RecordingLog();
  const hop = createNextHop(
    nextHopOptions([loopback(own.port), loopback(other.port)], {
      log,
      isOwnListener: (address, port) => address === '127.0.0.1' && port === own.port,
    }),
  );
  await assert.rejects(hop.acquire({ signal: t.signal }), fails('mirror', /one of our own listeners/));
  assert.deepEqual(log.alarms, ['next-hop-is-this-relay']);
  await own.done();
  await other.done();
});

test('a next hop with our own name is a warning, once', async (t) => {
  const { acquire, log } = await stage(t, [opened, opened], { hostname: 'relay.example', outbound: { maxIdle: 0 } });
  assert.deepEqual(log.alarms, []);
  (await acquire()).release();
  const namesake = await stage(t, [opened.replace('b.example at', 'Relay.Example at'), opened], { log });
  const first = await namesake.acquire();
  const second = await namesake.acquire();
  first.release();
  second.release();
  assert.deepEqual(log.alarms, ['next-hop-has-our-name']);
});
