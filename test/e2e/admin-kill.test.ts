/** `erase` and `sweep` are killed at work, again and again, beside a service that takes mail and answers readers. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { startAzurite } from '../harness/azurite.ts';
import { buildMessage } from '../harness/build-message.ts';
import { command } from '../harness/command.ts';
import { type DetachInstance, startDetach } from '../harness/detach-mta.ts';
import { randomBytes, sha256 } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { storageDirectory, wronglyNamed } from '../harness/stored-files.ts';
import { waitFor } from '../harness/wait.ts';
import { linkIn } from './chain.ts';

const stores: readonly (readonly [string, (scenario: Scenario) => Promise<string>])[] = [
  ['Azurite', async (scenario) => (await scenario.use(startAzurite({ inMemory: true }))).connectionString],
  ['a directory', (scenario) => Promise.resolve(storageDirectory(scenario.directory('killed')))],
];

const program = join(import.meta.dirname, '../../dist/main.js');
const senders = ['alice@example.com', 'dora@example.com'] as const;
/** Messages of each sender. Two of them, one of each sender, have the same file. */
const messages = 6;

/** Starts a command, and kills it after so many ms of its life, or lets it end. @returns whether it was killed */
async function killedAfter(ms: number, { configFile }: DetachInstance, words: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [program, ...words, '--config', configFile], { stdio: 'ignore' });
  const ended = once(child, 'close');
  const timer = new AbortController();
  void pause(ms, undefined, timer).then(
    () => child.kill('SIGKILL'),
    () => undefined,
  );
  const [, signal] = (await ended) as [number | null, string | null];
  timer.abort();
  return signal === 'SIGKILL';
}

for (const [kind, openStore] of stores) {
  test(`kill -9 of erase and sweep at any moment: no link loses its file, and the next run goes on, in ${kind}`, async (t) => {
    const scenario = new Scenario(t);
    const storage = await openStore(scenario);
    const sink = await scenario.use(startSink());
    const detach = await scenario.use(startDetach({ nextHop: sink.port, storage }));
    const files = Array.from({ length: messages }, (_, i) => randomBytes(150_000, `file ${i}`));
    for (const from of senders)
      for (const [i, content] of files.entries()) {
        const attachments = [{ name: `${i}.bin`, content }];
        const message = buildMessage({ from, to: 'bob@example.org', messageId: `<${i}.${from}>`, attachments });
        const sent = await sendMail({ port: detach.port, from, to: ['bob@example.org'], message });
        assert.equal(sent.final[0]?.code, 250);
      }
    const linksOf = (from: string): readonly string[] =>
      sink.messages.filter(({ data }) => data.includes(`.${from}>`)).map(({ data }) => linkIn(data).split('/').at(-1)!);
    const read = async (token: string): Promise<readonly [page: number, file: number, hash: string]> => {
      const page = await fetch(`http://127.0.0.1:${detach.linksPort}/${token}`);
      await page.arrayBuffer();
      const file = await fetch(`http://127.0.0.1:${detach.linksPort}/${token}/file`);
      return [page.status, file.status, sha256(Buffer.from(await file.arrayBuffer()))];
    };

    const erase = ['links', 'erase', '--sender', 'alice@example.com'];
    const whole = performance.now();
    await command(detach, [...erase, '--dry-run']);
    const start = performance.now() - whole;
    let killed = 0;
    for (let round = 0; round < 3; round++) {
      const words = round % 3 === 2 ? ['sweep'] : erase;
      if (await killedAfter(start * (0.6 + round * 0.2), detach, words)) killed += 1;
      for (const [i, token] of linksOf('dora@example.com').entries()) {
        const [page, file, hash] = await read(token);
        assert.deepEqual([page, file], [200, 200], `round ${round}, file ${i}`);
        assert.equal(hash, sha256(files[i]!));
      }
    }
    t.diagnostic(`${killed} of 3 killed`);
    assert.ok(killed > 0);

    const end = await command(detach, erase);
    assert.equal(end.status, 0, end.stderr);
    for (const token of linksOf('alice@example.com'))
      await waitFor(async () => (await read(token)).slice(0, 2).every((status) => status === 404), {
        what: `404 for the page and the file of ${token}`,
      });
    const left = JSON.parse((await command(detach, ['stats', '--json'])).stdout) as Record<string, number>;
    assert.deepEqual([left['links'], left['files']], [messages, messages]);
    assert.equal((await command(detach, ['links', 'erase', '--sender', 'dora@example.com'])).status, 0);
    const nothing = JSON.parse((await command(detach, ['stats', '--json'])).stdout) as Record<string, number>;
    assert.deepEqual([nothing['links'], nothing['files'], nothing['messages']], [0, 0, 0]);
    if (kind === 'a directory') assert.deepEqual(wronglyNamed(storage), []);
  });
}
