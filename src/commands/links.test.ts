import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createStore } from '../storage/store.ts';
import { type Backend, backends } from '../storage/testing/backends.ts';
import { fileOf, storeMessage } from '../storage/testing/store-message.ts';
import { runCommand } from './testing/run-command.ts';

const { signal } = new AbortController();
const secret = Buffer.alloc(32, 9);
const home = mkdtempSync(join(tmpdir(), 'detach-links-'));
after(() => rmSync(home, { recursive: true }));

for (const [kind, start] of backends)
  suite(`links in ${kind}`, () => {
    const config = join(home, `${kind.replaceAll(' ', '-')}.yaml`);
    const links = { secret: [secret], expiresAfter: 90 * 86_400_000 };
    const [plan, photo] = [Buffer.from('plan'), Buffer.from('photo')];
    let backend: Backend;
    let tokens: readonly string[];
    let other: string;

    before(async () => {
      backend = await start();
      writeFileSync(
        config,
        stringify({
          outbound: { nextHop: ['127.0.0.1:25'] },
          loopguard: { cluster: 'test', keys: [`1:${secret.toString('base64')}`] },
          storage: backend.storage,
          links: { baseUrl: 'https://files.example', secret: secret.toString('base64') },
        }),
      );
      const store = createStore({ storage: backend.storage, links });
      await store.prepare(signal);
      const files = [
        { bytes: plan, name: 'plan.pdf' },
        { bytes: photo, name: 'photo.jpg', type: 'image/jpeg' },
      ];
      ({ tokens } = await storeMessage(store, { files }));
      const second = { files: [files[0]!], messageIdentity: '<2@example.com>', reversePath: 'c@example.org' };
      [other = ''] = (await storeMessage(store, { ...second, from: 'Carl <Carl@Example.org>' })).tokens;
    });
    after(() => backend.stop());

    const run = (...words: string[]) => runCommand([...words, '--config', config]);
    const found = async (...words: string[]): Promise<string[]> => {
      const { status, stdout, stderr } = await run('links', 'list', '--json', ...words);
      assert.equal(status, 0, stderr);
      const lines = stdout.split('\n').filter((line) => line !== '');
      return lines.map((line) => (JSON.parse(line) as { token: string }).token).sort();
    };
    const all = (): string[] => [...tokens, other].sort();

    test('list: by whatever is at hand', async () => {
      assert.deepEqual(await found(), all());
      assert.deepEqual(await found('--message-id', '1@example.com'), [...tokens].sort());
      assert.deepEqual(await found('--message-id', '<2@example.com>'), [other]);
      assert.deepEqual(await found('--sender', 'A@example.COM'), [...tokens].sort());
      assert.deepEqual(await found('--sender', 'carl@example.org'), [other]);
      assert.deepEqual(await found('--sender', 'c@example.org', '--file', 'Plan.PDF'), [other]);
      assert.deepEqual(await found('--file', fileOf(plan).sha256), [tokens[0]!, other].sort());
      assert.deepEqual(await found('--file', 'none.pdf'), []);
      const today = new Date().toISOString().slice(0, 10);
      assert.deepEqual(await found('--since', today, '--until', today), all());
      assert.deepEqual(await found('--since', '2100-01-01'), []);
      assert.deepEqual(await found('--state', 'living'), all());
      assert.deepEqual(await found('--state', 'expired,missing'), []);
    });

    test('show: the link, the others of its message, its page, and who else points to the file', async () => {
      const { status, stdout } = await run('links', 'show', `https://files.example/${tokens[0]!}`, '--json');
      assert.equal(status, 0);
      const shown = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual(shown['sameMessage'], [tokens[1]]);
      assert.deepEqual(shown['sameFile'], [other]);
      assert.match(String(shown['page']), /^[\w-]{22}$/);
      assert.equal(shown['messageId'], '<1@example.com>');
      assert.equal(shown['size'], plan.length);
    });

    test('revoke and unrevoke: by token and by filter, once', async () => {
      const [token = ''] = tokens;
      assert.match((await run('links', 'revoke', token, '--dry-run')).stdout, /^would revoke: /);
      assert.deepEqual(await found('--state', 'revoked'), []);
      assert.match((await run('links', 'revoke', token)).stdout, /^revoked: /);
      assert.match((await run('links', 'revoke', token)).stdout, /^unchanged: /);
      assert.deepEqual(await found('--state', 'revoked'), [token]);
      assert.equal((await run('links', 'revoke', '--sender', 'a@example.com')).status, 0);
      assert.deepEqual(await found('--state', 'revoked'), [...tokens].sort());
      assert.equal((await run('links', 'unrevoke', '--message-id', '1@example.com')).status, 0);
      assert.deepEqual(await found('--state', 'living'), all());
    });

    test('what is wrong is one line and a status', async () => {
      const says = async (status: number, ...words: string[]): Promise<void> => {
        const result = await run(...words);
        assert.equal(result.status, status, result.stderr);
        assert.match(result.stderr, /^detach-mta links \w+: [^\n]+\n$/);
        assert.equal(result.stdout, '');
      };
      await says(64, 'links', 'revoke');
      await says(64, 'links', 'list', '--state', 'lost');
      await says(64, 'links', 'list', '--since', 'yesterday');
      await says(64, 'links', 'show', 'nonsense');
      await says(66, 'links', 'show', 'A'.repeat(22));
      await says(66, 'links', 'revoke', 'A'.repeat(22));
    });
  });
