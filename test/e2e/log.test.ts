/** The line of docs/operations.md that joins the queue ids of A, ours and B, on a live chain. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startChain } from './chain.ts';

test('from one line of the log: the queue ids of a message at A, here and at B', async (t) => {
  const { a, b, detach } = await startChain(new Scenario(t));
  const message = buildMessage({ from: 'alice@example.com', to: 'bob@example.org' });
  await sendMail({ port: a.port, from: 'alice@example.com', to: ['bob@example.org'], message });
  const event = await detach.waitForEvent('transaction');
  const [, atA = ''] = await a.waitForLog(/([A-Za-z0-9]{8,}): from=<alice@example\.com>/);
  const [, atB = ''] = await b.waitForLog(/([A-Za-z0-9]{8,}): from=<alice@example\.com>/);
  const operations = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
  const line = /^ {4}journalctl -u detach-mta -o cat \| (sed -nE .*)$/m.exec(operations)?.[1];
  assert.ok(line);
  const found = execFileSync('sh', ['-c', line], { encoding: 'utf8', input: readFileSync(detach.logFile) });
  assert.equal(found, `${atA} ${String(event['id'])} ${atB}\n`, detach.describe());
});
