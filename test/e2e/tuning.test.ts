/** The sets of docs/tuning.md in a live chain, with TLS between the servers where they have it: mail passes, sessions are kept. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { type ConfigTree, startDetach } from '../harness/detach-mta.ts';
import { type DovecotInstance, startDovecot } from '../harness/dovecot.ts';
import { startPostfix } from '../harness/postfix.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { readDetachSettings, readSettings, settingsNames, type SettingsName } from '../harness/settings.ts';
import { closedDirectory, linkIn } from './chain.ts';

const [from, to, other] = ['dave@example.org', 'alice@example.com', 'bob@example.org'] as const;
const small = buildMessage({ from, to: other, text: 'Small.' });

function certificate(directory: string): { readonly cert: string; readonly key: string; readonly both: string } {
  const [cert, key, both] = ['cert.pem', 'key.pem', 'both.pem'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const request = 'req -x509 -newkey rsa:2048 -noenc -days 2 -subj /CN=detach.example.net';
  execFileSync('openssl', [...request.split(' '), '-keyout', key, '-out', cert], { stdio: 'pipe' });
  writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
  return { cert, key, both };
}

interface Placed {
  readonly name: SettingsName;
  readonly dovecot: DovecotInstance;
}

/** The chain with that set, files in a directory. The servers of a small office are all on loopback and use no TLS. */
async function startWith(scenario: Scenario, { name, dovecot }: Placed) {
  const { cert, key, both } = certificate(scenario.directory('certificate'));
  const tls = name !== 'small-office';
  const b = await scenario.use(
    startPostfix({
      dir: 'postfix-b',
      settings: {
        virtual_transport: `lmtp:inet:127.0.0.1:${dovecot.lmtpPort}`,
        ...readSettings('postfix-b', name, { tls }),
        ...(tls ? { smtpd_tls_chain_files: both } : {}),
      },
    }),
  );
  const settings = readDetachSettings(name);
  const inbound = { ...(settings['inbound'] as ConfigTree), ...(tls ? { tls: { mode: 'required', cert, key } } : {}) };
  const detach = await scenario.use(
    startDetach({ nextHop: b.port, storage: closedDirectory(scenario), config: { ...settings, inbound } }),
  );
  const a = await scenario.use(
    startPostfix({
      dir: 'postfix-a',
      settings: { relayhost: `[127.0.0.1]:${detach.port}`, ...readSettings('postfix-a', name, { tls }) },
    }),
  );
  return { a, detach, tls };
}

test('each set: a file becomes a link, and A keeps its session for the next message', async (t) => {
  const outer = new Scenario(t);
  const dovecot = await outer.use(startDovecot({ users: [to, other] }));
  for (const [i, name] of settingsNames.entries()) {
    await t.test(name, async (inner) => {
      const { a, detach, tls } = await startWith(new Scenario(inner), { name, dovecot });
      const content = randomBytes(2 ** 20 + 1);
      const withFile = buildMessage({ from, to, text: name, attachments: [{ name: 'a.bin', content }] });
      await sendMail({ port: a.port, from, to: [to], message: withFile });
      const copies = await dovecot.waitForMail(to, i + 1);
      const copy = copies.find((each) => each.includes(`\r\n${name}`) || each.includes(`\n${name}`));
      assert.ok(copy !== undefined && copy.length < 20_000, detach.describe());
      assert.match(linkIn(copy), /\/[\w-]{22}$/);

      // One after the other, so that nothing but the cache keeps a session. It waits 2 s for the next message.
      await a.waitForEmptyQueue();
      for (let n = 0; n < 10 && !a.log().includes('conn_use='); n++) {
        await sendMail({ port: a.port, from, to: [other], message: small });
        await a.waitForEmptyQueue();
      }
      assert.match(a.log(), /conn_use=\d/);
      if (tls) assert.match(a.log(), /TLS connection (established|reused) to/);
    });
  }
});
