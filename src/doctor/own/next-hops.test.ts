import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test, type TestContext } from 'node:test';
import { type SinkOptions, startSink } from '../../../test/harness/sink.ts';
import { createGuard } from '../../loopguard/guard.ts';
import { configOf, neighboursOf } from '../testing/neighbour-lab.ts';
import { examineWith, linesOf } from '../testing/examine.ts';
import { nextHops } from './next-hops.ts';

const configFor = (port: number, over: object = {}, protocol = 'smtp') =>
  configOf({
    ...over,
    outbound: { nextHop: [`127.0.0.1:${port}`], protocol, auth: { user: 'u', pass: 'hunter2-secret' } },
  });

const fingerprint = createGuard(configFor(25).loopguard).fingerprint;

const extensions = ['PIPELINING', 'SIZE 60000000', '8BITMIME', 'SMTPUTF8', 'DSN', 'AUTH PLAIN'];

interface Case {
  readonly name: string;
  readonly sink: SinkOptions;
  readonly config?: object;
  readonly expect: RegExp;
}

const authOk = (line: string): string | undefined => (line.startsWith('AUTH') ? '235 2.7.0 ok' : undefined);

const cases: readonly Case[] = [
  {
    name: 'a good one',
    sink: { extensions },
    expect: /^ok next-hop: 127\.0\.0\.1:\d+: answers as sink\.example\.net, in clear/m,
  },
  {
    name: 'our own cluster',
    sink: { extensions: [...extensions, `XDETACH ${fingerprint}`] },
    expect: /^fail .*is ourselves: it offers XDETACH.*=> set outbound\.nextHop/m,
  },
  {
    name: 'our own name',
    sink: { extensions },
    config: { hostname: 'sink.example.net' },
    expect: /^warn .*greets with our own name.*=> give hostname/m,
  },
  {
    name: 'no SMTPUTF8',
    sink: { extensions: extensions.filter((each) => each !== 'SMTPUTF8') },
    expect: /^warn .*does not offer SMTPUTF8 => .*smtputf8_enable/m,
  },
  {
    name: 'a small SIZE',
    sink: { extensions: extensions.map((each) => each.replace('60000000', '10240000')) },
    expect: /^warn .*takes messages of 10240000 bytes.*=> raise message_size_limit/m,
  },
  {
    name: 'an open relay behind wide networks',
    sink: { extensions },
    config: { inbound: { trustedNetworks: ['0.0.0.0/0'] } },
    expect: /^fail .*an open relay => name only your mail servers/m,
  },
  {
    name: 'no bounces',
    sink: { extensions, answer: ({ stage, line }) => (stage === 'mail' ? '550 5.7.1 no null senders' : authOk(line)) },
    expect: /^warn .*refuses MAIL FROM:<>: 550 5\.7\.1 no null senders =>/m,
  },
  {
    name: 'a session that breaks at MAIL',
    sink: { extensions, answer: ({ stage, line }) => (stage === 'mail' ? 'reset' : authOk(line)) },
    expect: /^fail .*breaks a session.*=> look at the log/m,
  },
  {
    name: 'a password that is refused, and repeated',
    sink: {
      extensions,
      answer: ({ line }) =>
        line.startsWith('AUTH') ? '535 5.7.8 hunter2-secret is wrong, aHVudGVyMi1zZWNyZXQ=' : undefined,
    },
    expect: /^fail .*535 5\.7\.8 \*{8} is wrong, \*{8} => correct outbound\.auth\.user/m,
  },
];

for (const { name, sink, config, expect } of cases) {
  test(`next hop: ${name}`, async (t) => {
    const server = await startSink({ answer: ({ line }) => authOk(line), ...sink });
    t.after(() => server.stop());
    const found = linesOf(await examineWith(nextHops, configFor(server.port, config)));
    assert.match(found, expect);
    assert.doesNotMatch(found, /hunter2|aHVudGVy/);
    assert.equal(server.messages.length, 0);
    assert.ok(!server.lines.some((line) => /^DATA/i.test(line)));
  });
}

test('next hop: a small SIZE is enough where the server before us takes no more', async (t) => {
  const small = extensions.map((each) => each.replace('60000000', '52000000'));
  const server = await startSink({ answer: ({ line }) => authOk(line), extensions: small });
  t.after(() => server.stop());
  for (const [limit, expected] of [
    ['52000000', false],
    ['52000001', true],
    ['0', true],
  ] as const) {
    const main = { message_size_limit: limit };
    const neighbours = await neighboursOf(t, [{ from: 'postfix-a', main }], configFor(server.port));
    const found = linesOf(await examineWith(nextHops, configFor(server.port), { neighbours }));
    assert.equal(found.includes('takes messages of 52000000 bytes'), expected, found);
  }
});

/** A server that says this to whoever connects, and no more. */
async function babbler(t: TestContext, say: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    say(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

const hostile: readonly { readonly name: string; readonly say: (socket: net.Socket) => void }[] = [
  { name: 'garbage', say: (socket) => void socket.end(Buffer.from(Array.from({ length: 4096 }, (_, i) => i % 256))) },
  { name: 'a web server', say: (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') },
  { name: 'a banner without end', say: (socket) => flood(socket, '220-\x1b[2Jfail storage: all is lost\r\n') },
  { name: 'a line without end', say: (socket) => flood(socket, 'x'.repeat(1000)) },
  { name: 'nothing at all', say: (socket) => void socket.end() },
];

function flood(socket: net.Socket, text: string): void {
  const more = (): void => {
    while (socket.writable && socket.write(text));
  };
  socket.on('drain', more);
  more();
}

for (const { name, say } of hostile) {
  test(`a next hop that says ${name} is one finding on one line`, async (t) => {
    const port = await babbler(t, say);
    const found = await examineWith(nextHops, configFor(port));
    assert.equal(found.length, 1, linesOf(found));
    assert.equal(found[0]?.result, 'fail');
    assert.doesNotMatch(linesOf(found), /[\x00-\x09\x0b-\x1f\x7f]/);
    assert.ok(linesOf(found).length < 1200);
  });
}

test('a next hop that never answers ends with the time of the check', async (t) => {
  const port = await babbler(t, () => undefined);
  const found = linesOf(await examineWith(nextHops, configFor(port), { timeoutMs: 300 }));
  assert.match(found, /^fail next-hop: no end within 0\.3 s => /);
});

test('a next hop where nobody listens, and one that has no address', async (t) => {
  const port = await babbler(t, () => undefined);
  const config = configOf({ outbound: { nextHop: ['127.0.0.1:1', 'nowhere.invalid:25'] } });
  const found = linesOf(await examineWith(nextHops, config));
  assert.match(found, /^fail .*127\.0\.0\.1:1: .*ECONNREFUSED.*=> start that server/m);
  assert.match(found, /^fail .*nowhere\.invalid:25: .*=> correct the host/m);
  const own = linesOf(await examineWith(nextHops, configFor(port, { inbound: { port } })));
  assert.match(own, /^fail .*is ourselves: 127\.0\.0\.1 port \d+ is inbound\.address/m);
});
