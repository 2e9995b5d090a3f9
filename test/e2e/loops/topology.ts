/**
 * Networks of mail servers, described briefly. The servers are real Postfix instances. All mailboxes are one LMTP
 * server behind them, which accepts everything and counts.
 */
import type { TestContext } from 'node:test';
import { randomBytes } from 'node:crypto';
import { buildMessage, type MessageParts } from '../../harness/build-message.ts';
import { startDetach, type ConfigTree, type DetachInstance, type DetachOptions } from '../../harness/detach-mta.ts';
import { startPostfix, type PostfixInstance, type PostfixOptions } from '../../harness/postfix.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { sendMail, type SendOptions } from '../../harness/send-mail.ts';
import { startSink, type Sink, type SinkMessage } from '../../harness/sink.ts';
import { waitFor } from '../../harness/wait.ts';

/** Most messages here are too small to have anything detached, so nothing needs to listen there. */
const noStorage =
  'DefaultEndpointsProtocol=http;AccountName=none;AccountKey=bm9uZQ==;BlobEndpoint=http://127.0.0.1:9/none;';

export function startMailboxes(scenario: Scenario): Promise<Sink> {
  return scenario.use(startSink({ protocol: 'lmtp' }));
}

export interface ServerOptions {
  /** It calls itself `mail-<name>.example.net`. */
  readonly name: string;
  readonly dir?: 'postfix-a' | 'postfix-b';
  readonly port?: number;
  /** Everybody in these domains has a mailbox here. */
  readonly domains?: readonly string[];
  readonly mailboxes: Sink;
  /** The port on 127.0.0.1 that all other mail is relayed to. */
  readonly relay?: number;
  /** Where mail for an address goes instead. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  readonly settings?: PostfixOptions['settings'];
  readonly files?: PostfixOptions['files'];
}

/** A Postfix with the configuration of this repository and a place of its own in the network. */
export function startServer(scenario: Scenario, options: ServerOptions): Promise<PostfixInstance> {
  const { name, dir = 'postfix-a', port, domains = [], mailboxes, relay, aliases = {} } = options;
  const table = Object.entries(aliases).map(([from, to]) => `{ ${from} = ${to.join(', ')} }`);
  return scenario.use(
    startPostfix({
      dir,
      ...(port === undefined ? {} : { ports: { smtp: port } }),
      ...(options.files ? { files: options.files } : {}),
      settings: {
        myhostname: `mail-${name}.example.net`,
        relayhost: relay === undefined ? '' : `[127.0.0.1]:${relay}`,
        virtual_mailbox_domains: domains.join(' '),
        virtual_mailbox_maps: 'static:mailbox',
        virtual_transport: `lmtp:inet:127.0.0.1:${mailboxes.port}`,
        virtual_alias_maps: table.length > 0 ? `inline:{ ${table.join(', ')} }` : '',
        ...options.settings,
      },
    }),
  );
}

export interface FilterOptions {
  readonly nextHop: DetachOptions['nextHop'];
  readonly port?: number;
  /** Shared by the replicas of one cluster. */
  readonly loopguard?: ConfigTree;
  readonly storage?: string;
  readonly config?: ConfigTree;
}

export function newKey(id: string): string {
  return `${id}:${randomBytes(32).toString('base64')}`;
}

export function cluster(name: string): ConfigTree {
  return { cluster: name, keys: [newKey('k1')] };
}

export function startFilter(scenario: Scenario, options: FilterOptions): Promise<DetachInstance> {
  return scenario.use(startDetach(detachOptions(options)));
}

function detachOptions({ nextHop, port, loopguard, storage, config }: FilterOptions): DetachOptions {
  return {
    nextHop,
    storage: storage ?? noStorage,
    config: {
      ...(port === undefined ? {} : { inbound: { port } }),
      ...(loopguard ? { loopguard } : {}),
      ...config,
    },
  };
}

/** The closing lines of a filter: one for each MAIL that came, passed on or refused. */
export function transactions(...filters: readonly DetachInstance[]): readonly Transaction[] {
  return filters.flatMap(({ events }) =>
    events.filter(({ event }) => event === 'transaction'),
  ) as unknown[] as Transaction[];
}

export interface Transaction {
  readonly outcome: string;
  readonly from: string;
  readonly reply?: string;
  readonly failure?: string;
  readonly files?: readonly unknown[];
  readonly recipients: readonly { readonly path: string; readonly reply: string }[];
}

/** How often a filter passed a message on. */
export const passes = (...filters: readonly DetachInstance[]): number =>
  transactions(...filters).filter(({ outcome }) => outcome === 'delivered' || outcome === 'partial').length;

/** What fences caught: the field `fence` of each log line about a loop. */
export const fences = (...filters: readonly DetachInstance[]): readonly unknown[] =>
  filters.flatMap(({ events }) => events.filter(({ event }) => event === 'loop-refused').map(({ fence }) => fence));

/** What lies in somebody's mailbox, reports included. */
export const mailOf = (mailboxes: Sink, user: string): readonly SinkMessage[] =>
  mailboxes.messages.filter(({ to }) => to.includes(user));

/** Letters in somebody's mailbox. */
export const lettersOf = (mailboxes: Sink, user: string): readonly SinkMessage[] =>
  mailOf(mailboxes, user).filter(({ from }) => from !== '');

/** Delivery status notifications in somebody's mailbox, as text without folds. */
export const reportsTo = (mailboxes: Sink, user: string): readonly string[] =>
  mailOf(mailboxes, user)
    .filter(({ from, data }) => from === '' && data.includes('report-type=delivery-status'))
    .map(({ data }) => data.toString('latin1').replace(/\r\n[ \t]+/g, ' '));

/**
 * Postfix looks into maildrop once a minute: what `postsuper -r` puts there while Postfix reads its configuration again may
 * wait for that.
 */
const restMs = 150_000;

/** Waits until no mail is under way: every queue is empty, and nothing moved between them during the check. */
export async function atRest(...servers: readonly PostfixInstance[]): Promise<void> {
  const moved = (): number => servers.reduce((sum, server) => sum + server.log().length, 0);
  await waitFor(
    async () => {
      const before = moved();
      for (const server of servers) if ((await server.queue()).length > 0) return false;
      return moved() === before;
    },
    {
      what: 'all queues to be empty',
      every: 100,
      bound: restMs,
      detail: () => servers.map((server) => server.log().slice(-3000)).join('\n\n'),
    },
  );
}

export interface Measured {
  /** Times that the message was brought to a filter, the one refused included. */
  readonly arrivals: number;
  readonly bounces: number;
  readonly ms: number;
}

/** One line of the table in docs/mail-loops.md. */
export function tell(t: TestContext, what: string, { arrivals, bounces, ms }: Measured): void {
  t.diagnostic(`${what}: ${arrivals} times at the filter, ${bounces} bounces, ${Math.round(ms)} ms`);
}

/** Times that letters, not reports, were brought to these filters. */
export const arrivals = (...filters: readonly DetachInstance[]): number =>
  transactions(...filters).filter(({ from }) => from !== '<>').length;

/** Sorted: the order in which several processes write their lines says nothing. */
export const outcomes = (...filters: readonly DetachInstance[]): readonly string[] =>
  transactions(...filters)
    .map(({ outcome }) => outcome)
    .sort();

/** Sends a letter and waits until all is quiet. @returns how long that took */
export async function sendAndSettle(letter: SendOptions, servers: readonly PostfixInstance[]): Promise<number> {
  const began = performance.now();
  await send(letter);
  await atRest(...servers);
  return performance.now() - began;
}

/** @throws Error when the server does not take it */
export async function send(letter: SendOptions): Promise<void> {
  const sent = await sendMail(letter);
  if (sent.final[0]?.code !== 250) throw new Error(`not taken: ${JSON.stringify(sent)}`);
}

/** A small letter, as the client of a server sends it. */
export function letter(
  port: number,
  from: string,
  to: readonly string[],
  parts: Partial<MessageParts> = {},
): SendOptions {
  return { port, from, to, message: buildMessage({ from, to, ...parts }) };
}
