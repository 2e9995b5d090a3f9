import assert from 'node:assert/strict';
import { link, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { start } from './testing/harness.ts';
import { say } from './testing/mail-server.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'milter-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

const whole = Buffer.concat([say.negotiate(), say.mail('<>'), say.rcpt('<b>'), say.endOfHeader(), say.endOfMessage()]);

test('a UNIX socket: its permissions, and one that a killed process left behind', async (t) => {
  const path = join(await folder(t), 'milter.sock');
  const first = await start(t, undefined, { listen: { path, mode: 0o660 } });
  assert.equal((await stat(path)).mode & 0o777, 0o660);
  await assert.rejects(start(t, undefined, { listen: { path, mode: 0o600 } }), /EADDRINUSE/);
  const peer = first.open();
  await peer.write(whole);
  assert.equal((await peer.verdict()).at(-1), 'c');
  peer.close();
  await first.server.close({ graceMs: 0, idleGraceMs: 0 });
  // Node takes its socket away; a process that was killed does not.
  const left = createServer().listen(path);
  await new Promise((resolve) => left.once('listening', resolve));
  const fake = `${path}.kept`;
  await link(path, fake);
  await new Promise((resolve) => left.close(resolve));
  await rename(fake, path);
  const second = await start(t, undefined, { listen: { path, mode: 0o600 } });
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await second.server.close({ graceMs: 0, idleGraceMs: 0 });
});

test('a file that is no socket stays where it is', async (t) => {
  const path = join(await folder(t), 'milter.sock');
  await writeFile(path, 'not ours');
  await assert.rejects(start(t, undefined, { listen: { path, mode: 0o600 } }), /EADDRINUSE/);
});

test('strangers are cut off; so is one connection too many, with a word', async (t) => {
  const strangers = await start(t, undefined, { trusts: () => false });
  assert.equal(await strangers.open().packet(), undefined);
  const few = await start(t, undefined, { maxConnections: 1 });
  const first = few.open();
  await first.write(say.negotiate());
  assert.equal((await first.packet())?.letter, 'O');
  assert.equal(await few.open().packet(), undefined);
  assert.deepEqual(
    few.events.map(({ kind }) => kind),
    ['too-many-connections'],
  );
  first.close();
});

test('closing waits for a message under way, and not for idle connections', async (t) => {
  let answer: () => void = () => undefined;
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const { server, open } = await start(
    t,
    () =>
      new Promise((resolve) => {
        answer = () => resolve({ verdict: { kind: 'accept', headerChanges: [] } });
        asked();
      }),
  );
  const [busy, idle] = [open(), open()];
  await idle.write(say.negotiate());
  await idle.packet();
  await busy.write(whole);
  await isAsked;
  const closed = server.close({ graceMs: 60_000, idleGraceMs: 0 });
  assert.equal(await idle.packet(), undefined);
  answer();
  assert.equal((await busy.verdict()).at(-1), 'c');
  await closed;
});
