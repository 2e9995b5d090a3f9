/**
 * A real site on one Postfix: rspamd before us sees every file, OpenDKIM after us signs what leaves; users send by 587
 * (STARTTLS) and 465 (TLS) with passwords that Dovecot knows, machines by 25.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { authenticate } from 'mailauth';
import { createTransport } from 'nodemailer';
import { startAzurite } from '../../harness/azurite.ts';
import { startDetach } from '../../harness/detach-mta.ts';
import { dovecotPassword, startDovecot } from '../../harness/dovecot.ts';
import { freePort } from '../../harness/ports.ts';
import { startPostfix } from '../../harness/postfix.ts';
import { run } from '../../harness/process.ts';
import { randomBytes, sha256 } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { startSink } from '../../harness/sink.ts';
import { linkIn } from '../chain.ts';
import { restore } from '../../harness/restore.ts';
import { startOpenDkim, startRspamd } from './neighbours.ts';

const fileSize = 600_000;

/** A private key and a certificate for it, in one file as Postfix takes it. */
async function certificate(directory: string): Promise<string> {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=mail.example.net', '-days', '2'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject]);
  const both = join(directory, 'chain.pem');
  writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'), { mode: 0o600 });
  return both;
}

test('rspamd, Detach MTA and OpenDKIM on one Postfix: 587, 465 and 25', async (t) => {
  const scenario = new Scenario(t);
  const authPort = await freePort();
  const [azurite, sink, rspamd, opendkim, dovecot] = await Promise.all([
    scenario.use(startAzurite()),
    scenario.use(startSink()),
    scenario.use(startRspamd()),
    scenario.use(startOpenDkim()),
    scenario.use(
      startDovecot({
        users: ['alice@example.com'],
        config: `service auth {\n  inet_listener {\n    address = 127.0.0.1\n    port = ${authPort}\n  }\n}\n`,
      }),
    ),
  ]);
  const config = { inbound: { protocol: 'milter' } };
  const detach = await scenario.use(startDetach({ nextHop: [], storage: azurite.connectionString, config }));
  const milters = [rspamd, detach, opendkim].map(({ port }) => `inet:127.0.0.1:${port}`);
  const postfix = await scenario.use(
    startPostfix({
      dir: 'postfix-a/milter',
      settings: {
        smtpd_milters: milters.join(', '),
        relayhost: `[127.0.0.1]:${sink.port}`,
        smtpd_sasl_path: `inet:127.0.0.1:${authPort}`,
        smtpd_tls_chain_files: await certificate(scenario.directory('tls')),
        smtp_tls_security_level: 'none',
      },
    }),
  );
  const port = (name: string): number => postfix.ports.get(name) ?? assert.fail(`no listener ${name}`);
  const auth = { user: 'alice@example.com', pass: dovecotPassword };
  const ways = {
    'submission, STARTTLS': { port: port('submission'), requireTLS: true, auth },
    'submissions, TLS': { port: port('submissions'), secure: true, auth },
    'port 25': { port: port('smtp'), ignoreTLS: true },
  };
  const files = new Map<string, Buffer>();
  for (const [subject, way] of Object.entries(ways)) {
    const content = randomBytes(fileSize, subject);
    files.set(sha256(content), content);
    const transport = createTransport({ host: '127.0.0.1', tls: { rejectUnauthorized: false }, ...way });
    await transport.sendMail({
      from: 'Alice <alice@example.com>',
      to: 'carol@elsewhere.example',
      messageId: `<${sha256(content).slice(0, 10)}@example.com>`,
      subject,
      text: 'Grüße\n',
      html: '<p>Grüße</p>',
      attachments: [{ filename: 'plan.pdf', content }],
    });
  }
  const messages = await sink.waitForMessages(3);
  const resolver = (name: string): Promise<string[][]> =>
    name === 's1._domainkey.example.com'
      ? Promise.resolve([[opendkim.record]])
      : Promise.reject(Object.assign(new Error(name), { code: 'ENOTFOUND' }));
  for (const { data } of messages) {
    assert.ok(data.length < 12_000, detach.describe());
    const download = await fetch(`${linkIn(data)}/file`);
    const sum = sha256(Buffer.from(await download.arrayBuffer()));
    assert.ok(files.delete(sum), 'one of those that were sent, and each of them once');
    const { dkim } = await authenticate(data, { trustReceived: false, mta: 'test', resolver });
    assert.deepEqual(
      dkim.results.map(({ status, signingDomain }) => [signingDomain, status.result]),
      [['example.com', 'pass']],
    );
    assert.equal((await restore(detach, data)).status, 0);
    const scanned = new RegExp(`scanned (\\d+) bytes of <${sum.slice(0, 10)}@example\\.com>`).exec(rspamd.log());
    assert.ok(
      Number(scanned?.[1]) > fileSize * 1.3,
      `rspamd saw ${scanned?.[1] ?? 'nothing'}\n${rspamd.log().slice(-2000)}`,
    );
  }
  assert.ok(dovecot.pid);
});

test('whoever has no password does not send by submission', async (t) => {
  const scenario = new Scenario(t);
  const postfix = await scenario.use(
    startPostfix({
      dir: 'postfix-a/milter',
      settings: {
        smtpd_tls_chain_files: await certificate(scenario.directory('tls')),
        smtpd_sasl_path: 'inet:127.0.0.1:1',
      },
    }),
  );
  const transport = createTransport({
    host: '127.0.0.1',
    port: postfix.ports.get('submission') ?? 0,
    tls: { rejectUnauthorized: false },
  });
  await assert.rejects(transport.sendMail({ from: 'a@example.com', to: 'b@example.org', text: 'x' }));
});
