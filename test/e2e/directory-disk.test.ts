import assert from 'node:assert/strict';
import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { command } from '../harness/command.ts';
import { type ConfigTree, type DetachInstance, startDetach } from '../harness/detach-mta.ts';
import { run } from '../harness/process.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { type Sink, startSink } from '../harness/sink.ts';
import { SmallDisk } from '../harness/small-disk.ts';
import { everythingBelow, openToOthers, storageDirectory, wronglyNamed } from '../harness/stored-files.ts';
import { waitFor } from '../harness/wait.ts';
import { linkIn } from './chain.ts';

const mebibyte = 1024 * 1024;
const envelope = { from: 'alice@example.com', to: ['bob@example.org'] };
const small = buildMessage({ from: envelope.from, to: 'bob@example.org' });

interface Stage {
  readonly detach: DetachInstance;
  readonly sink: Sink;
}

async function startOn(scenario: Scenario, directory: string, storage: ConfigTree = {}): Promise<Stage> {
  const sink = await scenario.use(startSink());
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage: directory, config: { storage } }));
  return { detach, sink };
}

async function send({ detach }: Stage, message: Buffer): Promise<string> {
  const sent = await sendMail({ port: detach.port, ...envelope, message });
  return sent.final[0]?.text ?? '';
}

let files = 0;
/** A message with a file that nobody has sent before. */
const withFile = (size: number): Buffer => {
  const attachments = [{ name: 'a.bin', content: randomBytes(size, `file ${++files}`) }];
  return buildMessage({ from: envelope.from, to: 'bob@example.org', attachments });
};

async function assertAllThere({ sink }: Stage): Promise<void> {
  for (const { data } of sink.messages) {
    if (!data.includes('http://')) continue;
    const answer = await fetch(`${linkIn(data)}/file`);
    assert.equal(answer.status, 200);
    await answer.arrayBuffer();
  }
}

test('a full disk: 452 and nothing is left, mail without files passes, and room again is used', async (t) => {
  const scenario = new Scenario(t);
  const disk = await SmallDisk.create(scenario, 64);
  writeFileSync(join(disk.path, 'ballast'), randomBytes(20 * mebibyte));
  const directory = storageDirectory(disk.path);
  const stage = await startOn(scenario, directory);
  const replies: string[] = [];
  // Several at a time: each finds room when it looks, and not all find it when they write.
  while (!replies.some((reply) => reply.startsWith('452'))) {
    replies.push(...(await Promise.all(Array.from({ length: 4 }, () => send(stage, withFile(4 * mebibyte))))));
    assert.ok(replies.length < 40, 'the disk is never full');
  }
  for (const reply of replies) assert.match(reply, /^(?:250|452 4\.3\.1) /, stage.detach.describe());
  assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
  assert.deepEqual(wronglyNamed(directory), []);
  const accepted = replies.filter((reply) => reply.startsWith('250')).length;
  assert.equal(stage.sink.messages.length, accepted);
  await assertAllThere(stage);

  writeFileSync(join(disk.path, 'rest'), Buffer.alloc(mebibyte));
  assert.match(await send(stage, small), /^250 /);
  rmSync(join(disk.path, 'ballast'));
  assert.match(await send(stage, withFile(4 * mebibyte)), /^250 /);
  await assertAllThere(stage);
});

test('a disk without a single free block: 452 even for the smallest record, and nothing is left', async (t) => {
  const scenario = new Scenario(t);
  const disk = await SmallDisk.create(scenario, 16);
  const directory = storageDirectory(disk.path);
  const stage = await startOn(scenario, directory);
  assert.match(await send(stage, withFile(200_000)), /^250 /);
  const before = everythingBelow(directory).filter((path) => path.startsWith('files/'));
  fill(disk.path);
  assert.match(await send(stage, withFile(200_000)), /^452 4\.3\.1 /);
  assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
  assert.deepEqual(
    everythingBelow(directory).filter((path) => path.startsWith('files/') && path.length > 10),
    before.filter((path) => path.length > 10),
  );
  assert.match(await send(stage, small), /^250 /);
});

function fill(folder: string): void {
  for (const size of [mebibyte, 65_536, 4096, 1]) {
    try {
      for (let i = 0; ; i++) writeFileSync(join(folder, `fill-${size}-${i}`), Buffer.alloc(size));
    } catch (error) {
      assert.match(String(error), /ENOSPC/);
    }
  }
}

test('storage.reserve: below it mail with files gets 452 although there is room, other mail passes', async (t) => {
  const scenario = new Scenario(t);
  const disk = await SmallDisk.create(scenario, 64);
  const directory = storageDirectory(disk.path);
  const stage = await startOn(scenario, directory, { reserve: 40 * mebibyte });
  assert.match(await send(stage, withFile(4 * mebibyte)), /^250 /);
  assert.match(await send(stage, withFile(12 * mebibyte)), /^452 4\.3\.1 /);
  assert.match(stage.detach.describe(), /storage\.reserve/);
  assert.match(await send(stage, small), /^250 /);
  assert.match(await send(stage, withFile(mebibyte)), /^250 /);
});

