import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DovecotInstance } from '../test/harness/dovecot.ts';
import { run } from '../test/harness/process.ts';
import { waitFor } from '../test/harness/wait.ts';
import { findCopy, linksIn, post } from './deliver.ts';
import { labKeys } from './keys.ts';
import { letter } from './letter.ts';
import { assertFits, sizeLimit } from './limits.ts';
import { people } from './people.ts';
import { labPlace, repository } from './places.ts';
import { presets } from './preset.ts';
import type { Sample } from './sample.ts';
import { type LabState, runningLab } from './state.ts';
import { bytes, cyan, row, say } from './terminal.ts';

/** Sends a file through the running lab, by default to Bob, and shows what arrived. @returns the exit status */
export async function send(
  file: string,
  { recipients, directory }: { readonly recipients: readonly string[]; readonly directory: string | undefined },
): Promise<number> {
  const fileSize = sizeOf(file);
  const { home } = await labPlace(directory);
  const running = await runningLab(home);
  if (!running) throw new Error('no lab is running here: start it with `npm run lab` in another terminal');
  const folder = join(home, presets[running.preset]?.folder ?? 'postfix-a', 'etc');
  const config = join(home, 'detach-mta/detach-mta.yaml');
  assertFits(fileSize, await sizeLimit(folder, config));
  const [from, bob] = people;
  // One letter each, as everybody here has an address of small letters.
  const to = recipients.length > 0 ? [...new Set(recipients.map((address) => address.toLowerCase()))] : [bob];
  const sample = await letter({ from, to, file: { name: basename(file), content: readFileSync(file) } });
  await post(sample, running.ports.postfixA);
  row('sent', `${bytes(sample.message.length)} to ${to.join(', ')}`);
  const links = await showArrivals(sample, home, running);
  if (links === 0) await explain(sample, config);
  return 0;
}

/** A device or a pipe has no size, and may have no end. @throws Error when it is not a file */
function sizeOf(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new Error(`${file}: there is no such file`);
  if (!found.isFile()) throw new Error(`${file}: is not a file`);
  return found.size;
}

/** @returns how many links the copies have */
async function showArrivals(sample: Sample, home: string, { ports }: LabState): Promise<number> {
  const { password } = labKeys(home);
  const dovecot = new DovecotInstance(join(home, 'dovecot'), { lmtp: ports.lmtp, imap: ports.imap }, { password });
  let links = 0;
  for (const recipient of sample.to) {
    if (!people.some((person) => person === recipient)) {
      say(`  ${recipient} has no mailbox here: the bounce is in the mailbox of ${sample.from}`);
      continue;
    }
    const what = `the message in the mailbox of ${recipient}; the logs are in ${home}`;
    const copy = await waitFor(() => findCopy(dovecot, recipient, sample.messageId), { what });
    row(`arrived at ${recipient}`, bytes(copy.length));
    for (const url of linksIn(copy, `http://127.0.0.1:${ports.links}`)) {
      row('  link', cyan(url));
      links++;
    }
  }
  return links;
}

interface Explained {
  readonly reason: string | null;
  readonly parts: Part | readonly Part[];
}

interface Part {
  readonly name: string | null;
  readonly does: string;
  readonly reason: string;
  readonly parts?: readonly Part[];
}

/** Says why the file stayed in the message, in the words of `detach-mta explain`. */
async function explain(sample: Sample, config: string): Promise<void> {
  const to = sample.to.flatMap((address) => ['--to', address]);
  const args = [
    join(repository, 'dist/main.js'),
    'explain',
    '--json',
    '--config',
    config,
    '--from',
    sample.from,
    ...to,
  ];
  const told = JSON.parse(await run(process.execPath, args, { input: sample.message })) as Explained;
  const parts = leaves(told.parts).filter(({ name, does }) => name !== null && does === 'stays');
  for (const { name, reason } of parts) row(`${name ?? ''} stayed`, reasons[reason] ?? reason);
  if (told.reason !== null) row('the message stayed whole', told.reason);
  row('', 'every reason: docs/detaching.md');
}

/** Words for the reasons that a file sent here meets most often. */
const reasons: Readonly<Record<string, string>> = {
  small: 'small: below detach.minSize, 1 MiB in the lab; a link would save little',
  'saves nothing': 'saves nothing: the link would take as much room as the file',
};

const leaves = (parts: Part | readonly Part[]): readonly Part[] =>
  [parts].flat().flatMap((part) => (part.parts && part.parts.length > 0 ? leaves(part.parts) : [part]));
