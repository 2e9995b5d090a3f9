import { attachmentMessage } from '../../load/message.ts';
import { sendAll } from '../../load/smtp-client.ts';
import { startSmtpSink } from '../../load/smtp-sink.ts';
import { smtpSource } from '../../load/smtp-source.ts';
import { startStorage } from '../../load/storage.ts';
import { startDetachMta } from '../../peers/detach-mta.ts';
import { type Bench, mebibyte, withStarted } from '../workload.ts';
import { drain, startA } from './queue.ts';
import { compare } from './variants.ts';

/** Milliseconds until storage answers a request, as one in another building does. */
export const distantMs = 50;

const values = { '20, as in postfix-a': '20', '1 at a time': '1', '5 at a time': '5', '50 at a time': '50' };

/** `smtp_destination_concurrency_limit` of A: a queue of small mail, and one with files for a storage at some distance. */
export const concurrency = (bench: Bench): Promise<void> =>
  withStarted(async (use) => {
    const sink = await use(startSmtpSink());
    const storage = await use(startStorage('null', { delayMs: distantMs }));
    const relay = await use(startDetachMta({ nextHop: sink.port, storage }));
    const a = await use(startA(relay.port));
    const small = bench.quick ? 200 : 1000;
    const files = bench.quick ? 20 : 60;
    const limit = (value: string) => ({
      smtp_destination_concurrency_limit: value,
      initial_destination_concurrency: Math.min(5, Number(value)),
    });
    const fill = (): Promise<void> =>
      smtpSource(a.port, { messages: small, sessions: 20, recipients: 1, keepOpen: true });
    await compare(bench, {
      situation: 'A: sessions at a time, small mail',
      values,
      measure: async (value) => {
        const { wall } = await drain(a, sink, { settings: limit(value), fill, queued: small });
        return { 'messages/s': small / wall };
      },
    });
    await compare(bench, {
      situation: `A: sessions at a time, files of 2 MiB, storage answers after ${distantMs} ms`,
      values,
      measure: async (value) => {
        const send = () => sendAll(a.port, { make: () => attachmentMessage(2 * mebibyte), count: files, parallel: 4 });
        const { wall } = await drain(a, sink, { settings: limit(value), fill: send, queued: files });
        return { 'messages/s': files / wall };
      },
    });
  });
