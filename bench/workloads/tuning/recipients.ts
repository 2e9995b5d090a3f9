import { attachmentMessage } from '../../load/message.ts';
import { sendAll } from '../../load/smtp-client.ts';
import { startSmtpSink } from '../../load/smtp-sink.ts';
import { startStorage } from '../../load/storage.ts';
import { startDetachMta } from '../../peers/detach-mta.ts';
import { type Bench, mebibyte, withStarted } from '../workload.ts';
import { drain, startA } from './queue.ts';
import { compare } from './variants.ts';

const people = 500;

/** `smtp_destination_recipient_limit` of A: each transaction carries the whole message to Detach MTA. */
export const recipients = (bench: Bench): Promise<void> =>
  withStarted(async (use) => {
    const sink = await use(startSmtpSink());
    const storage = await use(startStorage('azurite'));
    const relay = await use(startDetachMta({ nextHop: sink.port, storage }));
    const a = await use(startA(relay.port));
    const size = (bench.quick ? 5 : 20) * mebibyte;
    await compare(bench, {
      situation: `A: recipients of a transaction, ${size / mebibyte} MiB to ${people} people`,
      values: { '500, as in postfix-a': 500, '100 in each': 100, '50, the default': 50 },
      measure: async (limit) => {
        const transactions = people / limit;
        const fill = () =>
          sendAll(a.port, { make: () => attachmentMessage(size), count: 1, parallel: 1, recipients: people });
        const settings = { smtp_destination_recipient_limit: limit };
        const load = { settings, fill, queued: 1, expected: transactions, pids: relay.pids };
        const { wall, cpu } = await drain(a, sink, load);
        return { s: wall, 'CPU s/1000 messages': cpu * 1000, 'MB sent': (transactions * size * 4) / 3 / 1e6 };
      },
    });
  });
