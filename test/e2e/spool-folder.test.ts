/**
 * Another user of the machine prepares traps on the path to the spool: the service neither writes nor deletes anything
 * there.
 */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, lchownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { systemUser } from '../harness/system-user.ts';
import { startBetween } from './chain.ts';

const ourFile = '8a6e0804-2bd0-4672-b79d-d97027f9071a.spool';

/** Folders with something in them that looks like a file of the service's, and a way to them for each kind of trap. */
function layTraps(root: string): { readonly target: string; readonly traps: Record<string, string> } {
  const { uid, gid } = systemUser('nobody');
  const folder = (name: string, mode: number): string => {
    mkdirSync(join(root, name));
    chmodSync(join(root, name), mode);
    return join(root, name);
  };
  const target = folder('target', 0o700);
  writeFileSync(join(target, ourFile), 'x');
  const theirs = folder('theirs', 0o755);
  chownSync(theirs, uid, gid);
  const open = folder('open', 0o777);
  const sticky = folder('sticky', 0o1777);
  for (const link of ['spool', 'above']) {
    symlinkSync(target, join(sticky, link));
    lchownSync(join(sticky, link), uid, gid);
  }
  return {
    target,
    traps: {
      'a folder of theirs': theirs,
      'a folder below one of theirs': join(theirs, 'spool'),
      'a folder below one that all can write to': join(open, 'spool'),
      'a link of theirs': join(sticky, 'spool'),
      'a folder behind a link of theirs': join(sticky, 'above', 'spool'),
    },
  };
}

test('a spool that another user could reach is not used, and the log says why', async (t) => {
  const scenario = new Scenario(t);
  const { target, traps } = layTraps(scenario.directory('traps'));
  const { detach, sink } = await startBetween(scenario);
  for (const [what, directory] of Object.entries(traps)) {
    const since = detach.events.length;
    detach.configure({ spool: { directory } });
    await detach.restart();
    const { err } = await detach.waitForEvent('spool-not-ready', undefined, { since });
    assert.match(JSON.stringify(err), /spool\.directory/, what);
    assert.deepEqual(readdirSync(target), [ourFile], what);
  }
  const message = buildMessage({ from: 'a@example.com', to: 'b@example.org' });
  await sendMail({ port: detach.port, from: 'a@example.com', to: ['b@example.org'], message });
  assert.equal(sink.messages.length, 1, 'mail that needs no spool passes');
});

test('files of other making in the spool stay, those that a kill left go', async (t) => {
  const scenario = new Scenario(t);
  const directory = join(scenario.directory('spool'), 'spool');
  mkdirSync(directory, { mode: 0o700 });
  for (const name of [ourFile, 'old.spool', 'mbox']) writeFileSync(join(directory, name), 'x');
  await startBetween(scenario, { detach: { spool: { directory } } });
  assert.deepEqual(readdirSync(directory).sort(), ['mbox', 'old.spool']);
});
