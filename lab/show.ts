import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../test/harness/random.ts';
import { abridge } from './abridge.ts';
import type { LabView } from './chain.ts';
import { linksIn, type Copy } from './deliver.ts';
import { repository } from './places.ts';
import type { Sample } from './sample.ts';
import { bytes, cyan, dim, green, heading, inDetail, quote, red, row, say, size } from './terminal.ts';

export interface Check {
  readonly what: string;
  readonly ok: boolean;
}

/** The download of one file. */
interface Download {
  readonly url: string;
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

/** Shows what happened to a message, and checks it. @returns whether everything is correct */
export async function showResult(sample: Sample, copies: readonly Copy[], chain: LabView): Promise<boolean> {
  const baseUrl = `http://127.0.0.1:${chain.ports.links}`;
  const [first] = copies;
  if (!first) return false;
  inDetail(() => {
    heading('Before: the message as Alice sent it');
    quote(abridge(sample.message));
    heading(`After: the same message, read over IMAP as ${first.recipient}`);
    quote(abridge(first.message));
  });

  // Below the links of the files stands that of their page.
  const all = linksIn(first.message, baseUrl);
  const links = all.slice(0, sample.files.length);
  const page = all[sample.files.length];
  const downloads = await Promise.all(links.map(download));
  inDetail(() => showLinks(downloads, sample));
  const hashes = new Set(sample.files.map(({ content }) => `files/${sha256(content)}`));
  const stored = (await chain.storage.files()).filter(({ name }) => hashes.has(name));
  row('links', cyan(all.join('\n'.padEnd(31))));
  showSizes(sample, copies, {
    stored: stored.reduce((sum, { size }) => sum + size, 0),
    mailboxes: onDisk(sample, chain),
  });

  const checks: Check[] = [
    {
      what: `${sample.to.length} of ${sample.to.length} recipients have the message`,
      ok: copies.length === sample.to.length,
    },
    { what: `one link for each of the ${sample.files.length} files`, ok: links.length === sample.files.length },
    { what: 'one more, where all of them come as one ZIP archive', ok: page !== undefined && (await isArchive(page)) },
    {
      what: 'every copy has the same links',
      ok: copies.every((copy) => String(linksIn(copy.message, baseUrl)) === String(all)),
    },
    { what: 'no link is longer than 100 characters', ok: all.every((url) => url.length <= 100) },
    ...sample.files.map(({ name, content }) => ({
      what: `behind a link: ${name}, the same by SHA-256`,
      ok: downloads.some((each) => each.sha256 === sha256(content) && each.name === name),
    })),
    { what: 'one blob per file, named by its SHA-256', ok: stored.length === hashes.size },
    { what: 'detach-mta restore gives the original back, byte for byte', ok: restores(sample, first, chain) },
  ];
  return showChecks(checks);
}

/** @returns whether all checks passed */
export function showChecks(checks: readonly Check[]): boolean {
  inDetail(() => heading('Checks'));
  return sayChecks(checks);
}

/** As `showChecks`, without a heading. */
export function sayChecks(checks: readonly Check[]): boolean {
  for (const { what, ok } of checks) say(`  ${ok ? green('ok  ') : red('FAIL')}  ${what}`);
  return checks.every(({ ok }) => ok);
}

async function isArchive(page: string): Promise<boolean> {
  const answer = await fetch(`${page}/all.zip`);
  return (
    answer.ok &&
    Buffer.from(await answer.arrayBuffer())
      .toString('latin1')
      .startsWith('PK')
  );
}

async function download(url: string): Promise<Download> {
  const answer = await fetch(`${url}/file`);
  const body = Buffer.from(await answer.arrayBuffer());
  const name = /filename="?([^";]*)/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? '';
  return { url, name, size: body.length, sha256: sha256(body) };
}

function showLinks(downloads: readonly Download[], sample: Sample): void {
  heading('The files, fetched through their links');
  for (const { url, name, size, sha256: sum } of downloads) {
    const original = sample.files.find((file) => file.name === name);
    say(`  ${name}, ${bytes(size)}`);
    row('  link', `${url}  ${dim(`(${url.length} characters)`)}`);
    row('  SHA-256 downloaded', sum);
    row('  SHA-256 sent', original ? sha256(original.content) : 'not sent by us');
  }
}

function showSizes(
  sample: Sample,
  copies: readonly Copy[],
  { stored, mailboxes }: { readonly stored: number; readonly mailboxes: number },
): void {
  const without = sample.message.length * copies.length;
  const withFilter = mailboxes + stored;
  inDetail(() => {
    heading('Sizes');
    row('message as sent', bytes(sample.message.length));
    row('message in the mailbox', bytes(copies[0]?.message.length ?? 0));
  });
  row('without Detach MTA', `${size(without)} in ${copies.length} mailboxes`);
  const saved = green(`${((1 - withFilter / without) * 100).toFixed(0)} % saved`);
  row('with Detach MTA', `${size(mailboxes)} in the mailboxes, ${size(stored)} stored once: ${saved}`);
}

/** Bytes that this message takes in Dovecot's folders, over all recipients. */
function onDisk(sample: Sample, chain: LabView): number {
  let sum = 0;
  for (const recipient of sample.to) {
    const newest = ['new', 'cur']
      .map((folder) => join(chain.dovecot.maildir(recipient), folder))
      .flatMap((folder) => readdirSync(folder).map((file) => statSync(join(folder, file))))
      .sort((one, other) => other.mtimeMs - one.mtimeMs)[0];
    sum += newest?.size ?? 0;
  }
  return sum;
}

/** Postfix A added fields on top, so the restored message ends with the original. */
function restores(sample: Sample, copy: Copy, chain: LabView): boolean {
  try {
    const original = execFileSync(
      process.execPath,
      [join(repository, 'dist/main.js'), 'restore', '--config', chain.detach.configFile],
      { input: copy.message, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    return original.subarray(-sample.message.length).equals(sample.message);
  } catch {
    return false;
  }
}
