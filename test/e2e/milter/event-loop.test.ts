/** As `../event-loop.test.ts`, through the Milter door: header field by header field, and no next hop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MailServer, hello, say } from '../../../src/inbound/milter/testing/mail-server.ts';
import { HeaderBlock } from '../../../src/message/header-block.ts';
import { startDetach } from '../../harness/detach-mta.ts';
import { Scenario } from '../../harness/scenario.ts';
import { attackLoop, probedIn } from '../attack-loop.ts';
import { closedDirectory } from '../chain.ts';

const packetBytes = 65_535;

/** The message as a mail server tells it. */
function* packetsOf(message: Buffer): Generator<Buffer, void, undefined> {
  yield say.mail('<a@example.com>');
  yield say.rcpt('<b@example.org>');
  const end = message.indexOf('\r\n\r\n') + 2;
  for (const { name, raw } of HeaderBlock.parse(message.subarray(0, end))) {
    const value = raw.toString('latin1', name.length + 1, raw.length - 2);
    yield say.header(name, value.replaceAll('\r\n', '\n'));
  }
  yield say.endOfHeader();
  for (let at = end + 2; at < message.length; at += packetBytes) yield say.body(message.subarray(at, at + packetBytes));
  yield say.endOfMessage();
}

test('no message holds the event loop of a Milter', async (t) => {
  const scenario = new Scenario(t);
  const directory = scenario.directory('loop');
  const config = { inbound: { protocol: 'milter' } };
  const detach = await scenario.use(
    startDetach({ nextHop: [], storage: closedDirectory(scenario), config, ...probedIn(directory) }),
  );
  const server = new MailServer(detach.port);
  t.after(() => server.close());
  await server.write(hello);
  assert.equal((await server.packet())?.letter, 'O');
  const send = async (message: Buffer): Promise<void> => {
    await server.write(Buffer.concat([...packetsOf(message)]));
    const verdict = (await server.verdict()).at(-1) ?? 'closed';
    assert.equal(verdict, 'c', detach.describe());
  };
  await attackLoop(t, { detach, directory, send });
});
