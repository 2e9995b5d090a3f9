import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { onOneLine } from '../smtp/one-line.ts';
import type { Store } from '../storage/interface.ts';
import { pathOf, placeOf } from '../storage/directory/layout.ts';
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
    let store: Store;
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
      store = createStore({ storage: backend.storage, links });
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
    const linkOf = (token: string) => store.getLink(token, signal);
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

    test('extend: by or until, past the end of what there was', async () => {
      const [token = ''] = tokens;
      const end = async (...words: string[]): Promise<string> => {
        const { status, stdout, stderr } = await run('links', 'extend', ...words, token, '--json');
        assert.equal(status, 0, stderr);
        return (JSON.parse(stdout) as { expires: string }).expires;
      };
      const { expires } = (await linkOf(token))!;
      const { stdout } = await run('links', 'extend', '--by', '10d', token, '--dry-run');
      const wouldBe = new Date(Date.parse(expires!) + 10 * 86_400_000).toISOString().slice(0, 10);
      assert.match(stdout, new RegExp(`^would extend: .*  ${wouldBe}  `));
      assert.equal((await linkOf(token))?.expires, expires);
      assert.equal(Date.parse(await end('--by', '10d')) - Date.parse(expires!), 10 * 86_400_000);
      assert.equal(await end('--until', '2099-12-31'), '2099-12-31T23:59:59.999Z');
      assert.equal(await end('--until', '2050-01-01'), '2099-12-31T23:59:59.999Z');
    });

    test('hold stops erase, and nothing is done; release ends it', async () => {
      const [token = '', second = ''] = tokens;
      assert.match((await run('links', 'hold', token)).stdout, /^held: .* living, held /);
      for (const target of [token, second]) {
        const { status, stdout, stderr } = await run('links', 'erase', target);
        assert.equal(status, 1);
        assert.match(stderr, /^detach-mta links erase: nothing was erased: [^\n]*held[^\n]*\n$/);
        assert.equal(stdout, '');
      }
      assert.equal((await run('links', 'erase', '--file', 'plan.pdf')).status, 1);
      assert.deepEqual(await found(), all());
      assert.match((await run('links', 'release', token)).stdout, /^released: /);
    });

    test('erase --recipient removes what names them and leaves the files to others', async () => {
      const message = {
        files: [{ bytes: Buffer.from('shared'), name: 'shared.pdf' }],
        messageIdentity: '<3@example.com>',
        recipients: ['bob@example.net', 'eve@example.net'],
        manifest: Buffer.from('{"v":1,"original":{"header":"To: Bob@Example.net, eve@example.net"}}'),
      };
      const { tokens: shared, manifestId } = await storeMessage(store, message);
      const alone = { ...message, files: [{ bytes: Buffer.from('alone') }], messageIdentity: '<4@example.com>' };
      const { tokens: own } = await storeMessage(store, { ...alone, recipients: ['bob@example.net'] });
      assert.deepEqual(await found('--recipient', 'BOB@example.net'), [...shared, ...own].sort());
      const { status, stdout, stderr } = await run('links', 'erase', '--recipient', 'bob@example.net', '--json');
      assert.equal(status, 0, stderr);
      const done = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.deepEqual(done.map(({ erased, manifests }) => [erased, manifests]).sort(), [
        [0, 1],
        [1, 1],
      ]);
      assert.deepEqual(await found('--recipient', 'bob@example.net'), []);
      assert.deepEqual(await found('--recipient', 'eve@example.net'), shared);
      assert.equal(await store.getMessage(manifestId, signal), undefined);
      assert.ok(await store.statFile(fileOf(Buffer.from('shared')).sha256, signal));
      assert.equal(await store.statFile(fileOf(Buffer.from('alone')).sha256, signal), undefined);
      assert.equal((await run('links', 'erase', ...shared)).status, 0);
    });

    test('stats: each recipient of a message counts once, however many transactions it came in', async () => {
      const bytes = Buffer.alloc(5000, 'x');
      const message = { files: [{ bytes }], messageIdentity: '<5@example.com>' };
      const before = JSON.parse((await run('stats', '--json')).stdout) as Record<string, number>;
      const { tokens: made } = await storeMessage(store, { ...message, recipients: ['u@b.example', 'v@b.example'] });
      await storeMessage(store, { ...message, recipients: ['V@b.example', 'w@b.example'] });
      const stats = JSON.parse((await run('stats', '--json')).stdout) as Record<string, number>;
      const more = ['links', 'files', 'messages', 'bytesStored', 'saved'].map((name) => stats[name]! - before[name]!);
      assert.deepEqual(more, [1, 1, 1, 5000, 2 * 5000]);
      assert.deepEqual(Object(stats['largest']), [
        { sha256: fileOf(bytes).sha256, size: 5000 },
        ...(Object(before['largest']) as unknown[]),
      ]);
      const { stdout } = await run('stats');
      assert.match(stdout, /^links {5}\d+ \(/);
      assert.equal((await run('links', 'erase', ...made)).status, 0);
    });

    test('erase leaves nothing of the message, and the file to others', async () => {
      const dry = await run('links', 'erase', '--message-id', '1@example.com', '--dry-run');
      assert.deepEqual(dry.stdout.match(/^would erase: /gm)?.length, 2);
      assert.match(dry.stdout, /file kept\n/);
      assert.match(dry.stdout, /file would be deleted\n/);
      assert.deepEqual(await found(), all());
      const { status, stdout } = await run('links', 'erase', '--message-id', '1@example.com', '--json');
      assert.equal(status, 0);
      assert.equal(stdout.match(/"done":"erased"/g)?.length, 2);
      assert.deepEqual(await found(), [other]);
      assert.equal((await run('links', 'show', tokens[0]!)).status, 66);
      assert.equal((await run('links', 'erase', tokens[0]!)).status, 66);
      assert.ok(await store.statFile(fileOf(plan).sha256, signal));
      assert.equal(await store.statFile(fileOf(photo).sha256, signal), undefined);
      assert.equal((await run('links', 'erase', other)).status, 0);
      const left: string[] = [];
      for await (const page of backend.open().list('', { what: 'test', signal }))
        left.push(...page.map(({ name }) => name));
      assert.deepEqual(left, []);
    });

    test('sweep says what it did, and --json as numbers', async () => {
      const { status, stdout } = await run('sweep');
      assert.equal(status, 0);
      assert.match(stdout, /^swept 0 files \(0 bytes\), 0 manifests, 0 links/);
      const json = JSON.parse((await run('sweep', '--dry-run', '--json')).stdout) as Record<string, unknown>;
      assert.equal(json['dryRun'], true);
      assert.equal(json['links'], 0);
    });

    test('hold, extend and unrevoke say what is gone already', async () => {
      const message = { messageIdentity: '<gone@example.com>', files: [{ bytes: plan }, { bytes: photo }] };
      const [token = ''] = (await storeMessage(store, message)).tokens;
      const blobs = backend.open();
      const deleteAll = async (prefix: string): Promise<void> => {
        for await (const page of blobs.list(prefix, { what: 'test', signal }))
          for (const { name, etag } of page) await blobs.delete(name, { what: 'test', signal, etag });
      };
      const gone = async (...words: string[]): Promise<unknown> => {
        const { stdout, stderr } = await run('links', ...words, token, '--json');
        return (JSON.parse(stdout || stderr) as { gone?: unknown }).gone;
      };
      assert.deepEqual(await gone('hold'), []);
      await deleteAll('messages/');
      assert.match(
        (await run('links', 'hold', token)).stdout,
        /^unchanged: .*\(the message can no longer be restored\)\n$/,
      );
      await deleteAll('pages/');
      await run('links', 'revoke', token);
      assert.deepEqual(await gone('unrevoke', '--dry-run'), ['page', 'message']);
      assert.deepEqual(await gone('extend', '--by', '1d'), ['page', 'message']);
      assert.equal(await gone('release'), undefined);
      await run('links', 'erase', '--message-id', 'gone@example.com');
      const both = await run('links', 'erase', '--recipient', 'b@example.net', token);
      assert.equal(both.status, 64);
      assert.match(both.stderr, /either URLs and tokens, or filters, not both \(.*--recipient with --message-id\)\n$/);
    });

    test('what strangers wrote commands no terminal, adds no line and turns none around', async () => {
      const hostile = 'a\x1b[2J\x9b2J\u202egpj\u2028b\nrevoked: c\ud800.pdf';
      const message = {
        messageIdentity: '<\x1b[2J\u009b\r\n@example.com>',
        reversePath: '"\x1b]0;x\x07"@example.com',
        from: '=?utf-8?Q?=E2=80=AEmoc=1B[2J?= <hostile@example.com>',
        files: [{ bytes: Buffer.from('hostile'), name: hostile, type: 'text/\x1b[2J' }],
      };
      const [token = ''] = (await storeMessage(store, message)).tokens;
      for (const words of [
        ['list', '--sender', 'hostile@example.com'],
        ['show', token],
        ['hold', '--dry-run', token],
        ['erase', '--dry-run', token],
      ])
        for (const json of [[], ['--json']]) {
          const { status, stdout, stderr } = await run('links', ...words, ...json);
          assert.equal(status, 0, stderr);
          assert.ok(stdout.includes(token));
          const lines = (stdout + stderr).trimEnd().split('\n');
          for (const line of lines) {
            assert.equal(line, onOneLine(line));
            assert.ok(line.isWellFormed());
            assert.doesNotMatch(line, /^revoked/);
          }
          if (json.length > 0) {
            const { name = hostile } = JSON.parse(stdout) as { readonly name?: string };
            assert.equal(name, hostile);
          }
        }
      const wrong = await run('links', 'show', '\x1b[2J\u202e\u009b');
      assert.equal(wrong.stderr.trimEnd(), onOneLine(wrong.stderr.trimEnd()));
      assert.equal((await run('links', 'erase', token)).status, 0);
    });

    test('a change by a filter that meets no link says so', async () => {
      for (const verb of ['revoke', 'unrevoke', 'hold', 'release', 'erase']) {
        const { status, stdout, stderr } = await run('links', verb, '--message-id', 'mistyped@example.com');
        assert.deepEqual([status, stdout], [0, '']);
        assert.equal(stderr, `detach-mta links ${verb}: no link matches, nothing was done\n`);
      }
      const { stderr } = await run('links', 'erase', '--recipient', 'nobody@example.com', '--dry-run');
      assert.match(stderr, /no link matches/);
    });

    test('what is wrong is one line and a status', async () => {
      const says = async (status: number, ...words: string[]): Promise<void> => {
        const result = await run(...words);
        assert.equal(result.status, status, result.stderr);
        assert.match(result.stderr, /^detach-mta links \w+: [^\n]+\n$/);
        assert.equal(result.stdout, '');
      };
      await says(64, 'links', 'list', '--state', 'lost');
      await says(64, 'links', 'list', '--since', 'yesterday');
      await says(64, 'links', 'list', '--since', '2026-02-30');
      await says(64, 'links', 'list', '--until', '2026-04-31T12:00:00Z');
      // What a script gives whose variable is not set.
      for (const option of ['--sender', '--message-id', '--file', '--recipient']) {
        await says(64, 'links', 'list', option, '');
        await says(64, 'links', 'revoke', option, ' ');
        await says(64, 'links', 'erase', option, '');
      }
      await says(64, 'links', 'show', 'nonsense');
      for (const verb of ['revoke', 'unrevoke', 'hold', 'release', 'erase']) {
        await says(64, 'links', verb);
        await says(64, 'links', verb, 'A'.repeat(22), '--sender', 'a@example.com');
        await says(66, 'links', verb, 'A'.repeat(22));
      }
      for (const dash of ['-oAAAAAAAAAAAAAAAAAAAA', '--AAAAAAAAAAAAAAAAAAAg']) {
        await says(66, 'links', 'show', dash);
        await says(66, 'links', 'erase', dash, '--dry-run');
      }
      const missing = 'A'.repeat(22);
      await says(64, 'links', 'extend', missing);
      await says(64, 'links', 'extend', missing, '--by', '1d', '--until', '2099-01-01');
      await says(64, 'links', 'extend', missing, '--by', 'long');
      assert.match(
        (await run('links', 'extend', missing, '--by', '0d')).stderr,
        /of at least 1ms and of at most 36500d, /,
      );
      await says(64, 'links', 'extend', missing, '--until', '2001-01-01');
      await says(64, 'links', 'extend', '--by', '1d');
      await says(66, 'links', 'extend', missing, '--by', '1d');
      await says(66, 'links', 'show', missing);
    });

    test('a record that cannot be read is named, so that the operator can find it, and the others are worked on', async () => {
      const blobs = backend.open();
      const request = { what: 'test', signal, content: Buffer.from('no JSON\x1b[2J'), metadata: { sender: 'x' } };
      const where = (name: string): string => {
        const { directory } = backend.storage;
        return directory === undefined ? name : join(directory, pathOf(placeOf(name)));
      };
      const says = (kind: string, name: string): string =>
        `cannot be read: ${where(name)}: not a ${kind} that this version can read\n`;
      const spoilt = 'B'.repeat(21) + 'A';
      await blobs.create(`links/${spoilt}`, request);
      const shown = await run('links', 'show', spoilt);
      assert.equal(shown.status, 69);
      assert.match(shown.stderr, /^detach-mta links show: storage: link \w+: not a link that this version can read \(/);
      assert.ok(shown.stderr.endsWith(`(links/${spoilt})\n`), shown.stderr);
      const good = store.getLink(tokens[0]!, signal);
      const listed = await run('links', 'list', '--json');
      assert.equal(listed.status, 1);
      assert.equal(listed.stderr, `detach-mta links list: ${says('link', `links/${spoilt}`)}`);
      assert.equal(listed.stdout.includes(tokens[0]!), (await good) !== undefined);
      const record = `index/transaction/${spoilt}/${spoilt}`;
      await blobs.create(record, request);
      const byRecipient = await run('links', 'list', '--recipient', 'nobody@example.org');
      assert.deepEqual([byRecipient.status, byRecipient.stdout], [1, '']);
      assert.equal(byRecipient.stderr, `detach-mta links list: ${says('record', record)}`);
      // An erasure that may not be complete does nothing.
      const erased = await run('links', 'erase', '--recipient', 'nobody@example.org');
      assert.deepEqual([erased.status, erased.stdout], [69, '']);
      for (const command of ['stats', 'sweep']) {
        const { status, stdout, stderr } = await run(command, '--json');
        assert.equal(status, 1, stderr);
        assert.equal((JSON.parse(stdout) as { damaged: number }).damaged, 1);
        assert.equal(stderr, `detach-mta ${command}: ${says('link', `links/${spoilt}`)}`);
      }
    });

    test('of many records that cannot be read the first ones are named, the others counted', async () => {
      const blobs = backend.open();
      const request = { what: 'test', signal, content: Buffer.from('no JSON'), metadata: {} };
      for (let i = 10; i < 45; i++) await blobs.create(`links/${'C'.repeat(19)}${i}A`, request);
      const { status, stderr } = await run('sweep', '--dry-run');
      assert.equal(status, 1);
      const lines = stderr.trim().split('\n');
      assert.equal(lines.length, 21);
      assert.ok(lines.every((line) => line.startsWith('detach-mta sweep: ')));
      assert.equal(lines.at(-1), 'detach-mta sweep: 16 more cannot be read');
    });
  });
