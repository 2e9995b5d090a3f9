/**
 * Measures the operator's commands with very many links: time, CPU, and peak memory.
 *
 * - `npm run build`
 * - In a directory: `node --import tsx bench/links/main.ts --links 1000000 [--in /dev/shm]`
 * - In Azurite: `node --import tsx bench/links/main.ts --links 100000 --azurite`
 * - Some of them: `--only 'list by message id,sweep of a tenth'`
 * - Filled once, measured again: `--keep DIR` fills the directory DIR if it is not there, and leaves it there
 *
 * A million links in a directory take 25 GB, 6.3 million inodes and, to make them, a quarter of an hour or more.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import type { Blobs } from '../../src/storage/blobs.ts';
import { openBlobs } from '../../src/storage/store.ts';
import { startAzurite } from '../../test/harness/azurite.ts';
import { bundleForAzurite } from './bundle-for-azurite.ts';
import { fillDirectory } from './fill.ts';
import { messageIdOf, secret, senderOf } from './made-up.ts';

const { values } = parseArgs({
  options: {
    links: { type: 'string', default: '100000' },
    azurite: { type: 'boolean' },
    in: { type: 'string' },
    only: { type: 'string' },
    keep: { type: 'string' },
  },
});
const links = Number(values.links);
const isFilled = values.keep !== undefined && existsSync(values.keep);
if (values.keep !== undefined) mkdirSync(values.keep, { recursive: true });
const home = values.keep ?? mkdtempSync(join(values.in ?? tmpdir(), 'detach-links-bench-'));
// On disk it would write its whole database again every few seconds.
const azurite =
  values.azurite === true
    ? await startAzurite({
        inMemory: true,
        env: {
          NODE_OPTIONS: `--import=${pathToFileURL(await bundleForAzurite()).href}`,
          DETACH_BENCH_LINKS: String(links),
          DETACH_BENCH_NOW: String(Date.now()),
        },
      })
    : undefined;
const directory = join(home, 'store');
const storage = azurite
  ? { connectionString: azurite.connectionString, container: 'detach' }
  : { directory, reserve: 0, container: 'detach' };
const maxOutputBytes = 2 ** 28;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

try {
  if (!isFilled) await fill();
  const config = writeConfig();
  const middle = messageIdOf(Math.floor(links / 2) + 1);
  const sweptYesterday = new Date(Date.now() - 86_400_000).toISOString();
  measure('list by message id before a first sweep', ['links', 'list', '--message-id', middle], config);
  measure('sweep --dry-run as the first one (asks for each entry)', ['sweep', '--dry-run'], config);
  await markSwept(sweptYesterday);
  measure('list by message id', ['links', 'list', '--message-id', middle], config);
  measure('list by sender', ['links', 'list', '--sender', senderOf(1)], config);
  measure('list by file', ['links', 'list', '--file', 'plan-7.pdf'], config);
  measure('stats', ['stats'], config);
  measure('sweep --dry-run the day after another', ['sweep', '--dry-run'], config);
  measure('sweep of a tenth', ['sweep'], config);
} finally {
  await azurite?.stop();
  if (values.keep === undefined) rmSync(home, { recursive: true, force: true });
}

async function fill(): Promise<void> {
  const started = performance.now();
  const progress = (count: number): void => void process.stderr.write(`\r${count} links made\r`);
  const filling = { links, now: Date.now(), progress };
  const blobs = openBlobs({ storage });
  if (!azurite) {
    spawnSync('mkdir', ['-m', '700', directory]);
    chmodSync(directory, 0o700);
  }
  await prepare(blobs);
  if (!azurite) await fillDirectory(directory, filling);
  say(`${links} links made in ${seconds(started)}`);
}

/** Azurite fills itself when its container is made, which takes longer than a request may. */
async function prepare(blobs: Blobs): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await blobs.prepare(new AbortController().signal);
      return;
    } catch (error) {
      if (!azurite || tries === 100) throw error;
    }
  }
}

async function markSwept(started: string): Promise<void> {
  const { signal } = new AbortController();
  const blob = { what: 'sweep', signal, content: Buffer.from('{}'), metadata: { started } };
  await openBlobs({ storage }).create('index/complete/sweep', blob);
}

function writeConfig(): string {
  const file = join(home, 'detach-mta.yaml');
  const key = secret.toString('base64');
  writeFileSync(
    file,
    stringify({
      outbound: { nextHop: ['127.0.0.1:25'] },
      loopguard: { cluster: 'bench', keys: [`1:${key}`] },
      storage,
      links: { baseUrl: 'https://files.example', secret: key },
    }),
  );
  return file;
}

/** Runs the compiled program, and prints its time and peak memory. */
function measure(what: string, words: readonly string[], config: string): void {
  if (values.only !== undefined && !values.only.split(',').includes(what)) return;
  const started = performance.now();
  const hook = `process.on("exit",()=>{const u=process.resourceUsage();process.stderr.write("\\npeak "+u.maxRSS+" cpu "+(u.userCPUTime+u.systemCPUTime))})`;
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(hook)}`,
    'dist/main.js',
    ...words,
    '--config',
    config,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: maxOutputBytes });
  const [, peak = 0, cpu = 0] = /peak (\d+) cpu (\d+)/.exec(stderr) ?? [];
  const used = `${(Number(cpu) / 1e6).toFixed(1)} s of CPU, ${Math.round(Number(peak) / 1024)} MiB at most`;
  say(`${what}: ${seconds(started)}, ${used}, status ${status}`);
  say(`  ${(stdout === '' ? stderr : stdout).trim().split('\n')[0]!.slice(0, 160)}`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
