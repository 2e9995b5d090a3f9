import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../../harness/build-message.ts';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import { freePort } from '../../harness/ports.ts';
import { startPostfix, type PostfixInstance, type PostfixOptions } from '../../harness/postfix.ts';
import { Scenario } from '../../harness/scenario.ts';
import { startSink, type Sink } from '../../harness/sink.ts';
import * as topology from './topology.ts';

/**
 * The original wish: one single Postfix that hands mail to the filter and gets it back, without a loop. Each variant is
 * a directory of `postfix-a/`, used as it is; mail comes back on its listener 10026.
 */
interface Variant {
  readonly dir: string;
  readonly to: string;
  readonly settings: (filter: number, mailboxes: Sink, world: Sink) => PostfixOptions['settings'];
  /** Mail from the sendmail command goes straight to the queue, and is not filtered where the filter stands before it. */
  readonly filtersSendmail: boolean;
}

const variants: readonly Variant[] = [
  {
    dir: 'postfix-a/single-postfix',
    to: 'bob@example.org',
    settings: (filter, mailboxes) => ({
      content_filter: `detach:[127.0.0.1]:${filter}`,
      virtual_transport: `lmtp:inet:127.0.0.1:${mailboxes.port}`,
    }),
    filtersSendmail: true,
  },
  {
    dir: 'postfix-a/single-postfix-relayhost',
    to: 'bob@far.example',
    settings: (filter, _mailboxes, world) => ({
      relayhost: `[127.0.0.1]:${filter}`,
      detach_delivery: `direct:[127.0.0.1]:${world.port}`,
    }),
    filtersSendmail: true,
  },
  {
    dir: 'postfix-a/before-queue',
    to: 'bob@example.org',
    settings: (_filter, mailboxes) => ({ virtual_transport: `lmtp:inet:127.0.0.1:${mailboxes.port}` }),
    filtersSendmail: false,
  },
];

interface Single {
  readonly postfix: PostfixInstance;
  readonly filter: DetachInstance;
  readonly delivered: () => Sink['messages'];
}

async function start(scenario: Scenario, { dir, settings }: Variant): Promise<Single> {
  const [mailboxes, world] = [await topology.startMailboxes(scenario), await scenario.use(startSink())];
  const back = await freePort();
  const filter = await topology.startFilter(scenario, { nextHop: back });
  const postfix = await scenario.use(
    startPostfix({
      dir,
      ports: { '127.0.0.1:10026': back },
      settings: settings(filter.port, mailboxes, world) ?? {},
      master: (text) => text.replaceAll('127.0.0.1:10025', `127.0.0.1:${filter.port}`),
    }),
  );
  return { postfix, filter, delivered: () => [...mailboxes.messages, ...world.messages] };
}

for (const variant of variants) {
  test(`${variant.dir}: delivered once, through the filter once, no loop`, async (t) => {
    const { postfix, filter, delivered } = await start(new Scenario(t), variant);
    const ms = await topology.sendAndSettle(topology.letter(postfix.port, 'alice@example.com', [variant.to]), [
      postfix,
    ]);
    assert.deepEqual(
      delivered().map(({ to }) => to),
      [[variant.to]],
    );
    assert.deepEqual(topology.outcomes(filter), ['delivered']);
    topology.tell(t, `${variant.dir}, guard`, { arrivals: topology.arrivals(filter), bounces: 0, ms });

    const message = buildMessage({ from: 'alice@example.com', to: variant.to });
    await postfix.sendmail(
      ['-f', 'alice@example.com', variant.to],
      message.toString('latin1').replaceAll('\r\n', '\n'),
    );
    await topology.atRest(postfix);
    assert.equal(delivered().length, 2, 'mail of the sendmail command arrives as well');
    assert.equal(topology.passes(filter), variant.filtersSendmail ? 2 : 1);
    assert.deepEqual(topology.fences(filter), []);
  });
}
