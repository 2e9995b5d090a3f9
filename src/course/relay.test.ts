import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Outgoing } from '../detach/interface.ts';
import { HeaderBlock } from '../message/header-block.ts';
import { RecordingLog } from '../outbound/testing/options.ts';
import { willingRelay } from './testing/willing-relay.ts';

test('a spool that cannot be released after the delivery is no reason to have the message sent again', async () => {
  const header = HeaderBlock.parse(Buffer.from('Subject: x\r\n'));
  const outgoing: Outgoing = {
    header: header.raw,
    body: () => [],
    bytesIn: 12,
    bytesOut: 12,
    files: [],
    dispose: () => Promise.reject(new Error('EIO: close')),
  };
  const relay = await willingRelay({
    log: new RecordingLog(),
    detacher: {
      receive: () =>
        Promise.resolve({
          header,
          discard: () => Promise.resolve(),
          detach: () => Promise.resolve(outgoing),
          release: () => undefined,
        }),
      openRoom: () => ({ grow: () => undefined, release: () => undefined }),
      policyClass: () => 'detach',
      trySpool: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
  });
  assert.deepEqual(await relay.data(Readable.from([])), [{ code: 250, lines: ['2.0.0 queued'] }]);
  relay.close();
});
