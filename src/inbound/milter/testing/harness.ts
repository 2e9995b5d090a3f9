import type { TestContext } from 'node:test';
import type { MessageRoom } from '../../../limits/message-room.ts';
import type { Answer, MilterEvent, MilterMessage, Reply } from '../interface.ts';
import { startMilterServer, type Closing, type ListenAddress, type MilterServer, type Place } from '../server.ts';
import { MailServer } from './mail-server.ts';

/** What a filter was shown. */
export interface Seen {
  readonly header: string;
  readonly body: string;
  readonly mail: string;
  readonly rcpt: readonly string[];
  readonly macros: Readonly<Record<string, string>>;
  readonly client: string;
}

export interface Options {
  readonly listen?: ListenAddress;
  readonly replyWithinMs?: number;
  readonly progressEveryMs?: number;
  readonly maxHeaderBytes?: number;
  readonly openRoom?: (clientAddress: string) => MessageRoom;
  readonly enter?: (address: string) => Place;
  readonly trusts?: (address: string) => boolean;
}

export interface Running {
  readonly server: MilterServer;
  readonly seen: Seen[];
  readonly events: (MilterEvent & { readonly address: string })[];
  readonly open: () => MailServer;
}

export const endlessRoom: MessageRoom = { grow: () => undefined, release: () => undefined };

export const accepted: Answer = { verdict: { kind: 'accept', headerChanges: [] } };

export const failedReply = (error: unknown): Reply => ({
  code: 451,
  lines: [`4.3.0 ${error instanceof Error ? error.name : 'failed'}`],
});

export async function readAll(body: AsyncIterable<Buffer>): Promise<string> {
  let all = '';
  for await (const chunk of body) all += chunk.toString('latin1');
  return all;
}

/** Cuts everything. */
export const atOnce: Closing = { hurry: AbortSignal.abort(), deadline: AbortSignal.abort() };

/** A server whose filter writes down what it is shown, and then answers as it is told. */
export async function start(
  t: TestContext,
  answer: (message: MilterMessage, body: string) => Promise<Answer> | Answer = () => accepted,
  options: Options = {},
): Promise<Running> {
  const seen: Seen[] = [];
  const events: Running['events'] = [];
  const server = await startMilterServer({
    listen: { host: '127.0.0.1', port: 0 },
    macros: ['i'],
    maxHeaderBytes: 1_000_000,
    maxHeaderFields: 1_000_000,
    openRoom: () => endlessRoom,
    enter: () => ({ kind: 'admitted', leave: () => undefined }),
    trusts: () => true,
    replyWithinMs: 60_000,
    progressEveryMs: 60_000,
    report: (event, address) => events.push({ ...event, address }),
    filter: {
      failed: failedReply,
      refused: (_envelope, error) => failedReply(error),
      async message(message) {
        const body = await readAll(message.body);
        seen.push(describeSeen(message, body));
        return answer(message, body);
      },
    },
    ...options,
  });
  t.after(() => server.close(atOnce));
  return { server, seen, events, open: () => new MailServer(server.port === 0 ? server.address : server.port) };
}

const describeSeen = ({ header, mail, recipients, macros, client }: MilterMessage, body: string): Seen => ({
  header: header.toString('latin1'),
  body,
  mail: [mail.path, ...mail.parameters].join(' '),
  rcpt: recipients.map(({ path, parameters }) => [path, ...parameters].join(' ')),
  macros: Object.fromEntries(macros),
  client: `${client.hostname} ${client.address}:${client.port} ${client.helo}`,
});
