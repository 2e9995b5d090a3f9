import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { type DetachInstance, startDetach } from '../harness/detach-mta.ts';
import { run } from '../harness/process.ts';
import { randomBytes, sha256 } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { type Sink, startSink } from '../harness/sink.ts';
import { openToOthers, storageDirectory, wronglyNamed } from '../harness/stored-files.ts';
import { linkIn } from './chain.ts';

const envelope = { from: 'alice@example.com', to: ['bob@example.org'] };
const rounds = 5;
const parallel = 4;

/** Sizes and hashes by Message-ID, of all that was ever sent. */
const sent = new Map<string, string>();
let messages = 0;

/** One file in three was sent before: uploads, and raised `until`, of the same file meet. */
function nextMessage(): { readonly id: string; readonly message: Buffer } {
  const id = `<${++messages}@example.com>`;
  const content = randomBytes(400_000 + (messages % 7) * 100_000, `file ${Math.floor((messages * 2) / 3)}`);
  sent.set(id, sha256(content));
  const attachments = [{ name: 'a.bin', content }];
  return { id, message: buildMessage({ from: envelope.from, to: 'bob@example.org', messageId: id, attachments }) };
}

/** @returns Message-IDs that were answered 250 before the service was gone */
async function sendUntilKilled(detach: DetachInstance, until: Promise<unknown>): Promise<readonly string[]> {
  const accepted: string[] = [];
  let over = false;
  void until.then(() => (over = true));
  const client = async (): Promise<void> => {
    while (!over) {
      const { id, message } = nextMessage();
      const answer = await sendMail({ port: detach.port, ...envelope, message }).catch(() => undefined);
      if (answer?.final[0]?.code === 250) accepted.push(id);
      else await pause(20);
    }
  };
  await Promise.all(Array.from({ length: parallel }, client));
  return accepted;
}

/** Of rsync(1): older versions of records, and drafts. */
const filesVanished = 24;

/** As docs/storage.md has them. */
function rsyncCommands(): readonly string[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/storage.md'), 'utf8');
  return Array.from(page.matchAll(/^ *(rsync .*COPY\/)$/gm), ([, command]) => command!);
}

async function assertStored(sink: Sink, ids: Iterable<string>, linksPort: number): Promise<void> {
  const copies = new Map(sink.messages.map(({ data }) => [/^Message-ID: (\S+)/im.exec(data.toString())![1]!, data]));
  for (const id of ids) {
    const copy = copies.get(id);
    assert.ok(copy, `${id} was answered 250 and never arrived`);
    const token = linkIn(copy).split('/').at(-1)!;
    const answer = await fetch(`http://127.0.0.1:${linksPort}/${token}/file`);
    assert.equal(answer.status, 200, `the file of ${id}`);
    assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), sent.get(id));
  }
}

test('kill -9 of one service of two on the same directory, again and again: all that was answered 250 is there, whole', async (t) => {
  const scenario = new Scenario(t);
  const directory = storageDirectory(scenario.directory('crash'));
  const sink = await scenario.use(startSink());
  const start = (): Promise<DetachInstance> =>
    scenario.use(startDetach({ nextHop: sink.port, storage: directory, config: { workers: 2 } }));
  const [one, other] = [await start(), await start()];
  const accepted: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const killed = pause(300 + round * 211).then(() => one.kill());
    const [here, there] = await Promise.all([sendUntilKilled(one, killed), sendUntilKilled(other, killed)]);
    accepted.push(...here, ...there);
    await one.start();
  }
  t.diagnostic(`${messages} messages, ${accepted.length} of them answered 250`);
  assert.ok(accepted.length > 0);
  assert.deepEqual(wronglyNamed(directory), []);
  assert.deepEqual(openToOthers(directory), []);
  await assertStored(sink, accepted, other.linksPort);
});

test('a copy of the directory by the documented commands, made while mail arrives, has everything that its links need', async (t) => {
  const scenario = new Scenario(t);
  const directory = storageDirectory(scenario.directory('copy'));
  const copy = storageDirectory(scenario.directory('copied'));
  const sink = await scenario.use(startSink());
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage: directory }));
  const copied = (async () => {
    await detach.waitForEvent('transaction');
    const commands = rsyncCommands();
    assert.equal(commands.length, 3);
    // Twice, as the copy of the next day.
    for (const command of [...commands, ...commands]) {
      const typed = command.replaceAll('DIR/', `${directory}/`).replace('COPY/', `${copy}/`);
      await run('sh', ['-c', `${typed} || [ $? = ${filesVanished} ]`]);
      await pause(50);
    }
  })();
  await sendUntilKilled(detach, copied);
  await copied;
  const tokens = readdirSync(join(copy, 'links'), { recursive: true, encoding: 'utf8' })
    .map((path) => path.split('/').at(-1)!)
    .filter((name) => name.length === 22);
  assert.ok(tokens.length > 0);
  const reader = await scenario.use(startDetach({ nextHop: sink.port, storage: copy }));
  for (const token of tokens) {
    const answer = await fetch(`http://127.0.0.1:${reader.linksPort}/${token}/file`);
    assert.equal(answer.status, 200);
    assert.ok([...sent.values()].includes(sha256(Buffer.from(await answer.arrayBuffer()))));
  }
});
