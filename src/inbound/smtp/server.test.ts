import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { converse, openDoor as start, readAll } from './testing/door.ts';

const codesOf = (said: string): number[] =>
  said
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => Number(line.slice(0, 3)));

const ehlo = 'EHLO a.example\r\n';
const envelope = 'MAIL FROM:<s@a.example> SIZE=5\r\nRCPT TO:<r@b.example>\r\n';

test('EHLO offers what the relay says and nothing that the library would add', async () => {
  const { port } = await start();
  assert.deepEqual(await converse(port, `${ehlo}QUIT\r\n`), [
    '220 detach.example ESMTP',
    '250-detach.example',
    '250-PIPELINING',
    '250-SIZE 1000000',
    '250-ENHANCEDSTATUSCODES',
    '250-8BITMIME',
    '250 XDETACH abc',
    '221 2.0.0 Bye',
  ]);
});

test('HELO offers nothing, and the name is passed on as it was said', async () => {
  const { port, relay } = await start();
  const lines = await converse(port, `HELO\r\nhelo A_b.Example\r\n${envelope}QUIT\r\n`);
  assert.deepEqual(
    lines.map((line) => line.slice(0, 10)),
    ['220 detach', '501 5.5.4 ', '250 detach', '250-2.1.0 ', '250 two li', '250 2.1.5 ', '221 2.0.0 '],
  );
  assert.deepEqual([relay.clients[0]?.helo, relay.clients[0]?.protocol], ['A_b.Example', 'SMTP']);
});

test('each protocol has its own greeting', async () => {
  const lmtp = await start({ protocol: 'lmtp' });
  assert.deepEqual(
    codesOf((await converse(lmtp.port, `${ehlo}HELO a\r\nQUIT\r\n`)).join('\r\n')),
    [220, 500, 500, 221],
  );
  const smtp = await start();
  assert.deepEqual(codesOf((await converse(smtp.port, `LHLO a\r\nQUIT\r\n`)).join('\r\n')), [220, 500, 221]);
});

test('QUIT ends the connection, though the client neither reads nor closes its side', async () => {
  const { port, relay } = await start();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.write(`${ehlo}QUIT\r\nMAIL FROM:<s@a.example>\r\n`);
  while (!relay.closed) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(relay.heard, ['reset']);
  socket.destroy();
});

