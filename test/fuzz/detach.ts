/**
 * Cuts, mixes and damages messages that are already malformed, detaches files from the result, and restores it. Run it
 * for long with `node --import tsx test/fuzz/detach.ts 1000000 [seed]`.
 */
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { Lab } from '../../src/detach/testing/lab.ts';
import { cutAt, message } from '../../src/detach/testing/messages.ts';
import { MemoryStore } from '../../src/storage/testing/memory-store.ts';
import { type Random, randomNumbers } from './random.ts';
import { type Counts, inRounds } from './rounds.ts';

export interface FuzzOptions {
  readonly iterations: number;
  readonly seed?: number;
}

export interface FuzzReport extends Counts {
  /** Messages that something was taken out of, and how many files. */
  readonly detached: number;
  readonly files: number;
}

/** Messages to start from; the larger the pool, the longer the start. */
const poolSize = 400;

/** Pieces that mean something to the scanner, the decoders or the header code. */
const tokens = (
  '\r\n|\r\n\r\n|--|--b|\r\n--b\r\n|\r\n--b--\r\n|\r\n--b0|\r\n--c--|=|==|=\r\n|=20|=3D|\r|\t| |;|"|\\|(|\0|\xff|-_|cid:one@x|' +
  'Content-Type: |; charset=koi8-r|; charset="us-ascii"|charset*0=utf-|Content-Type: multipart/mixed; boundary=b\r\n|Content-Type: message/rfc822\r\n\r\n|' +
  'Content-Transfer-Encoding: base64\r\n|Content-Transfer-Encoding: quoted-printable\r\n|Content-Disposition: attachment\r\n|' +
  "Content-ID: <one@x>\r\n|X-Detach-Message: x\r\n|boundary=|boundary*0=\"b|filename*=utf-8''%00|multipart/signed|QUJD|\r\n.\r\n|From "
).split('|');

/** @throws at the first message that is not restored, with its bytes and the seed that reproduces it */
export async function fuzzDetach({ iterations, seed = 1 }: FuzzOptions): Promise<FuzzReport> {
  const pool: Buffer[] = fc.sample<Buffer>(message, { numRuns: poolSize, seed });
  const random = randomNumbers(seed);
  let lab = new Lab();
  let detached = 0;
  let files = 0;
  for (let i = 0; i < iterations; i++) {
    // Frees what was stored for messages that were restored.
    if (i % 5000 === 4999) {
      await lab.close();
      lab = new Lab({ store: new MemoryStore() });
    }
    const original = mutate(pool, random);
    let taken = 0;
    try {
      const out = await lab.detach(cutAt(original, [random(original.length + 1), random(original.length + 1)]));
      if (out.files.length === 0) assert.ok(out.message.equals(original), 'a message without files was changed');
      else {
        taken = out.files.length;
        detached += 1;
        files += taken;
        assert.ok((await lab.restore(out.message)).equals(original), 'what was restored is not the original');
      }
      if (i % 16 === 0) assert.deepEqual(await lab.detach(original), out, 'it matters where the message is cut');
    } catch (error) {
      const found = JSON.stringify(original.toString('latin1'));
      throw new Error(`seed ${seed}, iteration ${i}: ${found}`, { cause: error });
    }
    // Messages that still have files to detach go back into the pool.
    if (taken > 0 && random(8) === 0 && original.length < 40_000) pool[random(pool.length)] = original;
  }
  await lab.close();
  return { detached, files };
}

function mutate(pool: readonly Buffer[], random: Random): Buffer {
  const pick = (): string => pool[random(pool.length)]!.toString('latin1');
  let text = pick();
  for (let n = random(3); n >= 0; n--) {
    const at = random(text.length + 1);
    const [head, tail] = [text.slice(0, at), text.slice(at)];
    switch (random(7)) {
      case 0:
        text = head + tokens[random(tokens.length)]! + tail;
        break;
      case 1:
        text = head + tail.slice(random(200));
        break;
      case 2: {
        const other = pick();
        text = head + other.slice(random(other.length));
        break;
      }
      case 3:
        text = head + tail.slice(0, random(3000)) + tail;
        break;
      case 4:
        text = head + String.fromCharCode(random(256)) + tail.slice(1);
        break;
      case 5: {
        const line = tail.indexOf('\r\n');
        text = line < 0 ? head : head + tail.slice(line);
        break;
      }
      default: {
        const old = tokens[random(tokens.length)]!;
        text = head + tail.replace(old, () => tokens[random(tokens.length)]!);
      }
    }
  }
  // The front door refuses lines that end in LF alone.
  return Buffer.from(text.slice(0, 200_000).replace(/(?<!\r)\n/g, '\r\n'), 'latin1');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [iterations = 1_000_000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
  await inRounds(iterations, seed, (round) => fuzzDetach(round));
}
