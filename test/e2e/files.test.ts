/** What an operator does with the files of a real mail, in Azurite and in a directory. */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAzurite } from '../harness/azurite.ts';
import { buildMessage } from '../harness/build-message.ts';
import { command, type CommandEnd } from '../harness/command.ts';
import { type DetachInstance, startDetach } from '../harness/detach-mta.ts';
import { startPostfix } from '../harness/postfix.ts';
import { run } from '../harness/process.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { systemUser } from '../harness/system-user.ts';
import { waitFor } from '../harness/wait.ts';

function storeDirectory(scenario: Scenario): string {
  const directory = join(scenario.directory('store'), 'files');
  mkdirSync(directory, { mode: 0o700 });
  return directory;
}

type Link = Readonly<Record<'token' | 'url' | 'state' | 'name' | 'sha256', string>>;

const stores: readonly (readonly [string, (scenario: Scenario) => Promise<string>])[] = [
  ['Azurite', async (scenario) => (await scenario.use(startAzurite())).connectionString],
  ['a directory', (scenario) => Promise.resolve(storeDirectory(scenario))],
];

const message = (subject: string, ...names: readonly string[]): Buffer =>
  buildMessage({
    from: 'alice@example.com',
    to: 'bob@example.org',
    subject,
    text: 'see there\n',
    attachments: names.map((name) => ({ name, type: 'application/pdf', content: randomBytes(200_000, name) })),
  });

const ok = async (detach: DetachInstance, ...words: readonly string[]): Promise<CommandEnd> => {
  const end = await command(detach, words);
  assert.equal(end.status, 0, end.stderr);
  assert.equal(end.stderr, '');
  return end;
};

const list = async (detach: DetachInstance, ...filter: readonly string[]): Promise<readonly Link[]> => {
  const { stdout } = await ok(detach, 'links', 'list', '--json', ...filter);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Link)
    .sort((a, b) => (a.token < b.token ? -1 : 1));
};

/** A figure of `/metrics`. */
const figure = async (detach: DetachInstance, name: string): Promise<number> => {
  const { text } = await detach.metrics();
  const line = text.split('\n').find((each) => each.startsWith(`detach_mta_${name} `));
  assert.ok(line, `no ${name} in ${text}`);
  return Number(line.split(' ')[1]);
};

/** What the page and the file answer, once a change can be seen: within 3 s. */
const answers = async ({ url }: Link, status: number): Promise<void> => {
  for (const address of [url, `${url}/file`]) {
    await waitFor(
      async () => {
        const answer = await fetch(address);
        await answer.arrayBuffer();
        return answer.status === status ? answer : undefined;
      },
      { what: `${status} of ${address}` },
    );
  }
};

