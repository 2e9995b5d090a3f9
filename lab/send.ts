import { readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { DovecotInstance } from '../test/harness/dovecot.ts';
import { people } from './people.ts';
import { findCopy, linksIn, post } from './deliver.ts';
import { labHome } from './places.ts';
import { letter } from './sample.ts';
import { runningLab } from './state.ts';
import { bytes, row, say } from './terminal.ts';
import { waitFor } from '../test/harness/wait.ts';

const types: Readonly<Record<string, string>> = {
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.zip': 'application/zip',
  '.mp4': 'video/mp4',
};

/** Sends a file through the running lab, by default to Bob, and shows what arrived. @returns the exit status */
export async function send(file: string, recipients: readonly string[]): Promise<number> {
  const home = labHome();
  const running = await runningLab(home);
  if (!running) throw new Error('no lab is running here: start it with `npm run lab` in another terminal');
  const { ports } = running;
  const content = readFileSync(file);
  const [from, bob] = people;
  const to = recipients.length > 0 ? recipients : [bob];
  // Letters of ASCII, as the builder of test messages wants them.
  const name = basename(file).replace(/[^ !#-[\]-~]/g, '_');
  const type = types[extname(name).toLowerCase()] ?? 'application/octet-stream';
  const sample = letter({ from, to, subject: name, files: [{ name, type, content }] });
  await post(sample, ports.postfixA);
  row('sent', `${bytes(sample.message.length)} to ${to.join(', ')}`);
  const dovecot = new DovecotInstance(join(home, 'dovecot'), { lmtp: ports.lmtp, imap: ports.imap });
  for (const recipient of to) {
    if (!people.some((person) => person === recipient)) {
      say(`  ${recipient} has no mailbox here: the bounce is in the mailbox of ${from}`);
      continue;
    }
    const what = `the message in the mailbox of ${recipient}; the logs are in ${home}`;
    const copy = await waitFor(() => findCopy(dovecot, recipient, sample.messageId), { what });
    row(`arrived at ${recipient}`, bytes(copy.length));
    for (const url of linksIn(copy, `http://127.0.0.1:${ports.links}`)) row('  link', url);
  }
  return 0;
}
