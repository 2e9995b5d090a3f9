import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBytes } from './random.ts';
import { Scenario } from './scenario.ts';
import { sendMail } from './send-mail.ts';
import { startSink } from './sink.ts';
import { startProxy } from './tcp-proxy.ts';

const body = Buffer.concat([
  Buffer.from('\r\n'),
  Buffer.from(randomBytes(200_000).toString('base64')),
  Buffer.from('\r\n'),
]);
const mail = { from: 'alice@example.com', to: ['bob@example.org'], message: body };

test('the proxy passes everything on, counts it, and can stand still', async (t) => {
  const scenario = new Scenario(t);
  const sink = await scenario.use(startSink());
  const proxy = await scenario.use(startProxy({ target: sink.port }));
  proxy.freeze();
  const sending = sendMail({ port: proxy.port, ...mail });
  assert.equal(await Promise.race([sending, new Promise((resolve) => setTimeout(resolve, 50, 'waits'))]), 'waits');
  proxy.thaw();
  assert.equal((await sending).final[0]?.code, 250);
  assert.ok(sink.messages[0]?.data.equals(body));
  assert.ok(proxy.bytes.up > body.length);
});

test('the proxy breaks a connection after so many bytes, and the next one is well again', async (t) => {
  const scenario = new Scenario(t);
  const sink = await scenario.use(startSink());
  const proxy = await scenario.use(startProxy({ target: sink.port }));
  proxy.breakAfterBytes = 100_000;
  await assert.rejects(sendMail({ port: proxy.port, ...mail }));
  assert.equal(sink.messages.length, 0);
  proxy.breakAfterBytes = undefined;
  assert.equal((await sendMail({ port: proxy.port, ...mail })).final[0]?.code, 250);
  assert.equal(proxy.connections, 2);
});
