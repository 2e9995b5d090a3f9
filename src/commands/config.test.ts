import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { runCommand } from './testing/run-command.ts';

const secret = `${'S'.repeat(42)}A=`;
const env = {
  DETACH_OUTBOUND_NEXT_HOP: '127.0.0.1:10026',
  DETACH_LOOPGUARD_CLUSTER: 'test',
  DETACH_LOOPGUARD_KEYS: `k1:${secret}`,
  DETACH_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${secret};EndpointSuffix=example.net`,
  DETACH_LINKS_BASE_URL: 'https://files.example.com',
  DETACH_LINKS_SECRET: secret,
};

test('a right configuration: status 0, the effective values as YAML, no secret', async () => {
  const { status, stdout, stderr } = await runCommand(['config'], {
    env: { ...env, DETACH_DETACH_MIN_SIZE: '5MiB' },
  });
  assert.equal(status, 0);
  assert.equal(stderr, '');
  assert.ok(!stdout.includes('SSSS'));
  const values = parse(stdout) as Record<string, Record<string, unknown>>;
  assert.equal(values['detach']?.['minSize'], '5MiB');
  assert.deepEqual(values['loopguard']?.['keys'], ['k1:********']);
  assert.deepEqual(values['outbound']?.['nextHop'], ['127.0.0.1:10026']);
  // A reader of YAML 1.1 sees a word here too, not a boolean.
  assert.match(stdout, /^ {4}mode: "off"$/m);
});

test('--quiet prints nothing of a right configuration, and every error of a wrong one', async () => {
  const right = await runCommand(['config', '--quiet'], { env });
  assert.deepEqual([right.status, right.stdout, right.stderr], [0, '', '']);
  const wrong = await runCommand(['config', '--quiet'], { env: { ...env, DETACH_WORKERS: 'many' } });
  assert.equal(wrong.status, 78);
  assert.match(wrong.stderr, /workers: /);
});

test('a wrong configuration: status 78, one line per error, nothing on standard output', async () => {
  const file = join(import.meta.dirname, '../../test/fixtures/config/unknown-keys.yaml');
  const { status, stdout, stderr } = await runCommand(['config', '--config', file], {
    env: { ...env, DETACH_LINKS_SECRET: 'SSSS!' },
  });
  assert.equal(status, 78);
  assert.equal(stdout, '');
  const lines = stderr.split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(lines.length, 8);
  assert.ok(lines.includes('detach-mta config: links.secret: must be base64 (DETACH_LINKS_SECRET)'));
  assert.ok(!stderr.includes('SSSS'));
});

test('a template or a logo that cannot be used is a wrong configuration, also for `serve`', async () => {
  const template = join(import.meta.dirname, '../../test/fixtures/config/unusable-template.txt');
  const keys = {
    DETACH_LINKS_TEMPLATES_TEXT: 'links.templates.text',
    DETACH_LINKS_TEMPLATES_FILE_PAGE: 'links.templates.filePage',
    DETACH_LINKS_TEMPLATES_MESSAGE_PAGE: 'links.templates.messagePage',
    DETACH_LINKS_LOGO: 'links.logo',
  };
  for (const [variable, key] of Object.entries(keys)) {
    for (const command of ['config', 'serve']) {
      const { status, stdout, stderr } = await runCommand([command], { env: { ...env, [variable]: template } });
      assert.equal(status, 78);
      assert.equal(stdout, '');
      assert.match(stderr, /^detach-mta \w+: \S+: \S+unusable-template\.txt: .+\n$/);
      assert.ok(stderr.startsWith(`detach-mta ${command}: ${key}: `), stderr);
    }
  }
});
