/** A keeps a session with Detach MTA for its next message. When Detach MTA ends meanwhile, that costs no message a delay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { startDetach } from '../harness/detach-mta.ts';
import { startPostfix } from '../harness/postfix.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { closedDirectory } from './chain.ts';

const [from, to] = ['dave@example.org', 'alice@example.com'];
const message = buildMessage({ from, to, text: 'Small.' });

test('kept sessions: kill, stop and reload of Detach MTA are noticed by A before its next message', async (t) => {
  const scenario = new Scenario(t);
  const sink = await scenario.use(startSink());
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage: closedDirectory(scenario) }));
  const a = await scenario.use(
    startPostfix({
      dir: 'postfix-a',
      // Longer than any of this takes: the session is always a kept one.
      settings: { relayhost: `[127.0.0.1]:${detach.port}`, smtp_connection_cache_time_limit: '600s' },
    }),
  );
  const send = async (): Promise<void> => {
    await sendMail({ port: a.port, from, to: [to], message });
    await a.waitForEmptyQueue();
  };
  const interruptions: readonly (() => Promise<unknown>)[] = [
    () => detach.restart('SIGKILL'),
    () => detach.restart('SIGTERM'),
    () => detach.reload(),
  ];
  for (const interrupt of interruptions) {
    await send();
    await send();
    await interrupt();
  }
  await send();
  assert.equal(sink.messages.length, 2 * interruptions.length + 1);
  const log = a.log();
  assert.ok((log.match(/conn_use=2,/g) ?? []).length >= interruptions.length, log.slice(-3000));
  assert.doesNotMatch(log, /status=(deferred|bounced)/);
});
