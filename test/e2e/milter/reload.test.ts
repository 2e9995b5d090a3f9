/** A change of generation with connections open, and a UNIX socket in front of a chrooted smtpd. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAzurite } from '../../harness/azurite.ts';
import { buildMessage } from '../../harness/build-message.ts';
import { startDetach, type DetachInstance } from '../../harness/detach-mta.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail, transact } from '../../harness/send-mail.ts';
import { startSink } from '../../harness/sink.ts';
import { SmtpDialog } from '../../harness/smtp-dialog.ts';
import { systemGroup } from '../../harness/system-user.ts';
import { waitFor } from '../../harness/wait.ts';
import { startMilterChain, startMilterPostfix } from './milter-chain.ts';

const from = 'alice@example.com';
const to = ['bob@example.org'];
const letter = (seed: string): Buffer =>
  buildMessage({ from, to: to[0]!, attachments: [{ name: 'a.bin', content: randomBytes(200_000, seed) }] });

test('SIGHUP with connections open: messages under way and later ones on the same connection are all answered', async (t) => {
  const { postfix, detach, sink } = await startMilterChain(new Scenario(t));
  const open = await Promise.all(Array.from({ length: 3 }, () => SmtpDialog.open(postfix.port)));
  const send = (dialog: SmtpDialog, seed: string): ReturnType<typeof transact> =>
    transact(dialog, { port: postfix.port, from, to, message: letter(seed) });
  for (const [i, dialog] of open.entries()) assert.equal((await send(dialog, `before ${i}`)).final[0]?.code, 250);
  const old = detach.processes();
  const sending = open.map((dialog, i) => send(dialog, `during ${i}`));
  await detach.reload({ detach: { minSize: '150KiB' } });
  for (const { final } of await Promise.all(sending)) assert.equal(final[0]?.code, 250, final[0]?.text);
  // Their connections to the Milter are of the generation that goes: it stays until Postfix ends them.
  for (const [i, dialog] of open.entries()) assert.equal((await send(dialog, `after ${i}`)).final[0]?.code, 250);
  const fresh = await sendMail({ port: postfix.port, from, to, message: letter('a new connection') });
  assert.equal(fresh.final[0]?.code, 250);
  const messages = await sink.waitForMessages(10);
  for (const { data } of messages) assert.ok(data.length < 10_000, detach.describe());
  assert.ok(detach.processes().some((pid) => !old.includes(pid)));
  for (const dialog of open) await dialog.quit();
  await waitFor(() => old.every((pid) => !detach.processes().includes(pid)), {
    what: 'the end of the old generation, which nobody is connected to any more',
    detail: () => detach.describe(),
  });
});

test('a chrooted smtpd finds the socket below its queue directory; mode and group say who may use it', async (t) => {
  const scenario = new Scenario(t);
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink());
  const postfix = await scenario.use(
    startMilterPostfix({
      milter: 'unix:detach-mta/milter.sock',
      sink,
      settings: { smtp_dns_support_level: 'disabled' },
      // As Debian ships it: smtpd and cleanup in the chroot.
      master: (text) =>
        text
          .replace(/^(127[^\n]*inet\s+n\s+-\s+)n(\s.*smtpd)$/gm, '$1y$2')
          .replace(/^(cleanup\s+unix\s+n\s+-\s+)n/m, '$1y'),
    }),
  );
  const folder = join(postfix.home, 'queue/detach-mta');
  mkdirSync(folder);
  chmodSync(folder, 0o750);
  chownSync(folder, 0, systemGroup('postfix'));
  const path = join(folder, 'milter.sock');
  const detachWith = (inbound: Record<string, string>): Promise<DetachInstance> =>
    startDetach({
      nextHop: [],
      storage: azurite.connectionString,
      config: { inbound: { protocol: 'milter', address: `unix:${path}`, ...inbound } },
    });
  const send = (seed: string): ReturnType<typeof sendMail> =>
    sendMail({ port: postfix.port, from, to, message: letter(seed) });

  const closed = await detachWith({ socketMode: '0600' });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const refused = await send('closed');
  assert.equal(Math.trunc((refused.final[0] ?? refused.data ?? refused.mail).code / 100), 4);
  await postfix.waitForLog(/connect to Milter service unix:detach-mta\/milter\.sock: Permission denied/);
  await closed.stop();

  const detach = await scenario.use(detachWith({ socketGroup: 'postfix' }));
  const { mode, gid } = statSync(path);
  assert.equal(mode & 0o777, 0o660);
  assert.equal(gid, systemGroup('postfix'));
  for (const seed of ['one', 'two']) assert.equal((await send(seed)).final[0]?.code, 250, detach.describe());
  // A generation that comes listens on the same socket.
  await detach.reload();
  assert.equal((await send('three')).final[0]?.code, 250, detach.describe());
  for (const { data } of await sink.waitForMessages(3)) assert.ok(data.length < 10_000);
  // Its file outlives a process that is killed, and is replaced at the next start.
  await detach.restart('SIGKILL');
  assert.equal((await send('four')).final[0]?.code, 250, detach.describe());
  await sink.waitForMessages(4);
});