test('all replies before QUIT arrive, however late the client reads them', async () => {
  const { port } = await start();
  const socket = connect(port, '127.0.0.1').pause();
  socket.write(`${ehlo}${'RSET\r\n'.repeat(20_000)}QUIT\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const lines = await readAll(socket.resume());
  assert.equal(lines.filter((line) => line === '250 2.0.0 Ok').length, 20_000);
  assert.equal(lines.at(-1), '221 2.0.0 Bye');
});

test('a pipelined session with two messages: replies in order, content without its stuffing', async () => {
  const { port, relay } = await start();
  const message = `${envelope}DATA\r\n..dot\r\n\u00e9\r\n.\r\n`;
  const lines = await converse(port, `${ehlo}${message}${message}QUIT\r\n`);
  const answers = [
    '250-2.1.0 Fine',
    '250 two lines',
    '250 2.1.5 Ok',
    '354 End data with <CR><LF>.<CR><LF>',
    '250 2.0.0 Ok: queued as ABC',
  ];
  assert.deepEqual(lines.slice(7), [...answers, ...answers, '221 2.0.0 Bye']);
  assert.deepEqual(relay.messages, ['.dot\r\n\u00e9\r\n', '.dot\r\n\u00e9\r\n']);
  assert.ok(relay.heard.includes('MAIL <s@a.example> SIZE=5'));
});

const rcpt = (name: string): string => `RCPT TO:<${name}@b.example>\r\n`;

test('RCPTs that came together are passed on together, a few with MAIL, and answered in one write with DATA', async () => {
  const { port, relay } = await start();
  const socket = connect(port, '127.0.0.1');
  await once(socket.setEncoding('latin1'), 'data');
  socket.write(ehlo);
  await once(socket, 'data');
  socket.write(`MAIL FROM:<s@a.example>\r\n${rcpt('r').repeat(3)}DATA\r\n`);
  const [said] = (await once(socket, 'data')) as [string];
  assert.deepEqual(codesOf(said), [250, 250, 250, 250, 250, 354]);
  assert.deepEqual(relay.together, [3]);
  socket.end(`.\r\nMAIL FROM:<s@a.example>\r\n${rcpt('r').repeat(60)}QUIT\r\n`);
  await readAll(socket);
  assert.deepEqual(relay.together, [3, 4, 50, 6]);
});

test('what is no RCPT ends those that are passed on together, and is answered where it stands', async () => {
  const { port, relay } = await start();
  const group = `${rcpt('r')}RCPT TO:broken\r\n${rcpt('nobody')}rcpt to: <s@b.example>\nRSET\r\n${rcpt('t')}`;
  const lines = await converse(port, `${ehlo}MAIL FROM:<s@a.example>\r\n${group}QUIT\r\n`);
  assert.deepEqual(codesOf(lines.slice(7).join('\r\n')), [250, 250, 250, 501, 550, 250, 250, 250, 221]);
  assert.deepEqual(
    relay.heard.slice(-6),
    ['MAIL <s@a.example>', 'RCPT <r@b.example>', 'RCPT <nobody@b.example>', 'RCPT <s@b.example>', 'reset'].concat(
      'RCPT <t@b.example>',
    ),
  );
});

test('no mail before EHLO, and DATA takes no argument', async () => {
  const { port, relay } = await start();
  const lines = await converse(
    port,
    `${envelope}DATA\r\n${ehlo}${envelope.toLowerCase()}DATA now\r\ndata\r\n.\r\nQUIT\r\n`,
  );
  assert.deepEqual(codesOf(lines.slice(1, 4).join('\r\n')), [503, 503, 503]);
  assert.deepEqual(relay.heard.slice(-2), ['MAIL <s@a.example> size=5', 'RCPT <r@b.example>']);
  assert.deepEqual(codesOf(lines.slice(-4).join('\r\n')), [501, 354, 250, 221]);
});

test('nothing is said after a 421, and nothing done', async () => {
  const { port, relay } = await start();
  relay.mailReply = { code: 421, lines: ['4.3.2 closing'] };
  const lines = await converse(port, `${ehlo}MAIL FROM:<s@a.example>\r\n${rcpt('r')}RSET\r\n`);
  assert.equal(lines.at(-1), '421 4.3.2 closing');
  assert.equal(relay.heard.at(-1), 'RCPT <r@b.example>');
});

test('commands come out the same however they are cut', async () => {
  const { port, relay } = await start();
  const wire = `${ehlo}${envelope}DATA\r\nx\r\n.\r\nNOOP\r\nVRFY x\r\nQUIT\r\n`;
  const whole = await converse(port, wire);
  const heard = relay.heard.splice(0);
  const socket = connect(port, '127.0.0.1').setNoDelay();
  const lines = readAll(socket);
  for (const octet of wire) {
    socket.write(octet);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await lines, whole);
  assert.deepEqual(relay.heard, heard);
});

test('a command line without end is refused, whole or in pieces', async () => {
  const { port, relay } = await start();
  for (const end of ['', '\r\nNOOP\r\n']) {
    const lines = await converse(port, `${ehlo}MAIL FROM:<${'x'.repeat(20_000)}${end}`);
    assert.match(lines.at(-1) ?? '', /^421 .*command line too long/);
  }
  const lines = await converse(port, `${ehlo}MAIL FROM:<s@a.example>\r\nRCPT TO:<${'x'.repeat(20_000)}@b.example>\r\n`);
  assert.match(lines.at(-1) ?? '', /^421 .*command line too long/);
  assert.ok(!relay.heard.some((line) => line.startsWith('RCPT')));
});

test('a client outside the trusted networks is refused before its first command', async () => {
  const { port, relay } = await start({ trustedNetworks: ['192.0.2.0/24'] });
  const socket = connect(port, '127.0.0.1');
  const lines = await readAll(socket);
  assert.match(lines[0] ?? '', /^554 5\.7\.1 access denied/);
  assert.deepEqual(relay.heard, []);
});

test('a stranger that talks too soon is not obeyed either', async () => {
  const { port, relay } = await start({ trustedNetworks: ['192.0.2.0/24'] });
  const lines = await converse(port, `${ehlo}${envelope}DATA\r\n`);
  assert.match(lines[0] ?? '', /^554 5\.7\.1 /);
  assert.deepEqual(relay.heard, []);
});

test('a bare line feed is refused, and what follows the message is not read as commands of it', async () => {
  const { port, relay } = await start();
  const lines = await converse(port, `${ehlo}${envelope}DATA\r\na\n.\nMAIL FROM:<x@y>\r\n.\r\nQUIT\r\n`);
  assert.match(lines.at(-2) ?? '', /^550 5\.5\.2 /);
  assert.equal(lines.at(-1), '221 2.0.0 Bye');
  assert.deepEqual(relay.messages, []);
  assert.ok(!relay.heard.includes('MAIL <x@y>'));
});

test('a message over the limit is refused after its end, and the session goes on', async () => {
  const { port, relay } = await start({ maxMessageSize: 1000 });
  const lines = await converse(port, `${ehlo}${envelope}DATA\r\n${'x'.repeat(2000)}\r\n.\r\nQUIT\r\n`);
  assert.match(lines.at(-2) ?? '', /^552 5\.3\.4 /);
  assert.equal(lines.at(-1), '221 2.0.0 Bye');
  assert.deepEqual(relay.messages, []);
});

test('a relay that gives up early: the rest of the message is swallowed, the reply comes at its end', async () => {
  const { port, relay } = await start();
  relay.hasty = true;
  const lines = await converse(port, `${ehlo}${envelope}DATA\r\n${'x\r\n'.repeat(300_000)}.\r\nQUIT\r\n`);
  assert.match(lines.at(-2) ?? '', /^452 4\.3\.1 /);
  assert.equal(lines.at(-1), '221 2.0.0 Bye');
});

test('an LMTP client hears of each recipient', async () => {
  const { port, relay } = await start({ protocol: 'lmtp' });
  relay.replies = [
    { code: 250, lines: ['2.1.5 one'] },
    { code: 452, lines: ['4.2.2 two'] },
  ];
  const lines = await converse(port, `LHLO a.example\r\n${envelope}DATA\r\nx\r\n.\r\nQUIT\r\n`);
  assert.deepEqual(lines.slice(-3), ['250 2.1.5 one', '452 4.2.2 two', '221 2.0.0 Bye']);
  assert.equal(relay.clients[0]?.protocol, 'LMTP');
});

test('an LMTP client hears of the recipients after a 421 too: who has the message must not get it again', async () => {
  const { port, relay } = await start({ protocol: 'lmtp' });
  relay.replies = [
    { code: 421, lines: ['4.3.2 one'] },
    { code: 250, lines: ['2.1.5 two'] },
  ];
  const lines = await converse(port, `LHLO a.example\r\n${envelope}DATA\r\nx\r\n.\r\n`);
  assert.deepEqual(lines.slice(-2), ['421 4.3.2 one', '250 2.1.5 two']);
});

test('XFORWARD is taken from its hosts only, and holds for one transaction', async () => {
  const command = 'XFORWARD NAME=c.example ADDR=192.0.2.9 IDENT=Q+41\r\n';
  const without = await start();
  assert.match((await converse(without.port, `${ehlo}${command}QUIT\r\n`)).at(-2) ?? '', /^554 /);
  const { port, relay } = await start({ xforwardHosts: ['127.0.0.1/32'] });
  const message = `${envelope}DATA\r\nx\r\n.\r\n`;
  await converse(port, `${ehlo}${command}${message}${message}QUIT\r\n`);
  assert.deepEqual(Object.fromEntries(relay.clients[0]?.xforward ?? []), {
    NAME: 'c.example',
    ADDR: '192.0.2.9',
    IDENT: 'QA',
  });
  assert.equal(relay.clients[1]?.xforward.size, 0);
});

test('a client that vanishes within the message: the relay learns of it', async () => {
  const { port, relay } = await start();
  const socket = connect(port, '127.0.0.1');
  socket.write(`${ehlo}${envelope}DATA\r\nhalf a mess`);
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) {
    text += chunk as string;
    if (text.includes('354 ')) break;
  }
  socket.destroy();
  while (!relay.closed) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(relay.messages, []);
});

test('a command that was cut off is not carried out', async () => {
  const { port, relay } = await start();
  const socket = connect(port, '127.0.0.1');
  socket.end(`${ehlo}MAIL FROM:<s@a.example>`);
  await readAll(socket);
  assert.ok(!relay.heard.some((line) => line.startsWith('MAIL')));
});

test('shutting down: idle clients are told, a message under way is answered first', async () => {
  const { port, relay, inbound } = await start();
  const idle = connect(port, '127.0.0.1');
  await once(idle, 'data');
  let reached = (): void => undefined;
  const atReply = new Promise<void>((resolve) => (reached = resolve));
  let release = (): void => undefined;
  relay.beforeReply = () => {
    reached();
    return new Promise((resolve) => (release = resolve));
  };
  const busy = converse(port, `${ehlo}${envelope}DATA\r\nx\r\n.\r\n`);
  await atReply;
  const closing = inbound.close({ hurry: AbortSignal.abort(), deadline: AbortSignal.timeout(10_000) });
  assert.match((await readAll(idle)).join(), /^421 4\.3\.2/);
  release();
  const lines = await busy;
  assert.ok(lines.includes('250 2.0.0 Ok: queued as ABC'));
  await closing;
});

test('shutting down does not wait for a PROXY header that never comes', async () => {
  const { port, inbound } = await start({ proxyHosts: ['127.0.0.0/8'] });
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  const spoken = connect(port, '127.0.0.1');
  spoken.write('PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n');
  // Accepted in order: once the second is greeted, the first is being waited for.
  await once(spoken, 'data');
  await Promise.all([
    inbound.close({ hurry: AbortSignal.abort(), deadline: AbortSignal.timeout(10_000) }),
    once(silent, 'close'),
    readAll(spoken),
  ]);
});

test('retiring: a client that was just served is left alone for a moment, then sent away', async () => {
  const { port, inbound } = await start();
  const client = connect(port, '127.0.0.1').setEncoding('latin1');
  await once(client, 'data');
  const closed = inbound.close({ hurry: new AbortController().signal, deadline: AbortSignal.timeout(20_000) });
  client.write(ehlo);
  assert.match(String(await once(client, 'data')), /^250/);
  client.write(`${envelope}DATA\r\nx\r\n.\r\n`);
  const lines = await readAll(client);
  assert.ok(lines.includes('250 2.0.0 Ok: queued as ABC'));
  assert.match(lines.at(-1) ?? '', /^421 4\.3\.2/);
  await closed;
});

test('strangers take no places: a flood of them, and the neighbour is served at once', async () => {
  const { port, relay, lines } = await start({ maxClients: 2, proxyHosts: ['127.0.0.0/8'] });
  const strangers = Array.from({ length: 300 }, () => converse(port, 'PROXY TCP4 192.0.2.66 192.0.2.1 1 25\r\n'));
  const said = await converse(
    port,
    `PROXY TCP4 127.0.0.1 192.0.2.1 1 25\r\n${ehlo}${envelope}DATA\r\nx\r\n.\r\nQUIT\r\n`,
  );
  assert.equal(said.at(-2), '250 2.0.0 Ok: queued as ABC');
  assert.equal(relay.messages.length, 1);
  for (const [first] of await Promise.all(strangers)) assert.match(first ?? '', /^554 5\.7\.1 /);
  assert.equal(lines.filter((line) => line.event === 'client-refused').length, 1);
});

test('one address has its share of the places, the others have theirs', async () => {
  const { port, lines } = await start({
    maxClients: 4,
    maxClientsPerAddress: 2,
    proxyHosts: ['127.0.0.0/8'],
    trustedNetworks: ['192.0.2.0/24'],
  });
  const greeted = async (address: string): Promise<[Socket, string]> => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    socket.write(`PROXY TCP4 ${address} 192.0.2.1 1 25\r\n`);
    const [said] = (await once(socket, 'data')) as [string];
    return [socket, said];
  };
  const held = [await greeted('192.0.2.1'), await greeted('192.0.2.1')];
  assert.match((await greeted('192.0.2.1'))[1], /^421 4\.7\.0 too many connections from this address/);
  held.push(await greeted('192.0.2.2'), await greeted('192.0.2.3'));
  assert.match((await greeted('192.0.2.4'))[1], /^421 4\.3\.2 too many connections/);
  for (const [socket, said] of held) {
    assert.match(said, /^220 /);
    socket.end('QUIT\r\n');
    await once(socket, 'close');
  }
  assert.match((await greeted('192.0.2.1'))[1], /^220 /);
  assert.deepEqual(
    lines.map(({ event, client, reason }) => [event, client, reason]),
    [
      ['client-refused', '192.0.2.1', 'tooManyClientsFromAddress'],
      ['client-refused', '192.0.2.4', 'tooManyClients'],
    ],
  );
});

test('a web page cannot send mail through a browser on a trusted host', async () => {
  const { port, relay } = await start();
  const lines = await converse(port, `POST / HTTP/1.1\r\nHost: x\r\n\r\n${ehlo}${envelope}`);
  assert.match(lines.at(-1) ?? '', /^421 4\.7\.0 /);
  assert.deepEqual(relay.heard, []);
});

test('a client that only makes errors is sent away; each message clears the account', async () => {
  const { port, lines } = await start();
  const nonsense = 'AUTH PLAIN AA==\r\n'.repeat(20);
  const message = `${envelope}DATA\r\nx\r\n.\r\n`;
  const said = await converse(port, `${ehlo}${nonsense}${message}${nonsense}${message}${nonsense}AUTH\r\nNOOP\r\n`);
  assert.equal(said.filter((line) => line.startsWith('500 5.5.2 ')).length, 60);
  assert.match(said.at(-1) ?? '', /^421 4\.7\.0 too many errors/);
  assert.deepEqual(
    lines.map(({ event }) => event),
    ['client-error'],
  );
});
