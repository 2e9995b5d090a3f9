/**
 * Deliveries of one file, `erase`, `hold`, `revoke` and sweeps in several processes at the same time: the rules of
 * `src/storage/admin/races.test.ts`, with real commands on real storage.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAzurite } from '../harness/azurite.ts';
import { buildMessage } from '../harness/build-message.ts';
import { command, type CommandEnd } from '../harness/command.ts';
import { type DetachInstance, startDetach } from '../harness/detach-mta.ts';
import { randomBytes, sha256 } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { storageDirectory } from '../harness/stored-files.ts';
import { linkIn } from './chain.ts';

const stores: readonly (readonly [string, (scenario: Scenario) => Promise<string>])[] = [
  ['Azurite', async (scenario) => (await scenario.use(startAzurite({ inMemory: true }))).connectionString],
  ['a directory', (scenario) => Promise.resolve(storageDirectory(scenario.directory('race')))],
];

const file = randomBytes(200_000, 'the same file in all messages');
const envelope = { from: 'alice@example.com', to: ['bob@example.org'] };
const names = ['held', 'erased', 'revoked', 'plain'] as const;
const idOf = (name: string): string => `<${name}@example.com>`;

interface Said {
  readonly done: string;
  readonly file?: string;
}

const said = ({ stdout }: CommandEnd): readonly Said[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Said);

async function statusOf(detach: DetachInstance, token: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${detach.linksPort}/${token}/file`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer.status === 200) assert.equal(sha256(bytes), sha256(file));
  return answer.status;
}

for (const [kind, openStore] of stores) {
  test(`deliveries, erase, hold, revoke and sweeps at the same time lose nothing and leave nothing, in ${kind}`, async (t) => {
    const scenario = new Scenario(t);
    const storage = await openStore(scenario);
    const sink = await scenario.use(startSink());
    const detach = await scenario.use(startDetach({ nextHop: sink.port, storage, config: { workers: 2 } }));
    const deliver = async (name: string): Promise<number> => {
      const attachments = [{ name: 'plan.pdf', type: 'application/pdf', content: file }];
      const message = buildMessage({ from: envelope.from, to: 'bob@example.org', messageId: idOf(name), attachments });
      return (await sendMail({ port: detach.port, ...envelope, message })).final[0]?.code ?? 0;
    };
    const run = (verb: string, ...words: readonly string[]): Promise<CommandEnd> =>
      command(detach, [...verb.split(' '), ...words, '--json']);
    const onMessage = (verb: string, name: string): Promise<CommandEnd> => run(verb, '--message-id', idOf(name));

    for (const name of names) assert.equal(await deliver(name), 250, detach.describe());
    const tokens = new Map(
      sink.messages.map(({ data }) => [
        /^Message-ID: <(\w+)@/im.exec(data.toString())![1]!,
        linkIn(data).split('/').at(-1)!,
      ]),
    );

    // While the commands run, the same file comes again and again, in messages that are new and in one that is erased.
    const state = { over: false };
    const accepted: string[] = [];
    const codes = new Set<number>();
    const refused = new Set<string>();
    const deliveries = (async () => {
      for (let i = 0; !state.over; i++) {
        const name = i % 3 === 0 ? 'erased' : `new${i}`;
        const code = await deliver(name);
        codes.add(code);
        if (code !== 250) refused.add(name);
        if (code === 250 && name !== 'erased') accepted.push(name);
      }
    })();
    const [erased, eraseAgain, held, revoked, sweep, ...others] = await Promise.all([
      onMessage('links erase', 'erased'),
      onMessage('links erase', 'erased'),
      onMessage('links hold', 'held'),
      onMessage('links revoke', 'revoked'),
      run('sweep'),
      run('sweep'),
      onMessage('links erase', 'held'),
    ]);
    state.over = true;
    await deliveries;
    for (const end of [erased, eraseAgain, held, revoked, sweep, others[0]]) assert.equal(end.status, 0, end.stderr);
    for (const code of codes) assert.ok(code === 250 || code === 451, `${code}`);

    // Either the hold came first, and nothing was erased, or the message was gone.
    const eraseHeld = others[1];
    const wasHeld = said(held).some(({ done }) => done === 'held');
    assert.ok(eraseHeld.status === (wasHeld ? 1 : 0), `${eraseHeld.status} ${eraseHeld.stderr}`);
    assert.equal(await statusOf(detach, tokens.get('held')!), wasHeld ? 200 : 404);
    assert.equal(await statusOf(detach, tokens.get('revoked')!), 410);
    assert.equal(await statusOf(detach, tokens.get('plain')!), 200);
    for (const name of accepted) {
      const copy = sink.messages.find(({ data }) => data.includes(idOf(name)));
      assert.equal(await statusOf(detach, linkIn(copy!.data).split('/').at(-1)!), 200, name);
    }

    // A sender tries again what was refused for a while: until then a link may be half made, and in no index.
    for (const name of refused) assert.equal(await deliver(name), 250, name);
    // What is erased in the end leaves nothing.
    if (wasHeld) assert.equal((await onMessage('links release', 'held')).status, 0);
    const all = await run('links erase', '--sender', envelope.from);
    assert.equal(all.status, 0, all.stderr);
    const { links, files, messages } = JSON.parse((await run('stats')).stdout) as Record<string, number>;
    assert.deepEqual([links, messages], [0, 0]);
    // A delivery that was refused because its message was being erased leaves the file to a sweep a day later.
    assert.ok(files === 0 || codes.has(451), `${files} files`);
    t.diagnostic(`${accepted.length} deliveries meanwhile, held: ${wasHeld}, refused: ${codes.has(451)}`);
  });
}
