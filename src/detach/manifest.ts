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

export function writeManifest(manifest: Manifest): Buffer {
  return Buffer.from(JSON.stringify(manifest), 'utf8');
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
