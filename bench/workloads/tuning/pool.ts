import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostfix } from '../../../test/harness/postfix.ts';
import { smtpSource } from '../../load/smtp-source.ts';
import { startStorage } from '../../load/storage.ts';
import { timed } from '../../measure/timed.ts';
import { startDetachMta } from '../../peers/detach-mta.ts';
import { type Bench, withStarted } from '../workload.ts';
import { compare } from './variants.ts';

/** `outbound.maxIdle`: sessions with B that are kept. CPU of Detach MTA and B together. */
export const pool = (bench: Bench): Promise<void> =>
  withStarted(async (use) => {
    const b = await use(
      startPostfix({
        dir: 'postfix-b',
        settings: { virtual_mailbox_maps: 'static:all', virtual_transport: 'discard:' },
      }),
    );
    const storage = await use(startStorage('null'));
    const start = (maxIdle: number) =>
      use(startDetachMta({ nextHop: b.port, storage, settings: { outbound: { maxIdle } } }));
    const values = { '5, the default': await start(5), 'none kept': await start(0), '20 kept': await start(20) };
    const master = Number(readFileSync(join(b.home, 'queue/pid/master.pid'), 'utf8'));
    const messages = bench.quick ? 200 : 1000;
    await compare(bench, {
      situation: 'Detach MTA: sessions with B kept while idle, 10 at a time',
      values,
      measure: async (peer) => {
        const mail = { messages, sessions: 10, recipients: 1, keepOpen: true };
        const { wall, cpu } = await timed([...peer.pids, master], () => smtpSource(peer.port, mail));
        return { 'messages/s': messages / wall, 'CPU s/1000 messages': (cpu / messages) * 1000 };
      },
    });
  });
