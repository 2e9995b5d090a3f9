/** A store that takes its time, with the timers of both sides shortened: nobody is left waiting, nothing is sent twice. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { MemoryStore } from '../../../src/storage/testing/memory-store.ts';
import type { Store } from '../../../src/storage/interface.ts';
import { buildMessage } from '../../harness/build-message.ts';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail, type SendResult } from '../../harness/send-mail.ts';
import { startSink, type Sink } from '../../harness/sink.ts';
import { waitFor } from '../../harness/wait.ts';
import { startDoor, type Door, type DoorOptions } from './door.ts';
import { startMilterPostfix } from './milter-chain.ts';

const file = { name: 'plan.pdf', content: randomBytes(20_000, 'slow') };
const message = buildMessage({ from: 'alice@example.com', to: 'bob@example.org', attachments: [file] });

/** Takes this long for each file. */
class SlowStore extends MemoryStore {
  delayMs: number;
  asked = 0;

  constructor(delayMs: number) {
    super();
    this.delayMs = delayMs;
  }

  override async putFile(...args: Parameters<Store['putFile']>): ReturnType<Store['putFile']> {
    this.asked += 1;
    await pause(this.delayMs);
    return super.putFile(...args);
  }
}

interface Chain {
  readonly door: Door;
  readonly store: SlowStore;
  readonly postfix: PostfixInstance;
  readonly sink: Sink;
  readonly send: () => Promise<SendResult>;
}

async function start(t: TestContext, delayMs: number, options: DoorOptions & { patience: number }): Promise<Chain> {
  const scenario = new Scenario(t);
  const store = new SlowStore(delayMs);
  const door = await scenario.use(startDoor({ ...options, store }));
  const sink = await scenario.use(startSink());
  const postfix = await scenario.use(
    startMilterPostfix({
      milter: door.port,
      sink,
      settings: { milter_content_timeout: `${options.patience}s` },
    }),
  );
  const send = (): Promise<SendResult> =>
    sendMail({ port: postfix.port, from: 'alice@example.com', to: ['bob@example.org'], message });
  return { door, store, postfix, sink, send };
}

test('a store slower than milter_content_timeout: progress keeps Postfix waiting, and the message goes on', async (t) => {
  const { door, sink, postfix, send } = await start(t, 9000, { patience: 3, progressEveryMs: 500 });
  const { final } = await send();
  assert.equal(final[0]?.code, 250, final[0]?.text);
  const [delivered] = await sink.waitForMessages(1);
  assert.equal((await door.lab.restore(delivered!.data)).equals(message), true);
  assert.doesNotMatch(postfix.log(), /milter.*(timeout|timed out)/i);
});

test('without signs of progress the same Postfix gives up: what the test above shows is theirs', async (t) => {
  const { sink, postfix, send } = await start(t, 9000, { patience: 3, progressEveryMs: 60_000 });
  const { final } = await send();
  assert.equal(final[0]?.code, 451, final[0]?.text);
  await postfix.waitForLog(/milter.*timed? ?out/i);
  assert.equal(sink.messages.length, 0);
});

test('a store slower than our own limit: 451 within it, nothing queued; the next try finds the file stored', async (t) => {
  const { door, store, sink, postfix, send } = await start(t, 6000, {
    patience: 60,
    progressEveryMs: 200,
    replyWithinMs: 1500,
  });
  const { final } = await send();
  assert.equal(final[0]?.code, 451, final[0]?.text);
  assert.ok(!store.files.size, 'the client heard of it before the file was stored');
  assert.deepEqual(await postfix.queue(), []);
  assert.match(final[0].text, /^451 4\.3\.0 not finished in time/);
  await waitFor(() => door.transactions().length === 1, { what: 'the closing line' });
  assert.equal(door.transactions()[0]!['outcome'], 'deferred');
  assert.match(String(door.transactions()[0]!['reason']), /no verdict within 1500 ms/);
  // The upload outlives its message.
  await waitFor(() => store.files.size > 0, { what: 'the upload to end' });
  store.delayMs = 0;
  assert.equal((await send()).final[0]?.code, 250);
  const [delivered] = await sink.waitForMessages(1);
  assert.equal((await door.lab.restore(delivered!.data)).equals(message), true);
  assert.equal(store.files.size, 1);
  assert.equal(store.links.size, 1, 'both tries made the same link');
  assert.equal(sink.messages.length, 1);
});

test('a Postfix that is stopped while the file is stored: nothing is delivered, and the next try is', async (t) => {
  const { door, postfix, sink, store, send } = await start(t, 3000, { patience: 60, progressEveryMs: 200 });
  const sending = assert.rejects(send());
  await waitFor(() => store.asked > 0, { what: 'the upload to begin' });
  await postfix.halt();
  await sending;
  await waitFor(() => door.transactions().length === 1, { what: 'the closing line' });
  const { outcome, reason } = door.transactions()[0] as { outcome: unknown; reason: unknown };
  assert.equal(outcome, 'lost');
  assert.match(String(reason), /did not wait|closed the connection/);
  store.delayMs = 0;
  await postfix.start();
  assert.equal((await send()).final[0]?.code, 250);
  await sink.waitForMessages(1);
  assert.equal(sink.messages.length, 1);
});

test('storage down: 451, or the message whole, as configured', async (t) => {
  for (const [onStorageFailure, code] of [
    ['defer', 451],
    ['pass', 250],
  ] as const) {
    const { sink, store, send } = await start(t, 0, { patience: 60, rules: { onStorageFailure } });
    store.down = true;
    const { final } = await send();
    assert.equal(final[0]?.code, code, final[0]?.text);
    if (code === 451) assert.equal(sink.messages.length, 0);
    else assert.ok((await sink.waitForMessages(1))[0]!.data.includes(message), 'with its file in it');
  }
});
