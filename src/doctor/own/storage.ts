import { storageAdvice } from '../../storage/advice.ts';
import { fileBlob } from '../../storage/naming.ts';
import { openBlobs } from '../../storage/store.ts';
import { fail, type Found, ok } from '../finding.ts';
import type { Check, Step } from '../interface.ts';
import { errorText } from '../../smtp/failures.ts';
import { clockOf, describeSkew, tolerableSkewMs } from './clock-of.ts';
import { withTrialBlob, type TrialBlob } from './trial-blob.ts';

/** Does with one file what the service does with all: write, read, list, delete. */
export const storage: Check = {
  name: 'storage',
  run: async (context, signal) => {
    const { config } = context;
    const blobs = openBlobs(config);
    try {
      const found = await withTrialBlob({ blobs, signal }, tryOut);
      await blobs.requireRoom(0, { what: 'room', signal });
      return [found];
    } catch (error) {
      const reason = errorText(error);
      return [fail(reason, await advice(reason, { context, signal }))];
    }
  },
};

async function tryOut({ blobs, sha256, bytes, signal }: TrialBlob): Promise<Found> {
  const name = fileBlob(sha256);
  const stream = await blobs.open(name, { what: 'reading a trial file', signal, range: undefined });
  const chunks: Buffer[] = [];
  if (stream) for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  if (!Buffer.concat(chunks).equals(bytes))
    return fail('what was written cannot be read back', 'storage changes or loses what it is given: do not use it');
  let listed = false;
  for await (const page of blobs.list(name, { what: 'listing', signal }))
    listed ||= page.some((blob) => blob.name === name);
  return listed
    ? ok('a file was written, read, listed and deleted')
    : fail('what was written is not listed', 'sweep and links list need the right to list: grant it');
}

/** A signature is refused when the clocks differ too much, and the answer does not say so. */
async function advice(reason: string, { context: { config, now }, signal }: Step): Promise<string> {
  const usual = storageAdvice(reason, config.storage);
  if (!/\b403\b/.test(reason)) return usual;
  const clock = await clockOf(config, { now, signal });
  return clock !== undefined && Math.abs(clock) > tolerableSkewMs
    ? `${describeSkew(clock)}: set the clock of this machine (NTP): storage refuses signatures that seem old`
    : usual;
}
