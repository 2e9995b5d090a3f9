import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { guardWith } from '../loopguard/testing/guard.ts';
import { ownCalls } from '../loopguard/testing/calls.ts';
import type { Session } from '../outbound/interface.ts';
import { nextHopOptions, RecordingLog } from '../outbound/testing/options.ts';
import type { Reply } from '../smtp/reply.ts';
import { Relay } from './relay.ts';

const ok = (): Promise<Reply> => Promise.resolve({ code: 250, lines: ['2.0.0 ok'] });

const session: Session = {
  extensions: new Map(),
  peer: 'b',
  local: undefined,
  reused: false,
  alive: true,
  xforward: ok,
  mail: ok,
  rcpt: ok,
  envelope: async (_mail, rcpts) => Promise.all([ok(), ...rcpts.map(ok)]),
  data: ok,
  write: () => Promise.resolve(),
  finish: () => Promise.resolve([]),
  rset: ok,
  release: () => undefined,
};

test('a client that leaves after its dot is not said to have left within its message', async () => {
  const log = new RecordingLog();
  const relay = new Relay({
    hostname: 'detach.example',
    inboundProtocol: 'smtp',
    outboundProtocol: 'smtp',
    maxMessageSize: 1000,
    nextHop: {
      lastSeen: undefined,
      acquire: () => Promise.resolve(session),
      probe: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    },
    guard: guardWith({}),
    calls: ownCalls(),
    detacher: {
      // The message is read; its files are on their way to a slow storage.
      receive: (_body, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      policyClass: () => 'detach',
      trySpool: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    notify: () => undefined,
    log,
    meter: nextHopOptions([]).meter,
    policyClass: () => 'detach',
  });
  const client = { address: '192.0.2.1', helo: 'a.example', protocol: 'ESMTP', xforward: new Map<string, string>() };
  await relay.mail({ path: '<a@a.example>', params: [] }, client, []);
  await relay.rcpt([{ path: '<b@b.example>', params: [] }]);
  const replies = relay.data(Readable.from([]));
  relay.close();
  await replies;
  const line = log.entries.find(({ event }) => event === 'transaction');
  assert.deepEqual(
    { outcome: line?.['outcome'], failure: line?.['failure'], reason: line?.['reason'] },
    { outcome: 'lost', failure: 'clientGone', reason: 'client closed the connection before our reply' },
  );
});
