import { takeTurns } from '../runtime/take-turns.ts';
import type { Recipe } from './encoding/recipe.ts';

/** The header field that names the manifest of a message. */
export const manifestField = 'X-Detach-Message';

/**
 * What `messages/<id>` holds: how to rebuild the original from the delivered body and the stored files. docs/restore.md
 * describes it. All text from the message is stored as byte strings, one character for each octet.
 */
export interface Manifest {
  readonly v: 1;
  readonly original: {
    /** The header block as received, without the empty line that ends it. */
    readonly header: string;
    /** Bytes of the body, which begins after the empty line, and their checksum in hex. */
    readonly size: number;
    readonly gmac: string;
  };
  /** The body as it was sent on: bytes and SHA-256 in hex. */
  readonly delivered: { readonly size: number; readonly sha256: string };
  /** In order of `at`. */
  readonly edits: readonly ManifestEdit[];
}

/**
 * At this position of the delivered body, restoring removes the bytes that we inserted and puts the original ones back.
 */
export interface ManifestEdit {
  readonly at: number;
  readonly remove: number;
  readonly insert: readonly (string | FileReference)[];
}

export interface FileReference {
  readonly sha256: string;
  /** Decoded bytes. */
  readonly size: number;
  readonly recipe: Recipe;
}

/** Characters that become JSON at once: the texts of a manifest can have megabytes, and the event loop waits. */
const maxTextStep = 64 * 1024;

/** As `JSON.stringify` writes it, in UTF-8. */
export async function writeManifest(manifest: Manifest): Promise<Buffer> {
  const buffers: Buffer[] = [];
  let pending = '';
  for (const piece of jsonOf(manifest)) {
    pending += piece;
    if (pending.length < maxTextStep) continue;
    buffers.push(Buffer.from(pending));
    pending = '';
    await takeTurns();
  }
  buffers.push(Buffer.from(pending));
  return join(buffers);
}

/** As `Buffer.concat`, in steps: on a system that is slow to hand out memory, six megabytes at once take 50 ms. */
async function join(buffers: readonly Buffer[]): Promise<Buffer> {
  const joined = Buffer.allocUnsafe(buffers.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const buffer of buffers) {
    at += buffer.copy(joined, at);
    await takeTurns();
  }
  return joined;
}

function* jsonOf({ v, original, delivered, edits }: Manifest): Generator<string, void, undefined> {
  yield `{"v":${v},"original":{"header":`;
  yield* quoted(original.header);
  yield `,"size":${original.size},"gmac":"${original.gmac}"},"delivered":${JSON.stringify(delivered)},"edits":[`;
  for (const [i, { at, remove, insert }] of edits.entries()) {
    yield `${i > 0 ? ',' : ''}{"at":${at},"remove":${remove},"insert":[`;
    for (const [j, piece] of insert.entries()) {
      if (j > 0) yield ',';
      if (typeof piece === 'string') yield* quoted(piece);
      else yield JSON.stringify(piece);
    }
    yield ']}';
  }
  yield ']}';
}

/** A byte string has no surrogates, so it can be cut anywhere. */
function* quoted(text: string): Generator<string, void, undefined> {
  yield '"';
  for (let at = 0; at < text.length; at += maxTextStep)
    yield JSON.stringify(text.slice(at, at + maxTextStep)).slice(1, -1);
  yield '"';
}

/** Undefined when this is a manifest of a later version, or none at all. */
export function readManifest(bytes: Buffer): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && 'v' in value && value.v === 1
      ? (value as Manifest)
      : undefined;
  } catch {
    return undefined;
  }
}
