import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { RecordingLog } from '../outbound/testing/options.ts';
import { willingRelay } from './testing/willing-relay.ts';

test('a client that leaves after its dot is not said to have left within its message', async () => {
  const log = new RecordingLog();
  const relay = await willingRelay({
    log,
    detacher: {
      // The message is read; its files are on their way to a slow storage.
      receive: (_body, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      openRoom: () => ({ grow: () => undefined, release: () => undefined }),
      policyClass: () => 'detach',
      trySpool: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
  });
  const replies = relay.data(Readable.from([]));
  relay.close();
  await replies;
  const line = log.entries.find(({ event }) => event === 'transaction');
  assert.deepEqual(
    { outcome: line?.['outcome'], failure: line?.['failure'], reason: line?.['reason'] },
    { outcome: 'lost', failure: 'clientGone', reason: 'client closed the connection before our reply' },
  );
});
