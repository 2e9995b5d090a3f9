/** Against an independent implementation of the mail server's side: Debian's `miltertest`, with the scripts beside this. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { startAzurite } from '../../harness/azurite.ts';
import { base64Lines } from '../../harness/build-message.ts';
import { startDetach, type DetachInstance } from '../../harness/detach-mta.ts';
import { run } from '../../harness/process.ts';
import { randomBytes } from '../../harness/random.ts';
import { Scenario } from '../../harness/scenario.ts';

const scripts = join(import.meta.dirname, 'scripts');

suite('miltertest', () => {
  const scenario = new Scenario();
  let starting: Promise<DetachInstance> | undefined;
  const started = (): Promise<DetachInstance> => (starting ??= start());

  async function start(): Promise<DetachInstance> {
    const azurite = await scenario.use(startAzurite());
    const config = { inbound: { protocol: 'milter' } };
    return scenario.use(startDetach({ nextHop: [], storage: azurite.connectionString, config }));
  }

  async function play(script: string, values: Readonly<Record<string, string>> = {}): Promise<void> {
    const detach = await started();
    const given = { socket: `inet:${detach.port}@127.0.0.1`, scripts, ...values };
    const definitions = Object.entries(given).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
    await run('miltertest', ['-s', join(scripts, script), ...definitions]);
  }

  test('negotiates changes of header and body alone', () => play('negotiation.lua'));
  test('small mail, and a connection used again after ABORT', () => play('small.lua'));
  test('a copy that comes back', () => play('loop.lua'));
  test('a file is detached', async () => {
    const body = join(scenario.directory('miltertest'), 'body');
    const head = '--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n';
    const encoded = base64Lines(randomBytes(300_000, 'miltertest'));
    const fields = 'Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n';
    writeFileSync(body, Buffer.concat([Buffer.from(head + fields), encoded, Buffer.from('\r\n--b--\r\n')]));
    await play('detach.lua', { body });
  });
});
