/** Room for what a mail server says before the body: taken as it grows, given back whatever becomes of the message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageRoom } from '../../limits/message-room.ts';
import type { MailServer } from './testing/mail-server.ts';
import { say } from './testing/mail-server.ts';
import { start, type Running } from './testing/harness.ts';
import type { TestContext } from 'node:test';

const hello = Buffer.concat([say.negotiate(), say.connect('mx', '192.0.2.1', 1), say.helo('mx')]);
const begin = Buffer.concat([say.mail('<a@example.com>'), say.rcpt('<b@example.org>')]);
const end = Buffer.concat([say.endOfHeader(), say.endOfMessage('text')]);
const maxBytes = 100_000;

class NoRoom extends Error {
  override readonly name = 'NoRoom';
}

/** All rooms together have `maxBytes`. `asks`: other processes are asked, which takes a moment. */
class Rooms {
  taken = 0;
  readonly clients: string[] = [];
  readonly #asks: boolean;

  constructor(asks: boolean) {
    this.#asks = asks;
  }

  readonly open = (client: string): MessageRoom => {
    this.clients.push(client);
    let own = 0;
    const grow = (bytes: number): void => {
      if (this.taken - own + bytes > maxBytes) throw new NoRoom();
      this.taken += Math.max(0, bytes - own);
      own = Math.max(own, bytes);
    };
    return {
      grow: (bytes) => (this.#asks ? Promise.resolve().then(() => grow(bytes)) : grow(bytes)),
      release: () => {
        this.taken -= own;
        own = 0;
      },
    };
  };
}

for (const asks of [false, true]) {
  const how = asks ? 'of all processes' : 'of this process';
  const startWith = async (t: TestContext): Promise<{ rooms: Rooms; running: Running; peer: MailServer }> => {
    const rooms = new Rooms(asks);
    const running = await start(
      t,
      ({ room }) => {
        room.release();
        return { verdict: { kind: 'accept', headerChanges: [] } };
      },
      { openRoom: rooms.open },
    );
    return { rooms, running, peer: running.open() };
  };
  const refusal = 'y "451 4.3.0 NoRoom\\u0000"';
  const long = 'x'.repeat(200_000);

  test(`without room ${how} a message is refused at its end, and the next one is shown`, async (t) => {
    const floods: Readonly<Record<string, Buffer>> = {
      'many fields': Buffer.concat(new Array<Buffer>(3000).fill(say.header('X-Many', 'x'.repeat(90)))),
      'a field in a packet that is not kept': Buffer.concat([say.header('X-Long', long), say.header('Y', 'y')]),
      'many recipients': Buffer.concat(new Array<Buffer>(1000).fill(say.rcpt(`<${'b'.repeat(200)}@example.org>`))),
    };
    for (const [what, flood] of Object.entries(floods))
      for (const cut of [undefined, 4001]) {
        const { rooms, running, peer } = await startWith(t);
        await peer.write(Buffer.concat([hello, begin, flood, end]), cut);
        assert.deepEqual((await peer.verdict()).slice(1), [refusal], what);
        assert.equal(rooms.taken, 0, what);
        await peer.write(Buffer.concat([begin, say.header('Subject', ' s'), end]));
        assert.equal((await peer.verdict()).at(-1), 'c');
        assert.deepEqual(
          running.seen.map(({ header, rcpt }) => [header, rcpt.length]),
          [['Subject: s\r\n', 1]],
        );
        assert.deepEqual(rooms.clients, ['192.0.2.1', '192.0.2.1']);
        peer.close();
      }
  });

  test(`room ${how} is given back when a message is taken back, or its connection ends`, async (t) => {
    const { rooms, peer } = await startWith(t);
    const half = Buffer.concat([begin, say.header('X-Long', 'x'.repeat(50_000))]);
    for (const way of [say.abort(), say.quitNewConnection()]) {
      await peer.write(Buffer.concat([hello, half, way, begin, say.header('Subject', ' s'), end]));
      await peer.verdict();
      assert.equal(rooms.taken, 0);
    }
    await peer.write(half);
    await peer.write(Buffer.concat([say.abort(), half, say.quit()]));
    while (await peer.packet());
    assert.equal(rooms.taken, 0);
  });
}

test('a large packet outside of a message ends the connection', async (t) => {
  const { running, peer } = await startWithAny(t);
  await peer.write(Buffer.concat([hello, say.helo('x'.repeat(200_000))]));
  while (await peer.packet());
  assert.match(JSON.stringify(running.events), /helo: a packet for which there is no memory/);
});

async function startWithAny(t: TestContext): Promise<{ running: Running; peer: MailServer }> {
  const running = await start(t);
  return { running, peer: running.open() };
}