for (const [kind, openStore] of stores) {
  test(`an operator finds, revokes, extends, holds and erases the files of a mail, in ${kind}`, async (t) => {
    const scenario = new Scenario(t);
    const storage = await openStore(scenario);
    const sink = await scenario.use(startSink());
    const detach = await scenario.use(startDetach({ nextHop: sink.port, storage }));
    const a = await scenario.use(
      startPostfix({ dir: 'postfix-a', settings: { relayhost: `[127.0.0.1]:${detach.port}` } }),
    );
    const mail = { port: a.port, from: 'alice@example.com', to: ['bob@example.org', 'eve@example.org'] };
    const sent = await sendMail({ ...mail, message: message('first', 'plan.pdf', 'photo.pdf') });
    const queueId = /queued as (\w+)/.exec(sent.final[0]?.lines.join(' ') ?? '')?.[1];
    await sendMail({ ...mail, to: ['carol@example.org'], message: message('second', 'plan.pdf') });
    await sink.waitForMessages(2);

    // From the queue id of A, over the log line that has it, to the links of that message.
    const line = await detach.waitForEvent('transaction', (event) => event['queueId'] === queueId);
    const links = await list(detach, '--message-id', String(line['messageId']));
    assert.deepEqual(links.map(({ name }) => name).sort(), ['photo.pdf', 'plan.pdf']);
    assert.deepEqual(await list(detach, '--recipient', 'EVE@example.org'), links);
    assert.equal((await list(detach, '--sender', 'alice@example.com', '--file', 'PLAN.pdf')).length, 2);
    const plan = links.find(({ name }) => name === 'plan.pdf')!;
    const photo = links.find(({ name }) => name === 'photo.pdf')!;
    const shown = JSON.parse((await ok(detach, 'links', 'show', plan.url, '--json')).stdout) as Record<string, unknown>;
    assert.deepEqual(shown['sameMessage'], [photo.token]);
    assert.equal((shown['sameFile'] as string[]).length, 1);
    await answers(plan, 200);

    // Wrong recipient.
    assert.match((await ok(detach, 'links', 'revoke', plan.url)).stdout, /^revoked: /);
    await answers(plan, 410);
    await ok(detach, 'links', 'unrevoke', plan.token);
    await answers(plan, 200);

    // Legal hold.
    await ok(detach, 'links', 'hold', plan.token);
    const held = await command(detach, ['links', 'erase', '--sender', 'alice@example.com']);
    assert.equal(held.status, 1);
    assert.match(held.stderr, /^detach-mta links erase: nothing was erased[^\n]*\n$/);
    assert.match((await ok(detach, 'links', 'extend', '--by', '30d', plan.token)).stdout, /^extended: /);
    await ok(detach, 'links', 'release', plan.token);

    const stats = JSON.parse((await ok(detach, 'stats', '--json')).stdout) as Record<string, number>;
    const { links: count, files, messages, bytesStored, saved } = stats;
    assert.deepEqual([count, files, messages, bytesStored], [3, 2, 2, 400_000]);
    assert.equal(saved, 2 * 400_000 + 200_000 - 400_000);
    assert.match((await ok(detach, 'sweep')).stdout, /^swept 0 files/);

    // What the service counted.
    // Names, units and help as Prometheus wants them: status 3 and a line for each finding.
    await run('promtool', ['check', 'metrics'], { input: (await detach.metrics()).text });
    assert.equal(await figure(detach, 'links_made_total'), 3);
    const downloads = await figure(detach, 'downloads_total{delivery="stream"}');
    assert.ok(downloads >= 2, `${downloads} downloads`);
    assert.equal(await figure(detach, 'download_bytes_total{delivery="stream"}'), downloads * 200_000);
    assert.ok((await figure(detach, 'pages_total')) >= downloads);
    assert.ok((await figure(detach, 'links_refused_total{reason="revoked"}')) >= 2);
    assert.equal(await figure(detach, 'links_refused_total{reason="missing"}'), 0);

    // Erasure request.
    await ok(detach, 'links', 'erase', '--recipient', 'eve@example.org');
    assert.deepEqual(await list(detach, '--recipient', 'eve@example.org'), []);
    await answers(plan, 200);
    const erased = await ok(detach, 'links', 'erase', '--message-id', String(line['messageId']), '--json');
    assert.equal(erased.stdout.match(/"done":"erased"/g)?.length, 2);
    await answers(plan, 404);
    await answers(photo, 404);
    const [other] = await list(detach);
    assert.equal(other?.sha256, plan.sha256);
    await answers(other, 200);
    assert.equal((await command(detach, ['links', 'show', plan.token])).status, 66);

    // The same message once more is a new one.
    await ok(detach, 'links', 'erase', other.token);
    const again = JSON.parse((await ok(detach, 'stats', '--json')).stdout) as Record<string, number>;
    assert.deepEqual([again['links'], again['files'], again['messages'], again['bytesStored']], [0, 0, 0, 0]);
    await detach.kill('SIGTERM');
  });
}

test('started as root, a command works as the owner of the directory', async (t) => {
  const scenario = new Scenario(t);
  const directory = storeDirectory(scenario);
  const sink = await scenario.use(startSink());
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage: directory }));
  const mail = { port: detach.port, from: 'alice@example.com', to: ['bob@example.org'] };
  await sendMail({ ...mail, message: message('first', 'plan.pdf') });
  const [link] = await list(detach);
  await detach.kill('SIGTERM');
  const owner = systemUser('nobody');
  const everything = (): readonly string[] => [
    directory,
    ...readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name)),
  ];
  for (const path of everything()) chownSync(path, owner.uid, owner.gid);
  // The configuration with its secrets is for root alone.
  assert.equal(statSync(detach.configFile).mode & 0o077, 0);
  for (const words of [['revoke'], ['extend', '--by', '1d'], ['hold'], ['release']]) {
    await ok(detach, 'links', ...words, link!.token);
  }
  assert.match((await ok(detach, 'sweep')).stdout, /1 revoked links/);
  for (const path of everything()) assert.equal(statSync(path).uid, owner.uid, path);
  await ok(detach, 'links', 'erase', link!.token);
  assert.deepEqual(await list(detach), []);
});
