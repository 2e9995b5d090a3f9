/**
 * Messages made to hold the event loop, sent to the running service. While one of them is read, nobody else is served:
 * patterns and loops that take quadratic time on a field or a text of some size would stop the process for minutes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDetach } from '../harness/detach-mta.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { attackLoop, probedIn } from './attack-loop.ts';
import { closedDirectory } from './chain.ts';

test('no message holds the event loop', async (t) => {
  const scenario = new Scenario(t);
  const directory = scenario.directory('loop');
  const sink = await scenario.use(startSink({ keepData: false }));
  const detach = await scenario.use(
    startDetach({ nextHop: sink.port, storage: closedDirectory(scenario), ...probedIn(directory) }),
  );
  const send = async (message: Buffer): Promise<void> => {
    const sent = await sendMail({ port: detach.port, from: 'a@example.com', to: ['b@example.org'], message });
    assert.equal(sent.final[0]?.code, 250, detach.describe());
  };
  await attackLoop(t, { detach, directory, send });
});
