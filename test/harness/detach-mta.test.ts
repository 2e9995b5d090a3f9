import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAzurite } from './azurite.ts';
import { buildMessage } from './build-message.ts';
import { startDetach } from './detach-mta.ts';
import { randomBytes, sha256 } from './random.ts';
import { Scenario } from './scenario.ts';
import { sendMail } from './send-mail.ts';
import { startSink } from './sink.ts';

test('Detach MTA starts, moves a file out, survives a restart, and tells its memory', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite({ inMemory: true }));
  const sink = await scenario.use(startSink());
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage: azurite.connectionString }));
  const content = randomBytes(300_000);
  const from = 'alice@example.com';
  const to = ['bob@example.org'];
  const message = buildMessage({ from, to, attachments: [{ name: 'plan.bin', content }] });
  for (const round of [1, 2]) {
    const sent = await sendMail({ port: detach.port, from, to, message });
    assert.equal(sent.final[0]?.code, 250, detach.describe());
    const received = sink.messages[round - 1];
    const [url = ''] = /http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}/.exec(String(received?.data)) ?? [];
    const file = await fetch(`${url}/file`);
    assert.equal(sha256(Buffer.from(await file.arrayBuffer())), sha256(content));
    if (round === 1) await detach.restart('SIGKILL');
  }
  assert.ok(detach.memory().peak > 1e7);
  assert.equal((await detach.metrics('/healthz')).status, 200);
  assert.equal(await detach.kill('SIGTERM'), 0);
  assert.equal(detach.errors, '');
});
