/**
 * Puts a delivered message back together, byte for byte, from itself, its manifest and the stored files.
 *
 * The delivered body is spooled and checked before anything is written: nothing wrong is ever handed out as the
 * original. Memory does not grow with the message.
 */
import { createHash } from 'node:crypto';
import { unfold, type HeaderBlock } from '../../message/header-block.ts';
import { Failure } from '../../smtp/failures.ts';
import type { Store } from '../../storage/interface.ts';
import { encode } from '../encoding/encode.ts';
import { Checksum } from '../checksum.ts';
import { manifestField, readManifest, type FileReference, type Manifest } from '../manifest.ts';
import { receiveHeader } from '../receive-header.ts';
import type { Spool } from '../spool/spool.ts';
import { Tape } from '../spool/tape.ts';
import { LineEnds } from './line-ends.ts';
import { RestoreError } from './restore-error.ts';

export interface RestoreOptions {
  readonly store: Pick<Store, 'getMessage' | 'openFile'>;
  readonly spool: Spool;
  readonly signal: AbortSignal;
}

/**
 * A message that several clusters detached has several manifests. The limit bounds the work for a message with many
 * forged fields.
 */
const maxManifests = 16;

/**
 * The original of a delivered message, lines ended by CRLF.
 * @throws RestoreError, before the first byte where anything about message, manifest or files is wrong
 */
export async function* restore(
  delivered: AsyncIterable<Buffer>,
  options: RestoreOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const body = new Tape(options.spool);
  const whole = new Tape(options.spool);
  try {
    const header = await readMessage(delivered, body);
    const manifest = await findManifest(header, body, options);
    const original = await rebuild(manifest, { body, whole, options });
    yield Buffer.from(`${manifest.original.header}\r\n`, 'latin1');
    yield* original;
  } finally {
    await body.release();
    await whole.release();
  }
}

/** The header, and the body (after the empty line) on a tape; all in CRLF form. */
async function readMessage(delivered: AsyncIterable<Buffer>, body: Tape): Promise<HeaderBlock> {
  const source = convert(delivered);
  const { header, rest } = await receiveHeader(source);
  body.append(rest.subarray(2));
  for (let next = await source.next(); next.done !== true; next = await source.next()) {
    body.append(next.value);
    await body.drain();
  }
  return header;
}

async function* convert(delivered: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const lineEnds = new LineEnds();
  for await (const chunk of delivered) yield lineEnds.convert(chunk);
}

/** The manifest that describes this very body: the last cluster's, whatever order the fields are in. */
async function findManifest(header: HeaderBlock, body: Tape, options: RestoreOptions): Promise<Manifest> {
  const ids = header
    .all(manifestField.toLowerCase())
    .map(unfold)
    .filter((id) => /^[A-Za-z0-9_-]{1,100}$/.test(id));
  if (ids.length === 0)
    throw new RestoreError(
      'foreign',
      `the header has no ${manifestField} field: nothing was detached from this message, or the field was removed`,
    );
  const found: Manifest[] = [];
  for (const id of new Set(ids.slice(0, maxManifests))) {
    const bytes = await ask(() => options.store.getMessage(id, options.signal));
    const manifest = bytes && readManifest(bytes);
    if (bytes && !manifest)
      throw new RestoreError(
        'foreign',
        `the record ${id} of this message is of a version that this program cannot read`,
      );
    if (manifest) found.push(manifest);
  }
  if (found.length === 0)
    throw new RestoreError(
      'foreign',
      `no record of this message is in storage: it is another system's, or was deleted`,
    );
  let reason = '';
  for (const manifest of found) {
    const difference = await compareBody(body, manifest.delivered);
    if (difference === undefined) return manifest;
    reason ||= difference;
  }
  throw new RestoreError('changed', reason);
}

/**
 * What is wrong with the body, or undefined when it is the one that was sent on. Sizes are told only when the body
 * begins with the one that was sent on: a manifest's id can be copied into another message.
 */
async function compareBody(body: Tape, wanted: Manifest['delivered']): Promise<string | undefined> {
  const changed = 'the body was changed: it is not the one that was delivered';
  if (body.length < wanted.size) return changed;
  const hash = createHash('sha256');
  for await (const block of body.read(0, wanted.size)) hash.update(block);
  if (hash.digest('hex') !== wanted.sha256) return changed;
  const extra = body.length - wanted.size;
  if (extra === 0) return undefined;
  const appended: Buffer[] = [];
  for await (const block of body.read(wanted.size, Math.min(body.length, wanted.size + 1024))) appended.push(block);
  const text = Buffer.concat(appended).toString('latin1');
  return /^[\r\n]*$/.test(text) && extra <= 1024
    ? `the body was changed: mail software appended ${text.split('\n').length - 1} empty line(s) at its end; remove them and try again`
    : `the body was changed: mail software appended ${extra} bytes (a footer?) at its end; remove them and try again`;
}

interface Sources {
  readonly body: Tape;
  readonly whole: Tape;
  readonly options: RestoreOptions;
}

/** Builds the original on a tape of its own, so that a file that is gone is known before anything is written. */
async function rebuild(manifest: Manifest, sources: Sources): Promise<AsyncIterable<Buffer>> {
  const { whole } = sources;
  const checksum = new Checksum();
  for await (const block of apply(manifest, sources)) {
    checksum.update(block);
    whole.append(block);
    await whole.drain();
  }
  const { original } = manifest;
  if (whole.length !== original.size || checksum.digest() !== original.gmac)
    throw new RestoreError('changed', 'the restored message is not the original: the record of it does not fit');
  return whole.read(0, whole.length);
}

async function* apply(manifest: Manifest, { body, options }: Sources): AsyncGenerator<Buffer, void, undefined> {
  let at = 0;
  for (const edit of manifest.edits) {
    yield* body.read(at, edit.at);
    for (const piece of edit.insert) {
      if (typeof piece === 'string') yield Buffer.from(piece, 'latin1');
      else yield* encode(fetchFile(piece, options), piece.recipe);
    }
    at = edit.at + edit.remove;
  }
  yield* body.read(at, manifest.delivered.size);
}

async function* fetchFile(
  file: FileReference,
  { store, signal }: RestoreOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const stream = await ask(() => store.openFile(file.sha256, signal));
  if (!stream)
    throw new RestoreError('fileGone', `the file ${file.sha256} (${file.size} bytes) is no longer in storage`);
  const hash = createHash('sha256');
  try {
    for await (const block of stream as AsyncIterable<Buffer>) {
      hash.update(block);
      yield block;
    }
  } catch (error) {
    throw new RestoreError('storage', `storage failed while the file ${file.sha256} was read`, { cause: error });
  }
  if (hash.digest('hex') !== file.sha256)
    throw new RestoreError('fileGone', `the file ${file.sha256} in storage has other content than was stored`);
}

async function ask<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw new RestoreError('storage', `storage cannot be reached: ${Failure.from(error).message}`, { cause: error });
  }
}
