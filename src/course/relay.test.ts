import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Outgoing } from '../detach/interface.ts';
import { createGuard } from '../loopguard/guard.ts';
import { ownCalls } from '../loopguard/testing/calls.ts';
import { HeaderBlock } from '../message/header-block.ts';
import type { Session } from '../outbound/interface.ts';
import { nextHopOptions } from '../outbound/testing/options.ts';
import { Relay } from './relay.ts';
import type { Reply } from '../smtp/reply.ts';

const said = (code: number, text: string) => (): Promise<Reply> => Promise.resolve({ code, lines: [text] });

test('a spool that cannot be released after the delivery is no reason to have the message sent again', async () => {
  const { log, meter } = nextHopOptions([]);
  const session: Session = {
    extensions: new Map(),
    peer: 'b',
    local: undefined,
    reused: false,
    alive: true,
    xforward: said(250, 'ok'),
    mail: said(250, 'ok'),
    rcpt: said(250, 'ok'),
    envelope: async (_mail, rcpts) => Promise.all([said(250, 'ok')(), ...rcpts.map(said(250, 'ok'))]),
    data: said(354, 'go'),
    write: () => Promise.resolve(),
    finish: () => Promise.resolve([{ code: 250, lines: ['2.0.0 queued'] }]),
    rset: said(250, 'ok'),
    release: () => undefined,
  };
  const header = HeaderBlock.parse(Buffer.from('Subject: x\r\n'));
  const outgoing: Outgoing = {
    header: header.raw,
    body: () => [],
    bytesIn: 12,
    bytesOut: 12,
    files: [],
    dispose: () => Promise.reject(new Error('EIO: close')),
  };
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
    guard: createGuard({ cluster: 'c', keys: [{ id: 'k', secret: Buffer.alloc(32) }], maxPasses: 1, hopLimit: 50 }),
    calls: ownCalls(),
    detacher: {
      receive: () =>
        Promise.resolve({
          header,
          discard: () => Promise.resolve(),
          detach: () => Promise.resolve(outgoing),
          release: () => undefined,
        }),
      policyClass: () => 'detach',
      trySpool: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    notify: () => undefined,
    log,
    meter,
    policyClass: () => 'detach',
  });
  const client = { address: '192.0.2.1', helo: 'a.example', protocol: 'ESMTP', xforward: new Map<string, string>() };
  await relay.mail({ path: '<a@a.example>', params: [] }, client, []);
  await relay.rcpt([{ path: '<b@b.example>', params: [] }]);
  assert.deepEqual(await relay.data(Readable.from([])), [{ code: 250, lines: ['2.0.0 queued'] }]);
  relay.close();
});
