import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { RecordingLog } from '../outbound/testing/options.ts';
import type { Relay, RelayOptions } from './relay.ts';
import { willingRelay } from './testing/willing-relay.ts';

const idleDetacher: RelayOptions['detacher'] = {
  // The message is read; its files are on their way to a slow storage.
  receive: (_body, { signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  openRoom: () => ({ grow: () => undefined, release: () => undefined }),
  policyClass: () => 'detach',
  trySpool: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

test('a client that leaves after its dot is not said to have left within its message', async () => {
  const log = new RecordingLog();
  const relay = await willingRelay({
    log,
    detacher: idleDetacher,
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

test('a client that leaves before its message is not said to have reset the transaction', async () => {
  const reasonAfter = async (end: (relay: Relay) => void): Promise<unknown> => {
    const log = new RecordingLog();
    end(await willingRelay({ log, detacher: idleDetacher }));
    return log.entries.find(({ event }) => event === 'transaction')?.['reason'];
  };
  assert.equal(await reasonAfter((relay) => relay.close()), 'client closed the connection before its message');
  assert.equal(await reasonAfter((relay) => relay.reset()), 'reset by the client');
});
