import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startDovecot } from '../../test/harness/dovecot.ts';
import { startPostfix } from '../../test/harness/postfix.ts';
import { waitFor } from '../../test/harness/wait.ts';
import { attachmentMessage } from '../load/message.ts';
import { sendAll } from '../load/smtp-client.ts';
import { startStorage } from '../load/storage.ts';
import { ours } from '../measure/figure.ts';
import { startDetachMta } from '../peers/detach-mta.ts';
import { startPostfixRelay } from '../peers/postfix.ts';
import { type Bench, type Workload, mebibyte, withStarted } from './workload.ts';

/** Bytes do not vary from round to round: it is measured once. */
export const mailboxes: Workload = {
  name: 'storage',
  title: 'Space taken by one file sent to many people, mailboxes and blobs together',
  async run(bench) {
    const load = bench.quick ? { size: 5 * mebibyte, people: 20 } : { size: 25 * mebibyte, people: 100 };
    for (const detach of [true, false]) await deliver(bench, { ...load, detach });
  },
};

interface Load {
  readonly size: number;
  readonly people: number;
  readonly detach: boolean;
}

function deliver(bench: Bench, { size, people, detach }: Load): Promise<void> {
  const situation = `${size / mebibyte} MiB to ${people} people`;
  bench.progress(`storage: ${situation}, ${detach ? 'with' : 'without'} the relay`);
  return withStarted(async (use) => {
    const users = Array.from({ length: people }, (_, i) => `reader${i}@example.com`);
    const dovecot = await use(startDovecot({ users }));
    const b = await use(
      startPostfix({
        dir: 'postfix-b',
        settings: {
          virtual_transport: `lmtp:inet:127.0.0.1:${dovecot.lmtpPort}`,
          virtual_mailbox_maps: 'static:all',
          virtual_alias_maps: '',
        },
      }),
    );
    const storage = await use(startStorage('azurite'));
    const relay = detach ? await use(startDetachMta({ nextHop: b.port, storage })) : b;
    const a = await use(startPostfixRelay(relay.port));
    await sendAll(a.port, { make: () => attachmentMessage(size), count: 1, parallel: 1, recipients: people });
    await waitFor(() => users.every((user) => dovecot.count(user) === 1), {
      what: 'a message in every mailbox',
      bound: 600_000,
      detail: () => b.log().slice(-2000),
    });
    const mail = users.reduce((sum, user) => sum + bytesBelow(dovecot.maildir(user), /\/(new|cur)\//), 0);
    const blobs = bytesBelow(storage.directory ?? '', /__blobstorage__/);
    const base = { work: 'storage', situation, metric: 'MB stored' as const };
    bench.record({ ...base, peer: detach ? ours : 'without', value: (mail + blobs) / 1e6 });
    if (!detach) return;
    bench.record({ ...base, peer: 'N + X·L', value: (size + people * 1000) / 1e6 });
    bench.record({ ...base, peer: 'one message', value: mail / people / 1e6 });
  });
}

function bytesBelow(directory: string, files: RegExp): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => files.test(path))
    .reduce((sum, path) => {
      const stat = lstatSync(path);
      return sum + (stat.isFile() ? stat.size : 0);
    }, 0);
}
