/** What the package ships, as far as it can be checked without installing it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { commandNames } from '../src/commands/all-commands.ts';
import { runCommand } from '../src/commands/testing/run-command.ts';
import { leaves } from '../src/config/key.ts';
import { schema } from '../src/config/schema.ts';
import { privateDirectory } from '../test/harness/private-directory.ts';
import { installDocuments } from './documents.mjs';

const shipped = readFileSync(join(import.meta.dirname, 'etc/detach-mta.yaml'), 'utf8');

/** The shipped file with the folders and keys of a test in place of the system's. */
function installed(): { readonly text: string; readonly directory: string } {
  const directory = privateDirectory('package');
  for (const name of ['secrets', 'files', 'spool']) mkdirSync(join(directory, name), { mode: 0o700 });
  chmodSync(directory, 0o700);
  const key = Buffer.alloc(32, 7).toString('base64');
  writeFileSync(join(directory, 'secrets/loopguard.keys'), `k1:${key}\n`);
  writeFileSync(join(directory, 'secrets/links.secret'), `${key}\n`);
  const text = shipped.replaceAll('/etc/detach-mta/secrets', `${directory}/secrets`);
  return { text: text.replaceAll('/var/lib/detach-mta', directory), directory };
}

async function check(text: string, directory: string) {
  const file = join(directory, 'detach-mta.yaml');
  writeFileSync(file, text);
  return runCommand(['config', '--quiet', '--config', file], { env: {} });
}

test('the shipped configuration lacks three keys and nothing else', async () => {
  const { text, directory } = installed();
  const { status, stderr } = await check(text, directory);
  assert.equal(status, 78);
  const missing = [...stderr.matchAll(/^detach-mta config: (\S+): is missing/gm)].map(([, name]) => name);
  assert.deepEqual(missing, ['outbound.nextHop', 'loopguard.cluster', 'links.baseUrl']);
  assert.equal(stderr.trim().split('\n').length, 3, stderr);
});

test('its commented lines are right: without their # it is a whole configuration', async () => {
  const { text, directory } = installed();
  const all = text.replace(/^( *)#(\w+: )/gm, '$1$2').replace(/^ +(accountUrl|container): .*\n/gm, '');
  const { status, stderr } = await check(all, directory);
  assert.deepEqual([status, stderr], [0, '']);
});

test('the manual pages name every command and every key', () => {
  const directory = privateDirectory('manual');
  const manual = join(import.meta.dirname, 'manual.ts');
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', manual, directory], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const page = (name: string): string => readFileSync(join(directory, name), 'utf8').replaceAll('\\-', '-');
  for (const name of commandNames) assert.ok(page('detach-mta.1').includes(`.SS detach-mta ${name}\n`), name);
  for (const [path] of leaves(schema)) assert.ok(page('detach-mta.yaml.5').includes(`.B ${path}\n`), path);
});

test('every link in the installed documents leads to something', () => {
  const tree = privateDirectory('documents');
  installDocuments(join(import.meta.dirname, '..'), tree);
  const home = join(tree, 'usr/share/doc/detach-mta');
  const pages = [home, join(home, 'examples/monitoring')].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
  const links = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, to = '']) => ({ page, to })),
  );
  const local = links.filter(({ to }) => !/^[a-z]+:/.test(to));
  assert.ok(local.length > 100);
  assert.deepEqual(
    local.filter(({ page, to }) => !existsSync(join(dirname(page), to))),
    [],
  );
});

test('the scripts of the package are sh, the completion is bash', () => {
  const scripts = readdirSync(join(import.meta.dirname, 'debian')).map((name) => ['sh', join('debian', name)] as const);
  for (const [shell, file] of [...scripts, ['sh', 'command'], ['bash', 'bash-completion']] as const) {
    const { status, stderr } = spawnSync(shell, ['-n', join(import.meta.dirname, file)], { encoding: 'utf8' });
    assert.equal(status, 0, `${file}: ${stderr}`);
  }
});

test('an installed command takes the configuration of the service, unless another is named', () => {
  const script = readFileSync(join(import.meta.dirname, 'command'), 'utf8').replace(/^node=.*$/m, 'node=echo');
  const program = '/usr/lib/detach-mta/dist/main.js';
  for (const [args, expected] of [
    [
      ['doctor', '--postfix', '/etc/postfix'],
      ' doctor --postfix /etc/postfix --config /etc/detach-mta/detach-mta.yaml',
    ],
    [['links', 'list', '--file', 'a b'], ' links list --file a b --config /etc/detach-mta/detach-mta.yaml'],
    [['config', '--config', 'x.yaml'], ' config --config x.yaml'],
    [['config', '--config=x.yaml'], ' config --config=x.yaml'],
    [['serve', '--help'], ' serve --help'],
    [['--version'], ' --version'],
    [[], ''],
  ] as const) {
    const { stdout } = spawnSync('sh', ['-c', script, 'detach-mta', ...args], { encoding: 'utf8' });
    assert.equal(stdout, `${program}${expected}\n`);
  }
});
