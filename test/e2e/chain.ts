import { chmodSync } from 'node:fs';
import { startAzurite, type Azurite } from '../harness/azurite.ts';
import { startDetach, type ConfigTree, type DetachInstance } from '../harness/detach-mta.ts';
import { startDovecot, type DovecotInstance } from '../harness/dovecot.ts';
import { startPostfix, type PostfixInstance, type PostfixOptions } from '../harness/postfix.ts';
import type { Scenario } from '../harness/scenario.ts';
import { startSink, type Sink, type SinkOptions } from '../harness/sink.ts';

export const chainUsers = ['alice@example.com', 'bob@example.org', 'carol@example.org', 'dave@example.org'] as const;

export interface Chain {
  readonly a: PostfixInstance;
  readonly b: PostfixInstance;
  readonly detach: DetachInstance;
  readonly dovecot: DovecotInstance;
  readonly azurite: Azurite;
}

export interface ChainOptions {
  readonly detach?: ConfigTree;
  readonly a?: PostfixOptions['settings'];
  readonly b?: PostfixOptions['settings'];
  /** Changes to the master.cf of A. */
  readonly master?: PostfixOptions['master'];
}

/** Postfix A → Detach MTA → Postfix B → Dovecot, files in Azurite: the whole of it, as the lab has it. */
export async function startChain(scenario: Scenario, options: ChainOptions = {}): Promise<Chain> {
  const azurite = await scenario.use(startAzurite());
  const dovecot = await scenario.use(startDovecot({ users: chainUsers }));
  const b = await scenario.use(
    startPostfix({
      dir: 'postfix-b',
      settings: { virtual_transport: `lmtp:inet:127.0.0.1:${dovecot.lmtpPort}`, ...options.b },
    }),
  );
  const detach = await scenario.use(
    startDetach({ nextHop: b.port, storage: azurite.connectionString, config: options.detach ?? {} }),
  );
  const a = await scenario.use(
    startPostfix({
      dir: 'postfix-a',
      settings: { relayhost: `[127.0.0.1]:${detach.port}`, ...options.a },
      ...(options.master ? { master: options.master } : {}),
    }),
  );
  return { a, b, detach, dovecot, azurite };
}

export interface Bench {
  readonly sink: Sink;
  readonly detach: DetachInstance;
  readonly azurite: Azurite;
}

/** Detach MTA alone between a client and a sink of the test's: for what real neighbours do only on bad days. */
export async function startBetween(
  scenario: Scenario,
  options: { readonly sink?: SinkOptions; readonly detach?: ConfigTree } = {},
): Promise<Bench> {
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink(options.sink));
  const detach = await scenario.use(
    startDetach({ nextHop: sink.port, storage: azurite.connectionString, config: options.detach ?? {} }),
  );
  return { sink, detach, azurite };
}

/** A message without the fields that came on top: everything from the first field that the client wrote. */
export function withoutTrace(received: Buffer, original: Buffer): Buffer {
  const firstLine = original.subarray(0, original.indexOf('\r\n') + 2);
  const at = received.indexOf(firstLine);
  return at < 0 ? received : received.subarray(at);
}

/** Bytes of the fields on top of the first one that the client wrote. */
export function traceSize(received: Buffer, original: Buffer): number {
  return received.length - withoutTrace(received, original).length;
}

export function linkIn(message: Buffer): string {
  const link = /https?:\/\/[^\s"<>]+/.exec(message.toString('latin1'))?.[0];
  if (link === undefined) throw new Error(`no link in\n${message.toString('latin1').slice(0, 3000)}`);
  return link;
}

/** A folder for `storage.directory`, which others must not be able to read. */
export function closedDirectory(scenario: Scenario): string {
  const directory = scenario.directory('files');
  chmodSync(directory, 0o700);
  return directory;
}
