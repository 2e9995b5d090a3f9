import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHaproxy } from './haproxy.ts';
import { Scenario } from './scenario.ts';
import { sendMail } from './send-mail.ts';
import { startSink } from './sink.ts';

test('HAProxy takes the backends in turn', async (t) => {
  const scenario = new Scenario(t);
  const sinks = [await scenario.use(startSink()), await scenario.use(startSink())];
  const { port } = await scenario.use(startHaproxy({ backends: sinks.map((sink) => sink.port) }));
  const message = Buffer.from('\r\nhello\r\n');
  for (let i = 0; i < 4; i++) await sendMail({ port, from: '', to: ['bob@example.org'], message });
  // The readiness check was a connection too, so either backend may get the first message.
  assert.deepEqual(
    sinks.map((sink) => sink.messages.length),
    [2, 2],
  );
});
