import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { handshake } from './handshake.ts';
import { createNextHop } from './next-hop.ts';
import { fails } from './testing/fails.ts';
import { loopback, nextHopOptions, RecordingLog, type Overrides } from './testing/options.ts';
import { ScriptedPeer } from './testing/scripted-peer.ts';
import { deliver, delivered, hello } from './testing/transaction.ts';

const directory = mkdtempSync(join(tmpdir(), 'next-hop-tls-'));
after(() => rmSync(directory, { recursive: true }));

/** A certificate that vouches for itself, so that its own file is the `ca` that trusts it. */
function certificate(name: string): { key: string; cert: string; file: string } {
  const key = join(directory, `${name}.key`);
  const file = join(directory, `${name}.pem`);
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2'];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', file], { stdio: 'pipe' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(file, 'utf8'), file };
}

const ours = certificate('b.example');
const strangers = certificate('stranger.example');

interface Arrived {
  readonly secure: boolean;
  readonly user: string | undefined;
  readonly message: string;
}

/** smtp-server, taking everything down that arrives. */
async function server(t: TestContext, options: SMTPServerOptions): Promise<{ port: number; arrived: Arrived[] }> {
  const arrived: Arrived[] = [];
  const smtp = new SMTPServer({
    authOptional: true,
    logger: false,
    onData: (stream, session, callback) => {
      let message = '';
      stream.on('data', (chunk: Buffer) => (message += chunk.toString('latin1')));
      stream.on('end', () => {
        arrived.push({ secure: session.secure, user: session.user as string | undefined, message });
        callback(null);
      });
    },
    ...options,
  });
  smtp.on('error', () => undefined);
  smtp.listen(0, '127.0.0.1');
  await once(smtp.server, 'listening');
  t.after(() => smtp.close());
  return { port: (smtp.server.address() as net.AddressInfo).port, arrived };
}

type Mode = 'off' | 'opportunistic' | 'required';

const withoutTlsFiles = { cert: undefined, key: undefined };

const tls = (mode: Mode, ca?: string, servername?: string): Overrides => ({
  outbound: { tls: { ...withoutTlsFiles, mode, ca, servername } },
});

async function deliverTo(t: TestContext, port: number, overrides: Overrides, message = 'x\r\n'): Promise<string[]> {
  const log = new RecordingLog();
  const hop = createNextHop(nextHopOptions([loopback(port)], { log, ...overrides }));
  try {
    const session = await hop.acquire({ signal: t.signal });
    await deliver(session, [Buffer.from(message)]);
    session.release();
  } finally {
    await hop.close();
  }
  return log.alarms;
}

test('off: in clear, even where TLS is offered', async (t) => {
  const { port, arrived } = await server(t, { key: ours.key, cert: ours.cert });
  assert.deepEqual(await deliverTo(t, port, tls('off')), []);
  assert.equal(arrived[0]?.secure, false);
});

test('opportunistic: whatever the certificate', async (t) => {
  const { port, arrived } = await server(t, { key: strangers.key, cert: strangers.cert });
  assert.deepEqual(await deliverTo(t, port, tls('opportunistic', undefined, 'b.example')), []);
  assert.equal(arrived[0]?.secure, true);
});

test('opportunistic: in clear where TLS is not offered', async (t) => {
  const { port, arrived } = await server(t, { hideSTARTTLS: true });
  assert.deepEqual(await deliverTo(t, port, tls('opportunistic')), []);
  assert.equal(arrived[0]?.secure, false);
});

test('a large message through TLS', async (t) => {
  const { port, arrived } = await server(t, { key: ours.key, cert: ours.cert });
  const message = `.${'x'.repeat(200)}\r\n`.repeat(50_000);
  await deliverTo(t, port, tls('opportunistic'), message);
  assert.ok(arrived[0]?.message === message);
});

const offersTls = hello('STARTTLS');

const brokenTls: readonly (readonly [name: string, script: string])[] = [
  ['refuses STARTTLS', 'S: 454 4.7.0 not now\ndrain'],
  ['answers garbage to the handshake', 'S: 220 go\nraw: "this is not TLS at all\\r\\n"\ndrain'],
  ['closes at the handshake', 'S: 220 go\nclose'],
  ['resets at the handshake', 'S: 220 go\nreset'],
  ['says nothing at the handshake', 'S: 220 go\ndrain'],
];

for (const [name, script] of brokenTls) {
  test(`opportunistic: goes on in clear when the next hop ${name}`, async (t) => {
    const peer = await ScriptedPeer.listen(t, `${offersTls}\nC: STARTTLS\n${script}`, offersTls + delivered);
    const alarms = await deliverTo(t, peer.port, { ...tls('opportunistic'), timeouts: { reach: 2000 } });
    assert.deepEqual(alarms, ['next-hop-tls-failed']);
    await peer.done();
  });

  test(`required: fails when the next hop ${name}`, async (t) => {
    const peer = await ScriptedPeer.listen(t, `${offersTls}\nC: STARTTLS\n${script}`);
    const delivery = deliverTo(t, peer.port, { ...tls('required'), timeouts: { reach: 1000 } });
    await assert.rejects(delivery, fails('nextHopTls'));
    await peer.done();
  });
}

test('opportunistic: a next hop that refuses us for another reason gets no second connection', async (t) => {
  const peer = await ScriptedPeer.listen(t, 'S: 554 5.7.1 go away\ngone');
  await assert.rejects(deliverTo(t, peer.port, tls('opportunistic')), fails('nextHopUnreachable', /go away/));
  await peer.done();
});

