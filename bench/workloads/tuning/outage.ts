import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../../test/harness/ports.ts';
import type { PostfixSettings } from '../../../test/harness/postfix-home.ts';
import { startSmtpSink } from '../../load/smtp-sink.ts';
import { smtpSource } from '../../load/smtp-source.ts';
import { startStorage } from '../../load/storage.ts';
import { startDetachMta } from '../../peers/detach-mta.ts';
import { type Bench, withStarted } from '../workload.ts';
import { startA } from './queue.ts';
import { compare, type Measured } from './variants.ts';

/** All times of Postfix divided by this, and the outage as well: half an hour takes a minute and a half. */
const scale = 20;

const times = (queue: number, minimal: number, maximal: number): PostfixSettings => ({
  queue_run_delay: `${queue / scale}s`,
  minimal_backoff_time: `${minimal / scale}s`,
  maximal_backoff_time: `${Math.round(maximal / scale)}s`,
});

const values = {
  '300 s, 300 s, 4000 s: the defaults': times(300, 300, 4000),
  '60 s, 60 s, 900 s: as in postfix-a': times(60, 60, 900),
  '60 s, 60 s, 1800 s': times(60, 60, 1800),
  '120 s, 120 s, 3600 s': times(120, 120, 3600),
};

const messages = 30;

/** How long after an outage of Detach MTA the last message waits, with nobody saying `postqueue -f`. */
export const outage = (bench: Bench): Promise<void> =>
  withStarted(async (use) => {
    const sink = await use(startSmtpSink());
    const storage = await use(startStorage('null'));
    const minutes = bench.quick ? 10 : 30;

    async function lost(settings: PostfixSettings): Promise<Measured> {
      let waited = 0;
      await withStarted(async (own) => {
        const port = await freePort();
        const a = await own(startA(port, settings));
        const before = sink.messages;
        for (let i = 0; i < messages; i++) {
          await smtpSource(a.port, { messages: 1, sessions: 1, recipients: 1, keepOpen: false });
          await pause((minutes * 60_000) / scale / messages);
        }
        await own(startDetachMta({ nextHop: sink.port, storage, settings: { inbound: { port } } }));
        const start = performance.now();
        await sink.waitForMessages(before + messages);
        waited = ((performance.now() - start) / 1000) * scale;
      });
      return { s: waited };
    }

    await compare(
      bench,
      {
        situation: `A: queue run, shortest and longest backoff; nothing answers for ${minutes} minutes (times divided by ${scale}): until the last message is through`,
        values,
        measure: lost,
      },
      { rounds: 1 },
    );
  });
