import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { prepareDetach, startDetach } from '../harness/detach-mta.ts';
import { startAzurite } from '../harness/azurite.ts';
import { startDovecot } from '../harness/dovecot.ts';
import { freePort } from '../harness/ports.ts';
import { startPostfix } from '../harness/postfix.ts';
import { run } from '../harness/process.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { chainUsers, linkIn } from './chain.ts';

const message = buildMessage({
  from: 'alice@example.com',
  to: 'bob@example.org',
  attachments: [{ name: 'a.pdf', type: 'application/pdf', content: randomBytes(300_000) }],
});
const envelope = { from: 'alice@example.com', to: ['bob@example.org'] };

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

async function certificate(directory: string, name: string): Promise<Certificate> {
  const [cert, key] = [`${directory}/${name}.pem`, `${directory}/${name}.key`];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},IP:127.0.0.1`];
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ]);
  return { cert, key };
}

test('TLS on both sides with real Postfix: required and verified, or the mail waits', async (t) => {
  const scenario = new Scenario(t);
  const directory = scenario.directory('certificates');
  const filter = await certificate(directory, 'detach.example.net');
  const forB = await certificate(directory, 'mail-b.example.net');
  const azurite = await scenario.use(startAzurite());
  const dovecot = await scenario.use(startDovecot({ users: chainUsers }));
  const b = await scenario.use(
    startPostfix({
      dir: 'postfix-b',
      settings: {
        virtual_transport: `lmtp:inet:127.0.0.1:${dovecot.lmtpPort}`,
        smtpd_tls_security_level: 'encrypt',
        smtpd_tls_cert_file: forB.cert,
        smtpd_tls_key_file: forB.key,
        smtpd_tls_received_header: 'yes',
      },
    }),
  );
  const tls = { mode: 'required', ca: forB.cert, servername: 'mail-b.example.net' };
  const detach = await scenario.use(
    startDetach({
      nextHop: b.port,
      storage: azurite.connectionString,
      config: { inbound: { tls: { mode: 'required', ...filter } }, outbound: { tls } },
    }),
  );
  const a = await scenario.use(
    startPostfix({
      dir: 'postfix-a',
      settings: {
        relayhost: `[127.0.0.1]:${detach.port}`,
        smtp_tls_security_level: 'secure',
        smtp_tls_CAfile: filter.cert,
        smtp_tls_secure_cert_match: 'detach.example.net',
      },
    }),
  );
  await sendMail({ port: a.port, ...envelope, message });
  const [copy] = await dovecot.waitForMail('bob@example.org');
  assert.match(String(copy), /by detach\.example\.net \(Detach MTA\) with ESMTPS id/);
  assert.match(String(copy), /using TLSv1\.[23] with cipher/);
  const clear = await sendMail({ port: detach.port, ...envelope, message });
  assert.match(clear.mail.text, /^530 5\.7\.0 /);

  const wrongName = await scenario.use(
    startDetach({
      nextHop: b.port,
      storage: azurite.connectionString,
      config: { outbound: { tls: { ...tls, servername: 'other.example.net' } } },
    }),
  );
  const refused = await sendMail({ port: wrongName.port, ...envelope, message });
  assert.match(refused.mail.text, /^451 4\.7\.5 /);
});

test('as a before-queue filter: the client hears the verdict, and the log of Postfix names the client', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const dovecot = await scenario.use(startDovecot({ users: chainUsers }));
  const reinjection = await freePort();
  const detach = await scenario.use(
    await prepareDetach({
      nextHop: reinjection,
      storage: azurite.connectionString,
      config: { inbound: { xforwardHosts: ['127.0.0.0/8'] } },
    }),
  );
  await detach.start();
  const postfix = await scenario.use(
    startPostfix({
      dir: 'postfix-a/before-queue',
      settings: { virtual_transport: `lmtp:inet:127.0.0.1:${dovecot.lmtpPort}` },
      ports: { '127.0.0.1:10026': reinjection },
      master: (text) => text.replaceAll('127.0.0.1:10025', `127.0.0.1:${detach.port}`),
    }),
  );
  const sent = await sendMail({ port: postfix.port, ...envelope, message, helo: 'workstation.example.com' });
  assert.equal(sent.final[0]?.code, 250);
  const [copy] = await dovecot.waitForMail('bob@example.org');
  assert.ok(copy);
  assert.equal((await fetch(linkIn(copy))).status, 200);
  const { id } = await detach.waitForEvent('transaction');
  // Postfix has no queue id yet, so what it logs as one is ours: it leads from its log to ours.
  const line = await postfix.waitForLog(/reinject\/smtpd\[\d+\]: \S+: client=localhost\[127\.0\.0\.1\], (orig_.*)/);
  assert.match(line[1] ?? '', new RegExp(`^orig_queue_id=${String(id)}, orig_client=localhost\\[127\\.0\\.0\\.1\\]$`));
});

test('next hops in order: the second one takes over while the first is down', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const first = await scenario.use(startSink());
  const second = await scenario.use(startSink());
  const detach = await scenario.use(
    startDetach({
      nextHop: [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`],
      storage: azurite.connectionString,
    }),
  );
  await first.down();
  assert.equal((await sendMail({ port: detach.port, ...envelope, message })).final[0]?.code, 250);
  assert.equal(second.messages.length, 1);
});

test('SIGTERM: what is under way is finished, then the process ends with 0', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let reached: () => void = () => undefined;
  const atDot = new Promise<void>((resolve) => (reached = resolve));
  const sink = await scenario.use(
    startSink({
      answer: async ({ stage }) => {
        if (stage !== 'message') return undefined;
        reached();
        await held;
        return undefined;
      },
    }),
  );
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage: azurite.connectionString }));
  const sending = sendMail({ port: detach.port, ...envelope, message });
  await atDot;
  const ended = detach.kill('SIGTERM');
  await detach.waitForEvent('stopping');
  release();
  assert.equal((await sending).final[0]?.code, 250);
  assert.equal(await ended, 0);
});