test('required: the certificate of the name, by an authority that is trusted', async (t) => {
  const { port, arrived } = await server(t, { key: ours.key, cert: ours.cert });
  assert.deepEqual(await deliverTo(t, port, tls('required', ours.file, 'b.example')), []);
  assert.equal(arrived[0]?.secure, true);
});

test('required: another name', async (t) => {
  const { port, arrived } = await server(t, { key: ours.key, cert: ours.cert });
  const delivery = deliverTo(t, port, tls('required', ours.file, 'c.example'));
  await assert.rejects(delivery, fails('nextHopTls', /altnames/));
  // Without a name of its own, the certificate must be for the address as configured.
  await assert.rejects(deliverTo(t, port, tls('required', ours.file)), fails('nextHopTls', /altnames/));
  assert.deepEqual(arrived, []);
});

test('required: an authority that is not trusted', async (t) => {
  const { port, arrived } = await server(t, { key: ours.key, cert: ours.cert });
  const delivery = deliverTo(t, port, tls('required', strangers.file, 'b.example'));
  await assert.rejects(delivery, fails('nextHopTls', /self-signed|unable to verify/));
  await assert.rejects(deliverTo(t, port, tls('required', undefined, 'b.example')), fails('nextHopTls', /self-signed/));
  assert.deepEqual(arrived, []);
});

test('required: TLS not offered', async (t) => {
  const { port, arrived } = await server(t, { disabledCommands: ['STARTTLS'] });
  await assert.rejects(deliverTo(t, port, tls('required', ours.file, 'b.example')), fails('nextHopTls', /STARTTLS/));
  assert.deepEqual(arrived, []);
});

test('a certificate file that is missing stops the start', () => {
  assert.throws(() => createNextHop(nextHopOptions([], tls('required', join(directory, 'none.pem')))), /none\.pem/);
});

/** A next hop that serves only clients with a certificate that it trusts. */
const wantsCertificate: SMTPServerOptions = {
  key: ours.key,
  cert: ours.cert,
  ca: strangers.cert,
  requestCert: true,
  rejectUnauthorized: true,
};

/** Verified TLS, with a certificate of ours. */
const showing = (name: string): Overrides => ({
  outbound: {
    tls: {
      ...withoutTlsFiles,
      mode: 'required',
      ca: ours.file,
      servername: 'b.example',
      cert: join(directory, `${name}.pem`),
      key: join(directory, `${name}.key`),
    },
  },
});

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a next hop that wants a certificate gets ours, with ${maxVersion}`, async (t) => {
    const { port, arrived } = await server(t, { ...wantsCertificate, maxVersion });
    assert.deepEqual(await deliverTo(t, port, showing('stranger.example')), []);
    assert.equal(arrived[0]?.secure, true);
  });

  test(`without one, or with a wrong one, no mail is lost, with ${maxVersion}`, async (t) => {
    const { port, arrived } = await server(t, { ...wantsCertificate, maxVersion });
    const without = deliverTo(t, port, tls('required', ours.file, 'b.example'));
    await assert.rejects(without, fails('nextHopTls'));
    await assert.rejects(deliverTo(t, port, showing('b.example')), fails('nextHopTls'));
    assert.equal(arrived.length, 0);
  });
}

const knownUser: SMTPServerOptions = {
  allowInsecureAuth: true,
  onAuth: ({ username, password }, _session, callback) => {
    if (username === 'relay' && password === 's3cret é') callback(null, { user: username });
    else callback(new Error('Invalid username or password'));
  },
};

const auth = (pass: string, mode: Mode): Overrides => ({
  outbound: { ...tls(mode).outbound, auth: { user: 'relay', pass } },
});

test('AUTH over TLS; what EHLO offered is still known after it', async (t) => {
  const { port, arrived } = await server(t, { ...knownUser, key: ours.key, cert: ours.cert });
  const hop = createNextHop(nextHopOptions([loopback(port)], auth('s3cret é', 'opportunistic')));
  const session = await hop.acquire({ signal: t.signal });
  assert.equal(session.extensions.has('8BITMIME'), true);
  assert.equal(session.extensions.has('STARTTLS'), false);
  await deliver(session, [Buffer.from('x\r\n')]);
  session.release();
  await hop.close();
  assert.deepEqual(arrived, [{ secure: true, user: 'relay', message: 'x\r\n' }]);
});

test('AUTH in clear on this machine', async (t) => {
  const { port, arrived } = await server(t, { ...knownUser, hideSTARTTLS: true });
  await deliverTo(t, port, auth('s3cret é', 'off'));
  assert.equal(arrived[0]?.user, 'relay');
});

test('AUTH refused', async (t) => {
  const { port } = await server(t, { ...knownUser, hideSTARTTLS: true });
  const delivery = deliverTo(t, port, auth('wrong', 'off'));
  await assert.rejects(delivery, fails('nextHopAuth', /535/));
});

test('AUTH never leaves the machine in clear', async (t) => {
  const peer = await ScriptedPeer.listen(
    t,
    `S: 220 b\nC: EHLO relay.example\nS: 250-b\nS: 250-STARTTLS\nS: 250 AUTH PLAIN\ngone`,
  );
  const socket = net.connect(peer.port, '127.0.0.1');
  await once(socket, 'connect');
  const opened = handshake(
    {
      connected: socket,
      hostname: 'relay.example',
      protocol: 'smtp',
      host: 'b.example',
      startTls: 'never',
      tls: {},
      auth: { user: 'relay', pass: 's3cret' },
      trustedWire: false,
      timeout: 5000,
      signal: t.signal,
    },
    () => undefined,
  );
  await assert.rejects(opened, fails('nextHopAuth', /needs TLS/));
  await peer.done();
});
