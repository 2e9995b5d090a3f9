import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startAzurite } from '../harness/azurite.ts';
import { startDetach } from '../harness/detach-mta.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { startProxy } from '../harness/tcp-proxy.ts';

const message = Buffer.from('From: a@example.com\r\nTo: b@example.org\r\nSubject: small\r\n\r\nhello\r\n');

/**
 * A separate process, like a client on another machine: sends 5,000 requests with invented tokens in one piece, on one
 * connection after another.
 */
const flood = `
const { connect } = require('node:net');
const { randomBytes } = require('node:crypto');
const port = Number(process.argv[1]);
const requests = Array.from({ length: 5000 }, () => 'GET /' + randomBytes(16).toString('base64url') + ' HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n').join('');
const attack = () => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.once('close', () => setTimeout(attack, 1));
  socket.write(requests);
};
for (let i = 0; i < 20; i++) attack();
`;

test('a flood of readers slows no mail, costs few connections to storage and few lines, and its memory comes back', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const storage = await scenario.use(startProxy({ target: azurite.port }));
  const sink = await scenario.use(startSink());
  const detach = await scenario.use(
    startDetach({
      nextHop: sink.port,
      storage: azurite.connectionString.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${storage.port}`),
    }),
  );
  const medianOf = async (count: number): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const started = performance.now();
      const sent = await sendMail({ port: detach.port, from: 'a@example.com', to: ['b@example.org'], message });
      assert.equal(sent.final[0]?.code, 250, detach.describe());
      times.push(performance.now() - started);
    }
    return times.sort((a, b) => a - b)[count >> 1] ?? NaN;
  };
  const memoryOfLinks = (): number => {
    const [pid] = detach.processes('link');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  };
  await medianOf(20);
  const quiet = await medianOf(60);
  const before = { memory: memoryOfLinks(), lines: detach.events.length, connections: storage.connections };
  const attacker = spawn('nice', ['-n', '10', process.execPath, '-e', flood, String(detach.linksPort)], {
    stdio: 'inherit',
  });
  t.after(() => attacker.kill('SIGKILL'));
  await detach.waitForEvent('reader-refused');
  const flooded = await medianOf(60);
  const during = memoryOfLinks();
  attacker.kill('SIGKILL');
  const answer = await fetch(`http://127.0.0.1:${detach.linksPort}/${'A'.repeat(22)}`);
  assert.equal(answer.status, 404);
  const lines = detach.events
    .slice(before.lines)
    .filter(({ event }) => event.startsWith('reader-') || event.startsWith('link-'));
  const connections = storage.connections - before.connections;
  t.diagnostic(`median ${quiet.toFixed(1)} ms quiet, ${flooded.toFixed(1)} ms flooded`);
  t.diagnostic(
    `pages: ${before.memory.toFixed(0)} MB, ${during.toFixed(0)} MB flooded; ${lines.length} lines, ${connections} connections`,
  );
  assert.ok(flooded <= 3 * quiet, `${quiet} ms quiet, ${flooded} ms flooded`);
  assert.ok(connections <= 32 + 4, `${connections} connections to storage`);
  assert.ok(lines.length <= 20, `${lines.length} lines`);
  assert.ok(during - before.memory <= 128, `${during - before.memory} MB more`);
});
