import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandNames } from './all-commands.ts';
import { runCommand } from './testing/run-command.ts';

const main = join(import.meta.dirname, '../main.ts');
const secret = `${'S'.repeat(42)}A=`;
const env = {
  ...process.env,
  DETACH_OUTBOUND_NEXT_HOP: '127.0.0.1:10026',
  DETACH_LOOPGUARD_CLUSTER: 'test',
  DETACH_LOOPGUARD_KEYS: `k1:${secret}`,
  DETACH_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${secret};BlobEndpoint=http://127.0.0.1:9/a`,
  DETACH_LINKS_BASE_URL: 'https://files.example.com',
  DETACH_LINKS_SECRET: secret,
};

/** Every kind of wrong usage: the words, and what the error line names. */
const wrongUsage: readonly (readonly [words: readonly string[], names: RegExp])[] = [
  [[], /a command is missing/],
  [['--verbose'], /unknown option "--verbose"/],
  [['serv'], /unknown command "serv"/],
  [['serv\n\x1b[31m'], /unknown command "serv/],
  ...commandNames.flatMap((name): (readonly [readonly string[], RegExp])[] => {
    const words = name.split(' ');
    return [
      [[...words, '--colour'], /"--colour"/],
      [[...words, '--config'], /--config needs a value/],
      [[...words, '--config', '--help'], /--config needs a value/],
      [[...words, '--help=yes'], /--help takes no value/],
      [[...words, ...Array<string>(5).fill('more')], /more/],
    ];
  }),
];

for (const [words, names] of wrongUsage) {
  test(`wrong usage: ${JSON.stringify(words.join(' '))} ends with 64 and one line`, async () => {
    const { status, stdout, stderr } = await runCommand(words);
    assert.equal(status, 64);
    assert.equal(stdout, '');
    assert.match(stderr, /^detach-mta[^\n]*: [^\n]+\n$/);
    assert.match(stderr, names);
  });
}

for (const name of commandNames) {
  test(`${name} --help and --version need no configuration; a configuration that is not there is 78`, async () => {
    const words = name.split(' ');
    const help = await runCommand([...words, '--help', '--config', '/nowhere']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, new RegExp(`^usage: detach-mta ${name} --config FILE`));
    assert.equal(help.stderr, '');
    const version = await runCommand([...words, '--version']);
    assert.equal(version.status, 0);
    assert.match(version.stdout, /^detach-mta \d+\.\d+\.\d+\n$/);
  });
}

test('every command is in the list of commands, and the version is that of the package', async () => {
  const { status, stdout } = await runCommand(['--help']);
  assert.equal(status, 0);
  for (const name of commandNames) assert.match(stdout, new RegExp(`^ {2}${name} `, 'm'));
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as object;
  const version = await runCommand(['--version']);
  assert.equal(version.stdout, `detach-mta ${'version' in manifest ? String(manifest.version) : ''}\n`);
});

test('a configuration that cannot be read is 78 and names the file', async () => {
  for (const name of ['config', 'serve', 'restore', 'sweep']) {
    const { status, stderr } = await runCommand([name, '--config', '/nowhere.yaml']);
    assert.equal(status, 78);
    assert.equal(stderr, `detach-mta ${name}: /nowhere.yaml: cannot be read (ENOENT)\n`);
  }
});

test('the process ends with the status, and says nothing when its reader has gone', async (t) => {
  const run = (words: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', main, ...words], { env, encoding: 'utf8' });
  const wrong = run(['config', '--no-such']);
  assert.equal(wrong.status, 64);
  assert.match(wrong.stderr, /^detach-mta config: [^\n]+\n$/);

  const child = spawn(process.execPath, ['--import', 'tsx', main, 'config'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: t.signal,
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status] = (await once(child, 'close')) as [number];
  assert.equal(stderr, '');
  assert.equal(status, 74);
});

test('a full disk is an error, not an empty success', () => {
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', '"$0" --import tsx "$1" config > /dev/full', process.execPath, main],
    {
      env,
      encoding: 'utf8',
    },
  );
  assert.equal(status, 74);
  assert.match(stderr, /^detach-mta config: [^\n]*ENOSPC[^\n]*\n$/);
});

test('SIGTERM and SIGINT end a command that waits for its input, with one line', async (t) => {
  for (const [name, number] of [
    ['SIGTERM', 15],
    ['SIGINT', 2],
  ] as const) {
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'restore'], {
      env: { ...env, DETACH_SPOOL_DIRECTORY: '/tmp' },
      stdio: ['pipe', 'ignore', 'pipe'],
      signal: t.signal,
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // More than a pipe holds: when all of it is written, the command is reading.
    await new Promise((resolve) =>
      child.stdin
        .on('error', () => undefined)
        .write(Buffer.from(`X-Detach-Message: a\r\n\r\n${'a\r\n'.repeat(1_000_000)}`), resolve),
    );
    child.kill(name);
    const [status] = (await once(child, 'close')) as [number];
    assert.equal(status, 128 + number, stderr);
    assert.equal(stderr, `detach-mta restore: ended by ${name}\n`);
  }
});

/** What the line says to somebody who was close, or who does not know what to do. */
const advice: readonly (readonly [words: string, line: string])[] = [
  ['serve --confg x', 'serve: unknown option "--confg", did you mean --config?'],
  ['config -q', 'config: unknown option "-q": detach-mta config --help lists them'],
  ['serve --config', 'serve: --config needs a value: detach-mta serve --help says which'],
  ['serve --config=', 'serve: --config is empty: it needs the path of a file'],
  ['links extend --by -3d', 'links extend: --by needs a value; one with a dash before it is written --by=-…'],
  ['sweep --json=true', 'sweep: --json takes no value'],
  [
    'restore file.eml',
    'restore: unexpected argument "file.eml": the message is read from standard input: < detached.eml',
  ],
  ['explain a.eml', 'explain: unexpected argument "a.eml": the message is read from standard input: < message.eml'],
  ['links list TOKEN', 'links list: unexpected argument "TOKEN": detach-mta links list --help says what it takes'],
  ['links show a b', 'links show: unexpected argument "b": detach-mta links show --help says what it takes'],
  ['serv', ' unknown command "serv", did you mean serve?'],
  ['links lst', 'links: unknown command "lst", did you mean links list?'],
  ['nonsense', ' unknown command "nonsense": detach-mta --help lists them'],
  ['--config x serve', ' unknown option "--config": the command comes first, detach-mta --help lists them'],
];

for (const [words, line] of advice) {
  test(`wrong usage says what to do: ${words}`, async () => {
    const { status, stderr } = await runCommand(words.split(' '));
    assert.deepEqual(
      { status, stderr },
      { status: 64, stderr: `detach-mta${line.startsWith(' ') ? ':' : ' '}${line}\n` },
    );
  });
}

test('help of a command is had in both ways, and a group of commands has help and a version too', async () => {
  for (const name of [...commandNames, 'links']) {
    const words = name.split(' ');
    assert.deepEqual(await runCommand(['help', ...words]), await runCommand([...words, '--help']), name);
  }
  assert.deepEqual(await runCommand(['links', '--version']), await runCommand(['--version']));
  assert.deepEqual(await runCommand(['help']), await runCommand(['--help']));
});

test('a directory in which serve never was, or whose disk is away: 69, and a line that says so', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'detach-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const others = { ...env, DETACH_STORAGE_CONNECTION_STRING: '', DETACH_STORAGE_DIRECTORY: directory };
  for (const words of [
    'links list',
    'links show AAAAAAAAAAAAAAAAAAAAAA',
    'links erase --sender a@b.c',
    'stats',
    'sweep',
    'restore',
  ]) {
    const { status, stderr } = await runCommand(words.split(' '), {
      env: others,
    });
    assert.equal(status, 69, words);
    assert.match(
      stderr,
      /^detach-mta [a-z ]+: storage\.directory: there is no storage of ours in [^\n]+: is its disk mounted\?[^\n]+\n$/,
    );
  }
});
