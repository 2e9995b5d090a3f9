import { smallMessage } from '../../load/message.ts';
import { SmtpClient } from '../../load/smtp-client.ts';
import { startSmtpSink } from '../../load/smtp-sink.ts';
import { smallMailSize, smtpSource } from '../../load/smtp-source.ts';
import { startStorage } from '../../load/storage.ts';
import { timed } from '../../measure/timed.ts';
import { startDetachMta } from '../../peers/detach-mta.ts';
import { type Bench, withStarted } from '../workload.ts';
import { drain, sessionsPer100, startA } from './queue.ts';
import { compare, type Measured } from './variants.ts';

const values = {
  never: { smtp_connection_cache_destinations: '', smtp_connection_cache_on_demand: 'no' },
  '$relayhost, which has no effect': {
    smtp_connection_cache_destinations: '$relayhost',
    smtp_connection_cache_on_demand: 'yes',
  },
  'the host of relayhost': {
    smtp_connection_cache_destinations: '127.0.0.1',
    smtp_connection_cache_on_demand: 'yes',
  },
};

/** Whether A keeps its sessions: mail that comes one at a time, and a queue. */
export const connectionCache = (bench: Bench): Promise<void> =>
  withStarted(async (use) => {
    const sink = await use(startSmtpSink());
    const storage = await use(startStorage('null'));
    const relay = await use(startDetachMta({ nextHop: sink.port, storage }));
    const a = await use(startA(relay.port));
    const queued = bench.quick ? 200 : 1000;
    const fill = (): Promise<void> =>
      smtpSource(a.port, { messages: queued, sessions: 20, recipients: 1, keepOpen: true });

    async function oneByOne(settings: (typeof values)[keyof typeof values]): Promise<Measured> {
      await a.postconf(settings);
      const count = bench.quick ? 30 : 100;
      const [since, client] = [a.log().length, await SmtpClient.open(a.port)];
      const { wall, cpu } = await timed([...relay.pids, a.pid ?? 0], async () => {
        for (let i = 0; i < count; i++) {
          const before = sink.messages;
          await client.send(smallMessage(smallMailSize));
          await sink.waitForMessages(before + 1);
        }
      });
      await client.quit();
      await a.waitForEmptyQueue();
      return {
        'sessions per 100 messages': sessionsPer100(a.log().slice(since)),
        ms: (wall / count) * 1000,
        'CPU s/1000 messages': (cpu / count) * 1000,
      };
    }

    await compare(bench, {
      situation: 'A: sessions kept, one message at a time',
      values,
      measure: oneByOne,
    });
    await compare(bench, {
      situation: 'A: sessions kept, a queue',
      values,
      measure: async (settings) => {
        const { wall, log } = await drain(a, sink, { settings, fill, queued });
        return { 'sessions per 100 messages': sessionsPer100(log), 'messages/s': queued / wall };
      },
    });
  });
