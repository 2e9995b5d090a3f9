/**
 * Detaches the files of a message that was read to its end: chooses the files, commits them to storage, rewrites the
 * message, and writes a manifest that describes how to undo that. If one of these steps fails, the message is deferred
 * or passed whole.
 */
import type { Config } from '../config/config.ts';
import { linkUrl, type Notice } from '../links/interface.ts';
import { messageIdentityOf } from '../message/message-identity.ts';
import type { Log, Meter } from '../observe/interface.ts';
import { Failure } from '../smtp/failures.ts';
import { fingerprintOf, type Store } from '../storage/interface.ts';
import { chooseFiles } from './choose-files.ts';
import { commitFiles, type Committed, type HashedPart } from './commit-files.ts';
import { describeMessage } from './describe-message.ts';
import type { DetachedFile, Envelope, Outgoing } from './interface.ts';
import { manifestField } from './manifest.ts';

import { tapeOutgoing } from './outgoing.ts';
import type { FilePart, ReadMessage } from './read-message.ts';
import { rewriteMessage } from './rewrite-message.ts';

export interface DetachContext {
  readonly config: Pick<Config, 'detach' | 'links'>;
  readonly store: Store;
  readonly notice: Notice;
  readonly log: Log;
  readonly meter: Meter;
  /** Told of every upload: it may outlive its message. */
  readonly watch: (upload: Promise<unknown>) => void;
}

export interface DetachTask {
  readonly context: DetachContext;
  readonly envelope: Envelope;
  /** Of the body as it came, as `Checksum` gives it. */
  readonly checksum: string;
  readonly signal: AbortSignal;
}

/** The field with the id of 128 bits that storage gives a manifest. */
const fieldFor = (manifestId: string): Buffer => Buffer.from(`${manifestField}: ${manifestId}\r\n`);
const fieldBytes = fieldFor('x'.repeat(22)).length;

const emptyLineBytes = 2;

/** The result owns the tape of the message from here on. */
export async function detachFiles(message: ReadMessage, task: DetachTask): Promise<Outgoing> {
  const { config, log } = task.context;
  if (message.limit !== undefined) {
    log.info('passed-whole', { reason: message.limit });
    return asItCame(message);
  }
  const { chosen, left } = chooseFiles(message, config.detach);
  if (left.size > 0) log.debug('left-alone', { parts: Object.fromEntries(left) });
  if (chosen.length === 0) return asItCame(message);
  const reason = task.envelope.keepWhole?.();
  if (reason !== undefined) {
    log.info('passed-whole', { reason, files: chosen.length });
    return asItCame(message);
  }
  const files = await Promise.all(chosen.map(hashed));
  try {
    return (await replaceFiles(message, files, task)) ?? asItCame(message);
  } catch (error) {
    passWholeOrThrow(error, { ...task, count: files.length });
    return asItCame(message);
  }
}

const hashed = async (part: FilePart): Promise<HashedPart> => ({ ...part, ...(await part.digest) });

/** Undefined where the message would not become smaller. */
async function replaceFiles(
  message: ReadMessage,
  chosen: readonly HashedPart[],
  { context, envelope, checksum, signal }: DetachTask,
): Promise<Outgoing | undefined> {
  const { links } = context.config;
  const { files, records } = await commitFiles(chosen, {
    ...context,
    tape: message.tape,
    signal,
    message: {
      messageIdentity: messageIdentityOf(message.header),
      reversePath: envelope.reversePath,
      recipients: envelope.recipients,
      from: message.header.first('from'),
      subject: message.header.first('subject'),
    },
  });
  const { notice } = context;
  const page = records.page === undefined ? undefined : linkUrl(links.baseUrl, records.page);
  const rewritten = await rewriteMessage(message, files, { ...links, notice, page });
  if (rewritten.growth + fieldBytes >= 0) return undefined;
  const manifest = await describeMessage(message, rewritten, { files: chosen, checksum });
  const field = fieldFor(await records.finish(manifest, signal));
  return tapeOutgoing(
    { header: Buffer.concat([field, rewritten.header]), pieces: rewritten.pieces, tape: message.tape },
    { bytesIn: bytesOf(message), files: files.map(describeFile) },
  );
}

const bytesOf = ({ header, length }: ReadMessage): number => header.raw.length + emptyLineBytes + length;

function asItCame(message: ReadMessage): Outgoing {
  const { header, pieces, tape } = message;
  return tapeOutgoing({ header: header.raw, pieces, tape }, { bytesIn: bytesOf(message), files: [] });
}

/** @throws Failure unless the operator chose to pass messages whole when their files cannot be stored */
function passWholeOrThrow(
  error: unknown,
  { context, signal, count }: Pick<DetachTask, 'context' | 'signal'> & { readonly count: number },
): void {
  if (signal.aborted) throw Failure.from(signal.reason, 'clientGone');
  const failure = Failure.from(error);
  const notStored = failure.kind === 'storageFailed' || failure.kind === 'storageFull';
  if (!notStored || context.config.detach.onStorageFailure !== 'pass') throw failure;
  context.meter.storageFailure();
  context.log.warn('passed-whole', { reason: failure.message, files: count });
}

const describeFile = ({ part, token, link }: Committed): DetachedFile => ({
  name: link.name,
  type: link.type,
  size: link.size,
  sha256: part.sha256,
  link: fingerprintOf(token),
});
