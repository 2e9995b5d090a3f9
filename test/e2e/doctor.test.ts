/** `doctor` beside a live chain, with a web server in front of the links: nothing to correct, and then something. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { startNginx } from '../harness/nginx.ts';
import { freePort } from '../harness/ports.ts';
import { Scenario } from '../harness/scenario.ts';
import { startChain, type Chain } from './chain.ts';

interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly fix: string;
}

function doctor({ detach, a, b }: Chain): Promise<{ readonly status: number; readonly findings: readonly Finding[] }> {
  const entry = join(import.meta.dirname, '../../dist/main.js');
  const args = [entry, 'doctor', '--json', '--config', detach.configFile, '--postfix', a.config, '--postfix', b.config];
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, args, { timeout: 120_000 }, (_, output, errors) => {
      if (!output.startsWith('[')) reject(new Error(`doctor: ${errors}`));
      else resolve({ status: child.exitCode ?? -1, findings: JSON.parse(output) as Finding[] });
    });
  });
}

const wrong = (findings: readonly Finding[]): readonly Finding[] => findings.filter(({ result }) => result !== 'ok');

test('doctor: a live chain is well; a web server that buffers, and a lost next hop, are found', async (t) => {
  const scenario = new Scenario(t);
  const [front, buffering] = [await freePort(), await freePort()];
  const chain = await startChain(scenario, { detach: { links: { baseUrl: `http://127.0.0.1:${front}` } } });
  const { detach, b } = chain;
  const to = `proxy_pass http://127.0.0.1:${detach.linksPort}; proxy_http_version 1.1;`;
  const http = `
    server { listen 127.0.0.1:${front}; location / { ${to} proxy_buffering off; } }
    server { listen 127.0.0.1:${buffering}; location / { ${to} } }`;
  await scenario.use(startNginx({ port: front, http }));

  const well = await doctor(chain);
  // A test's spool may lie in memory, and its disk be small.
  const alarms = wrong(well.findings).filter(({ check }) => check !== 'spool');
  assert.deepEqual(alarms, [], detach.describe());
  assert.equal(well.status, 0);
  const said = well.findings.map(({ message }) => message).join('\n');
  for (const part of [
    'a file was written, read, listed and deleted',
    'shows our pages',
    'has ranges',
    'are not buffered',
  ])
    assert.ok(said.includes(part), said);
  assert.match(said, /held by the service/);

  await b.halt();
  detach.configure({ links: { baseUrl: `http://127.0.0.1:${buffering}` } });
  const ill = await doctor(chain);
  assert.equal(ill.status, 1);
  const found = wrong(ill.findings).map(({ check, result, fix }) => `${result} ${check}: ${fix}`);
  assert.ok(
    found.some((line) => /^warn public-url: .*proxy_buffering off/.test(line)),
    found.join('\n'),
  );
  assert.ok(
    found.some((line) => line.startsWith('fail next-hop: start that server')),
    found.join('\n'),
  );
});
