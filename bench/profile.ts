/**
 * `npm run bench -- --profile [small|new|SIZE] [options]`: runs the relay under `node --cpu-prof` with one workload,
 * and prints where its time went, by function and by part of the program (self time).
 */
import { mkdirSync, readFileSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startSmtpSink } from './load/smtp-sink.ts';
import { smtpSource } from './load/smtp-source.ts';
import { startStorage } from './load/storage.ts';
import { privateDirectory } from '../test/harness/private-directory.ts';
import { timed } from './measure/timed.ts';
import { thisCheckout } from './peers/builds.ts';
import { startDetachMta } from './peers/detach-mta.ts';
import { startPostfixRelay } from './peers/postfix.ts';
import { type CpuProfile, byCaller, byFunction, byPlace, inSources } from './report/cpu-profile.ts';
import { transfer } from './workloads/transfer.ts';
import { mebibyte, withStarted } from './workloads/workload.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { build: { type: 'string' }, postfix: { type: 'boolean' } },
});
const { build: directory, postfix = false } = values;
const [what = 'small'] = positionals;
const megabytes = Number(what);
if (what !== 'small' && what !== 'new' && !(megabytes > 0)) {
  console.error('usage: npm run bench -- --profile [small | new | MEBIBYTES] [--build DIRECTORY] [--postfix]');
  process.exit(64);
}

const raw = privateDirectory('profile');
await withStarted(async (use) => {
  const sink = await use(startSmtpSink());
  const storage = await use(startStorage('null'));
  const relay = await use(
    startDetachMta({
      nextHop: sink.port,
      storage,
      ...(directory === undefined ? {} : { build: { ...thisCheckout, name: directory, directory } }),
      nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${raw}`, '--enable-source-maps'],
    }),
  );
  // A sender of prebuilt bytes fills the socket; Postfix writes 4 KiB at a time.
  const front = postfix ? await use(startPostfixRelay(relay.port)) : relay;
  if (megabytes > 0) {
    const count = Math.max(4, Math.ceil(2000 / megabytes));
    const { wall, cpu } = await timed(relay.pids, () =>
      transfer(front, sink, { size: megabytes * mebibyte, parallel: 1, count }),
    );
    const bytes = count * megabytes * mebibyte;
    console.log(`${(bytes / 1e6 / wall).toFixed(0)} MB/s, ${((cpu / bytes) * 1e9).toFixed(2)} CPU s/GB`);
  } else {
    const keepOpen = what === 'small';
    const messages = keepOpen ? 20_000 : 5000;
    const { wall, cpu } = await timed(relay.pids, () =>
      smtpSource(front.port, { messages, sessions: 10, recipients: 1, keepOpen }),
    );
    console.log(`${(messages / wall).toFixed(0)} messages/s, ${((cpu / messages) * 1e6).toFixed(0)} µs of CPU each`);
  }
});

// The supervisor and the process for readers write a profile too; that of the mail process is by far the largest.
const sizeOf = (name: string): number => statSync(join(raw, name)).size;
const [file = ''] = readdirSync(raw)
  .filter((name) => name.endsWith('.cpuprofile'))
  .sort((a, b) => sizeOf(b) - sizeOf(a));
const profile = inSources(JSON.parse(readFileSync(join(raw, file), 'utf8')) as CpuProfile);
const kept = join(import.meta.dirname, 'results', `${what}.cpuprofile`);
mkdirSync(join(import.meta.dirname, 'results'), { recursive: true });
renameSync(join(raw, file), kept);
for (const [title, lines] of [
  ['functions by self time', byFunction(profile)],
  ['functions of ours by self time and that of what they call elsewhere', byCaller(profile)],
  ['places by self time', byPlace(profile)],
] as const) {
  console.log(`\n${title}\n${lines.slice(0, 45).join('\n')}`);
}
console.log('\nwritten: bench/results/*.cpuprofile, for a flame graph in the developer tools of a browser');
