/**
 * Clients that are gone before they are greeted: with two processes, it takes a moment to get a place in the service.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { reset } from '../harness/reset.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { waitFor } from '../harness/wait.ts';
import { startBetween } from './chain.ts';

const from = 'a@example.com';
const to = ['b@example.org'];

test('connections that are reset at once end no process, and give their places back', async (t) => {
  const { detach } = await startBetween(new Scenario(t), { detach: { workers: 2, inbound: { maxClients: 20 } } });
  const processes = detach.processes();
  for (let round = 0; round < 30; round++)
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const socket = connect(detach.port, '127.0.0.1').on('error', () => undefined);
        await once(socket, 'connect');
        if (i % 2 === 0) socket.write(`EHLO a.example\r\nMAIL FROM:<${from}>\r\n`);
        reset(socket);
      }),
    );
  // A place is given back when its connection has been found closed: not before, on a busy machine.
  await waitFor(async () => /^detach_mta_clients 0$/m.test((await detach.metrics()).text), {
    what: 'all places to be given back',
    detail: () => detach.describe(),
  });
  const message = buildMessage({ from, to });
  // More at once than there would be places if those of the others were lost.
  for (let i = 0; i < 3; i++) {
    const sent = await Promise.all(
      Array.from({ length: 10 }, () => sendMail({ port: detach.port, from, to, message })),
    );
    for (const { final } of sent) assert.equal(final[0]?.code, 250, detach.describe());
  }
  assert.deepEqual(detach.processes(), processes, detach.describe());
  assert.equal(detach.errors, '');
});
