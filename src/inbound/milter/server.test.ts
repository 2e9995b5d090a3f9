import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { start } from './testing/harness.ts';
import type { Place } from './server.ts';
import { say } from './testing/mail-server.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'milter-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

const whole = Buffer.concat([say.negotiate(), say.mail('<>'), say.rcpt('<b>'), say.endOfHeader(), say.endOfMessage()]);

test('a UNIX socket', async (t) => {
  const { open, server } = await start(t, undefined, { listen: { path: join(await folder(t), 'milter.sock') } });
  assert.equal(server.port, 0);
  const peer = open();
  await peer.write(whole);
  assert.equal((await peer.verdict()).at(-1), 'c');
  peer.close();
});

function oneOnly(): () => Place {
  let taken = 0;
  return () => {
    if (taken > 0) return { kind: 'refused', failure: 'tooManyClients' };
    taken += 1;
    return { kind: 'admitted', leave: () => (taken -= 1) };
  };
}

test('strangers are cut off; so is one connection too many, with a word', async (t) => {
  const strangers = await start(t, undefined, { trusts: () => false });
  assert.equal(await strangers.open().packet(), undefined);
  const few = await start(t, undefined, { enter: oneOnly() });
  const first = few.open();
  await first.write(say.negotiate());
  assert.equal((await first.packet())?.letter, 'O');
  assert.equal(await few.open().packet(), undefined);
  assert.deepEqual(
    few.events.map(({ kind }) => kind),
    ['refused'],
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
  const closed = server.close({ hurry: AbortSignal.abort(), deadline: new AbortController().signal });
  assert.equal(await idle.packet(), undefined);
  answer();
  assert.equal((await busy.verdict()).at(-1), 'c');
  await closed;
});