test('no inodes left: 452 and nothing is left, mail without files passes, and a reserve of inodes is kept', async (t) => {
  const scenario = new Scenario(t);
  const disk = await SmallDisk.ofInodes(scenario, 250);
  const directory = storageDirectory(disk.path);
  // Of bytes the smallest reserve, of inodes the usual one.
  const careful = await startOn(scenario, directory, { reserve: 1 });
  const untilFull = async (stage: Stage): Promise<void> => {
    let reply = await send(stage, withFile(200_000));
    for (let i = 0; reply.startsWith('250'); i++, reply = await send(stage, withFile(200_000))) assert.ok(i < 100);
    assert.match(reply, /^452 4\.3\.1 /, stage.detach.describe());
  };
  await untilFull(careful);
  assert.match(careful.detach.describe(), /inodes are free, and 44 are kept/);
  const { ffree } = statfsSync(disk.path);
  assert.ok(ffree >= 20, `${ffree} inodes are left`);
  assert.match(await send(careful, small), /^250 /);
  assert.equal((await command(careful.detach, ['sweep'])).status, 0);

  const stage = await startOn(scenario, directory);
  await untilFull(stage);
  assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
  assert.deepEqual(wronglyNamed(directory), []);
  await assertAllThere(stage);
  assert.match(await send(stage, small), /^250 /);
  await run('mount', ['-o', 'remount,nr_inodes=1000', disk.path]);
  assert.match(await send(stage, withFile(200_000)), /^250 /);
});

test('a power cut right after 250: file, link, index and manifest are on disk', async (t) => {
  const scenario = new Scenario(t);
  const disk = await SmallDisk.create(scenario, 64);
  const stage = await startOn(scenario, storageDirectory(disk.path));
  const files = ['a', 'b'].map((name) => ({ name: `${name}.bin`, content: randomBytes(mebibyte, name) }));
  const message = buildMessage({ from: envelope.from, to: 'bob@example.org', attachments: files });
  assert.match(await send(stage, message), /^250 /);
  const after = await disk.afterPowerCut(scenario);
  const blobs = ({ path }: SmallDisk): readonly string[] =>
    everythingBelow(join(path, 'store'))
      .filter((name) => !name.startsWith('tmp'))
      .sort();
  assert.deepEqual(blobs(after), blobs(disk));
  assert.deepEqual(wronglyNamed(join(after.path, 'store')), []);
  const { detach: reader } = await startOn(scenario, join(after.path, 'store'));
  const tokens = readdirSync(join(after.path, 'store/links'), { recursive: true, encoding: 'utf8' })
    .map((path) => basename(path))
    .filter((name) => name.length === 22);
  assert.equal(tokens.length, 2);
  for (const token of tokens) {
    const answer = await fetch(`http://127.0.0.1:${reader.linksPort}/${token}/file`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    assert.ok(files.some(({ content }) => content.equals(bytes)));
  }
});

test('a disk that became read-only: /readyz names storage, mail with files waits, links and all other mail work', async (t) => {
  const scenario = new Scenario(t);
  const disk = await SmallDisk.create(scenario, 64);
  const stage = await startOn(scenario, storageDirectory(disk.path));
  const missing = async (): Promise<string> => (await stage.detach.metrics('/readyz')).text;
  assert.match(await send(stage, withFile(mebibyte)), /^250 /);
  await run('mount', ['-o', 'remount,ro', disk.path]);
  assert.match(await send(stage, withFile(mebibyte)), /^451 4\.3\.0 /);
  assert.match(await send(stage, small), /^250 /);
  await assertAllThere(stage);
  await waitFor(async () => (await missing()).includes('storage'), { what: 'storage not to be ready' });
  await run('mount', ['-o', 'remount,rw', disk.path]);
  assert.match(await send(stage, withFile(mebibyte)), /^250 /);
  await waitFor(async () => !(await missing()).includes('storage'), { what: 'storage to be ready' });
});

test('a disk that was unmounted: links answer 503, not 404, and mail with files waits', async (t) => {
  const scenario = new Scenario(t);
  const directory = storageDirectory(scenario.directory('mounted'));
  await run('mount', ['-t', 'tmpfs', '-o', 'mode=0700', 'tmpfs', directory]);
  scenario.defer(() => run('umount', ['-l', directory]).catch(() => undefined));
  const stage = await startOn(scenario, directory);
  assert.match(await send(stage, withFile(mebibyte)), /^250 /);
  const link = linkIn(stage.sink.messages[0]!.data);
  await run('umount', ['-l', directory]);
  await waitFor(async () => (await fetch(link)).status === 503, { what: '503 for the page' });
  assert.equal((await fetch(`${link}/file`)).status, 503);
  assert.match(await send(stage, withFile(mebibyte)), /^451 4\.3\.0 /);
  assert.match((await stage.detach.metrics('/readyz')).text, /storage/);
  assert.deepEqual(everythingBelow(directory), []);
});

test('whatever the umask, folders are 0700 and files 0600', async (t) => {
  for (const umask of [0, 0o077]) {
    const scenario = new Scenario(t);
    const directory = storageDirectory(scenario.directory('umask'));
    const before = process.umask(umask);
    scenario.defer(() => process.umask(before));
    const stage = await startOn(scenario, directory);
    assert.match(await send(stage, withFile(mebibyte)), /^250 /);
    process.umask(before);
    assert.deepEqual(openToOthers(directory), []);
    assert.ok(everythingBelow(directory).length > 20);
  }
});
