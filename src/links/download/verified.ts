import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';

/** The stored bytes do not have the hash that is the file's name. */
export class CorruptFileError extends Error {
  override readonly name = 'CorruptFileError';
  readonly sha256: string;

  constructor(sha256: string, message: string) {
    super(message);
    this.sha256 = sha256;
  }
}

/**
 * Passes the bytes of a whole file on and fails unless their SHA-256 is the given one. It holds back the last chunk
 * until the hash is known: a file that fails never arrives complete.
 */
export function verified(sha256: string): Transform {
  const hash = createHash('sha256');
  let held: Buffer | undefined;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      const ready = held;
      held = chunk;
      done(null, ready);
    },
    flush(done) {
      if (hash.digest('hex') === sha256) done(null, held);
      else done(new CorruptFileError(sha256, `the bytes of ${sha256} in storage are not those that were stored`));
    },
  });
}
