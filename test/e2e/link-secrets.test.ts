import assert from 'node:assert/strict';
import { randomBytes as freshBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { type DetachInstance, startDetach } from '../harness/detach-mta.ts';
import { run } from '../harness/process.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { type Sink, startSink } from '../harness/sink.ts';
import { storageDirectory } from '../harness/stored-files.ts';
import { waitFor } from '../harness/wait.ts';
import { linkIn } from './chain.ts';

const main = join(import.meta.dirname, '../../dist/main.js');
const envelope = { from: 'alice@example.com', to: ['bob@example.org'] };

interface Stage {
  readonly detach: DetachInstance;
  readonly sink: Sink;
}

async function startStage(scenario: Scenario, secret: string): Promise<Stage> {
  const sink = await scenario.use(startSink());
  const storage = storageDirectory(scenario.directory('links'));
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage, config: { links: { secret } } }));
  return { detach, sink };
}

const messageWith = (name: string): Buffer =>
  buildMessage({
    from: envelope.from,
    to: 'bob@example.org',
    messageId: `<${name}@example.com>`,
    attachments: [{ name: `${name}.bin`, content: randomBytes(200_000, name) }],
  });

async function send({ detach, sink }: Stage, name: string): Promise<string> {
  const sent = await sendMail({ port: detach.port, ...envelope, message: messageWith(name) });
  assert.equal(sent.final[0]?.code, 250, detach.describe());
  return linkIn(sink.messages.at(-1)!.data);
}

async function statusesOf(link: string): Promise<readonly number[]> {
  return Promise.all(
    [link, `${link}/file`].map(async (url) => {
      const answer = await fetch(url);
      await answer.arrayBuffer();
      return answer.status;
    }),
  );
}

const links = ({ detach }: Stage, ...args: readonly string[]): Promise<string> =>
  run(process.execPath, [main, 'links', ...args, '--config', detach.configFile]);

async function listed(stage: Stage, ...filter: readonly string[]): Promise<readonly string[]> {
  const lines = (await links(stage, 'list', ...filter, '--json')).split('\n').filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { url: string }).url).sort();
}

test('a change of links.secret breaks no link, and the index is searched under all secrets', async (t) => {
  const [old, fresh] = [freshBytes(32).toString('base64'), freshBytes(32).toString('base64')];
  const stage = await startStage(new Scenario(t), old);
  const first = await send(stage, 'first');
  assert.equal(await send(stage, 'first'), first, 'a retry has the same link');

  await stage.detach.reload({ links: { secret: [fresh, old] } });
  const second = await send(stage, 'second');
  assert.deepEqual(await statusesOf(first), [200, 200]);
  assert.deepEqual(await statusesOf(second), [200, 200]);
  assert.deepEqual(await listed(stage, '--message-id', 'first@example.com'), [first]);
  assert.deepEqual(await listed(stage, '--message-id', '<second@example.com>'), [second]);
  assert.deepEqual(await listed(stage, '--sender', envelope.from), [first, second].sort());

  // The one thing that a change costs: who retries just then has a second link to the same file.
  const again = await send(stage, 'first');
  assert.notEqual(again, first);
  assert.deepEqual(await listed(stage, '--message-id', 'first@example.com'), [first, again].sort());

  await stage.detach.reload({ links: { secret: [fresh] } });
  for (const link of [first, second, again]) assert.deepEqual(await statusesOf(link), [200, 200]);
  assert.equal(await send(stage, 'second'), second);
});

test('a revoked link answers 410 on page and file, also when its message comes again, until it is given back', async (t) => {
  const stage = await startStage(new Scenario(t), freshBytes(32).toString('base64'));
  const link = await send(stage, 'wrong');
  const answers = (status: number): Promise<unknown> =>
    waitFor(async () => (await statusesOf(link)).every((each) => each === status), { what: `${status} everywhere` });
  await answers(200);
  await links(stage, 'revoke', link);
  await answers(410);
  assert.equal(await send(stage, 'wrong'), link);
  assert.deepEqual(await statusesOf(link), [410, 410]);
  const page = await fetch(link);
  assert.equal(page.headers.get('cache-control'), 'no-store');
  await links(stage, 'unrevoke', link);
  await answers(200);
  assert.match((await fetch(`${link}/file`)).headers.get('cache-control') ?? '', /private, max-age=0, must-revalidate/);
});
