/** The archive of a message takes about as long as its files would one by one, and no memory for their bytes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { LinkLab } from '../testing/link-lab.ts';

const fileBytes = 16 * 1024 * 1024;
const files = 6;
/** The client of the test buffers too, and memory is given back some time later. */
const maxBuffered = (fileBytes * files) / 2;
/** Work of others on the machine only takes time: the best try is the truest. */
const tries = 4;

const lab = new LinkLab();
let paths: { readonly archive: string; readonly files: readonly string[] };
before(async () => {
  await lab.start();
  const all = Array.from({ length: files }, (_, i) => ({ name: `${i}.bin`, bytes: randomBytes(fileBytes) }));
  const { page, tokens } = await lab.put({ files: all });
  paths = { archive: `${page}/all.zip`, files: tokens.map((token) => `${token}/file`) };
});
after(() => lab.stop());

interface Download {
  readonly bytes: number;
  readonly ms: number;
  /** Most bytes of buffers beyond those at the start. */
  readonly buffered: number;
}

async function download(path: string): Promise<Download> {
  const started = performance.now();
  const atStart = process.memoryUsage().arrayBuffers;
  let bytes = 0;
  let most = 0;
  const { body, status } = await fetch(lab.url(path));
  assert.equal(status, 200);
  for await (const chunk of body!) {
    bytes += (chunk as Uint8Array).length;
    most = Math.max(most, process.memoryUsage().arrayBuffers - atStart);
  }
  return { bytes, ms: performance.now() - started, buffered: most };
}

test('at least half as fast as its files one by one, in the same run', async () => {
  const ratios: number[] = [];
  for (let i = 0; i < tries && !ratios.some((ratio) => ratio >= 0.5); i++) {
    let single = 0;
    for (const path of paths.files) single += (await download(path)).ms;
    ratios.push(single / (await download(paths.archive)).ms);
  }
  assert.ok(Math.max(...ratios) >= 0.5, ratios.map((ratio) => ratio.toFixed(2)).join(', '));
});

test('its bytes do not pile up in memory', async () => {
  let least = Infinity;
  for (let i = 0; i < tries && least > maxBuffered; i++) {
    const { bytes, buffered } = await download(paths.archive);
    assert.ok(bytes > files * fileBytes);
    least = Math.min(least, buffered);
  }
  assert.ok(least <= maxBuffered, `${least} bytes of buffers beyond those at the start`);
});
