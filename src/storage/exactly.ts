import { Transform } from 'node:stream';

/** Passes bytes on and fails unless they are exactly as many as were promised. */
export function exactly(size: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > size) done(new Error(`more than the promised ${size} bytes`));
      else done(null, chunk);
    },
    flush(done) {
      done(seen === size ? null : new Error(`${seen} of the promised ${size} bytes`));
    },
  });
}
