/** What mail servers may make the Milter do, and keep in memory: envelopes, headers, and packets that are not complete. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { bodyChunkBytes } from '../../../src/inbound/milter/protocol.ts';
import { MailServer, say } from '../../../src/inbound/milter/testing/mail-server.ts';
import { base64Lines } from '../../harness/build-message.ts';
import { startDetach, type DetachInstance } from '../../harness/detach-mta.ts';
import { privateDirectory } from '../../harness/private-directory.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';

const connections = 40;
const headerBytes = 2_084_000;
/** What 40 of them may add. */
const mostBytes = 64e6;

const envelope = [say.macros('M', { i: 'ABC' }), say.mail('<a@example.com>'), say.rcpt('<b@example.org>')];
const message = [
  ...envelope,
  say.header('From', ' a@example.com'),
  say.header('Subject', ' x'),
  say.header('Message-ID', ' <x@y>'),
  say.endOfHeader(),
  say.endOfMessage('text\r\n'),
];

const repeated = (packet: Buffer, times: number): Buffer => Buffer.concat(new Array<Buffer>(times).fill(packet));

/** What is said before the end of the header, and bytes of a packet that does not end. */
const floods: readonly (readonly [what: string, packets: () => readonly Buffer[]])[] = [
  ['more fields than a header may have', () => [...envelope, repeated(say.header('a', ''), 140_000)]],
  ['one field of 2 MB', () => [...envelope, say.header('X-Long', 'a'.repeat(headerBytes))]],
  [
    'fields of 100 kB',
    () => [...envelope, repeated(say.header('X-Long', 'a'.repeat(100_000)), Math.floor(headerBytes / 100_010))],
  ],
  [
    'fields of 10 kB',
    () => [...envelope, repeated(say.header('X-Long', 'a'.repeat(10_000)), Math.floor(headerBytes / 10_010))],
  ],
  ['a thousand recipients of 2 kB', () => [...envelope, repeated(say.rcpt(`<${'b'.repeat(2000)}@example.org>`), 1000)]],
  ['fields that do not end', () => [...envelope, say.header('X-Long', 'a'.repeat(headerBytes)).subarray(0, -1000)]],
];

async function startMilter(
  t: TestContext,
): Promise<{ readonly detach: DetachInstance; readonly open: () => Promise<MailServer> }> {
  const scenario = new Scenario(t);
  const storage = join(privateDirectory('files'), 'storage');
  mkdirSync(storage, { mode: 0o700 });
  const config = { inbound: { protocol: 'milter' } };
  const detach = await scenario.use(startDetach({ nextHop: [], storage, config }));
  const open = async (): Promise<MailServer> => {
    const server = new MailServer(detach.port);
    await server.write(
      Buffer.concat([say.negotiate(), say.connect('client.example', '192.0.2.1', 25), say.helo('client.example')]),
    );
    assert.equal((await server.packet())?.letter, 'O');
    return server;
  };
  return { detach, open };
}

/** The last word on the message. */
async function verdict(server: MailServer): Promise<string> {
  return (await server.verdict()).at(-1) ?? 'closed';
}

/** Sent one after the other: the time of one is too short to be measured. */
const messagesAtOnce = 20;
const mostTries = 6;

test('short fields cost at most three times what a file of that size does', async (t) => {
  const { detach, open } = await startMilter(t);
  const server = await open();
  const cpuOf = async (packets: () => readonly Buffer[]): Promise<number> => {
    const all = Array.from({ length: messagesAtOnce }, () => Buffer.concat(packets()));
    const before = detach.cpuSeconds();
    for (const each of all) {
      await server.write(each);
      assert.equal(await verdict(server), 'c');
    }
    return detach.cpuSeconds() - before;
  };
  const fields = 125_000;
  const ending = message.slice(-2);
  const short = (): readonly Buffer[] => [...message.slice(0, -2), repeated(say.header('a', ''), fields), ...ending];
  const file = (): readonly Buffer[] => [
    ...message.slice(0, -2),
    say.header('Content-Type', ' application/zip; name=a.zip'),
    say.header('Content-Disposition', ' attachment'),
    say.header('Content-Transfer-Encoding', ' base64'),
    say.endOfHeader(),
    ...inBodies(Buffer.from(base64Lines(randomBytes(Math.floor((fields * 'a:\r\n'.length * 57) / 78))))),
    say.endOfMessage(),
  ];
  const tries: string[] = [];
  // Other work on the machine, and code that is compiled for the first time, can only add to a cost.
  for (;;) {
    const innocent = await cpuOf(file);
    const cost = await cpuOf(short);
    tries.push(`${cost.toFixed(2)} s of CPU, files ${innocent.toFixed(2)} s`);
    t.diagnostic(tries.at(-1)!);
    if (cost <= 3 * innocent) break;
    assert.ok(tries.length < mostTries, tries.join('\n'));
  }
  server.close();
});

function inBodies(bytes: Buffer): readonly Buffer[] {
  const count = Math.ceil(bytes.length / bodyChunkBytes);
  return Array.from({ length: count }, (_, i) =>
    say.body(bytes.subarray(i * bodyChunkBytes, (i + 1) * bodyChunkBytes)),
  );
}

for (const [what, packets] of floods)
  test(`${connections} mail servers with ${what} at once: less than 64 MB, and other mail passes`, async (t) => {
    const { detach, open } = await startMilter(t);
    const innocent = await open();
    const send = async (): Promise<string> => {
      await innocent.write(Buffer.concat(message));
      return verdict(innocent);
    };
    const bytes = Buffer.concat(packets());
    const end = Buffer.concat([say.endOfHeader(), say.endOfMessage('text\r\n')]);
    assert.equal(await send(), 'c');
    // One alone, so that memory of the program itself is there: what more of them add is asked.
    const first = await open();
    await first.write(what.endsWith('do not end') ? bytes : Buffer.concat([bytes, end]));
    if (!what.endsWith('do not end')) await verdict(first);
    first.close();
    const servers = await Promise.all(Array.from({ length: connections }, open));
    detach.resetPeakMemory();
    const { now } = detach.memory();
    await Promise.all(servers.map((server) => server.write(bytes)));
    assert.equal(await send(), 'c', 'beside them');
    if (!what.endsWith('do not end')) {
      await Promise.all(servers.map((server) => server.write(end)));
      const verdicts = await Promise.all(servers.map(verdict));
      for (const each of verdicts) assert.match(each, /^(c$|y "(452 4\.3\.1|552 5\.3\.4) )/);
      t.diagnostic(`${verdicts.filter((each) => each === 'c').length} of ${connections} accepted`);
    }
    const more = detach.memory().peak - now;
    t.diagnostic(`${what}: ${Math.round(more / 1e6)} MB more`);
    assert.ok(more < mostBytes, `${more} bytes more`);
    for (const server of servers) server.close();
    // The room is free again: one alone gets through.
    const alone = await open();
    if (what === 'fields of 100 kB') {
      await alone.write(Buffer.concat([bytes, say.endOfHeader(), say.endOfMessage('text\r\n')]));
      assert.equal(await verdict(alone), 'c');
    }
    alone.close();
    assert.equal(await send(), 'c');
    innocent.close();
  });
