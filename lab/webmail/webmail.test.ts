/** The webmail from outside, without a login: nothing but the files of its pages can be read. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { freePort } from '../../test/harness/ports.ts';
import { Scenario } from '../../test/harness/scenario.ts';
import { startWebmail } from './webmail.ts';

const key = 'the-key-of-this-webmail!';
const markers = [
  key,
  'root:x:0',
  'SQLite format 3',
  'CREATE TABLE',
  '<?php',
  'des_key',
  'words of the log',
  '<roundcube:',
];

/** What a server says to a target that no client has tidied up. */
async function ask(port: number, target: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  return text(socket.setEncoding('latin1'));
}

async function started(scenario: Scenario): Promise<{ readonly port: number; readonly home: string }> {
  const home = join(scenario.directory('webmail'), 'home');
  const port = await freePort();
  const options = { home, port, key, imapsPort: 1, submissionPort: 1, authority: '/none', people: {} };
  await scenario.use(startWebmail(options));
  writeFileSync(join(home, 'data/logs/errors.log'), 'words of the log');
  return { port, home };
}

/** Ways to write `..`, and the slash before it. */
const ups = [
  '/..',
  '/%2e%2e',
  '/.%2e',
  '/%2E.',
  '%2f..',
  '/..;',
  '/%252e%252e',
  '\\..',
  '/%c0%ae%c0%ae',
  '//..',
  '/./..',
];
const folders = [
  '',
  '/skins',
  '/program/js',
  '/plugins',
  '/skins/elastic/images',
  '/index.php',
  '//evil',
  'http://evil',
];

const within = [
  '/SQL/sqlite.initial.sql',
  '/config/config.inc.php',
  '/logs/errors.log',
  '/temp/',
  '/bin/update.sh',
  '/installer/index.php',
  '/.htaccess',
  '/program/lib/Roundcube/bootstrap.php',
  '/program/js/../../index.php',
  '/plugins/jqueryui/config.inc.php.dist',
  '/plugins/jqueryui/jqueryui.php',
  '/plugins/jqueryui/jqueryui.php/x.js',
  '/plugins/jqueryui/jqueryui.php%00.js',
  '/plugins/jqueryui/jqueryui.php%0a.js',
  '/skins/elastic/templates/login.html',
  '/skins/elastic//templates/login.html',
  '/skins/elastic/%74emplates/login.html',
  '/lab.json',
  '/router.php',
];

test('nothing but the files of its pages can be read', async (t) => {
  const { port, home } = await started(new Scenario(t));
  const secrets = [
    join(home, 'config/lab.json'),
    join(home, 'config/config.inc.php'),
    join(home, 'data/logs/errors.log'),
    join(home, 'data/roundcube.sqlite'),
    '/etc/passwd',
  ];
  const climbs = folders.flatMap((folder) =>
    ups.map((up, at) => `${folder}${up.repeat(12)}${secrets[at % secrets.length]}`),
  );
  for (const target of [...within, ...secrets, ...climbs]) {
    const answer = await ask(port, target);
    for (const marker of markers) assert.ok(!answer.includes(marker), `${target} shows ${marker}`);
  }
});

test('nobody learns which files there are', async (t) => {
  const { port } = await started(new Scenario(t));
  const first = async (target: string): Promise<string | undefined> => (await ask(port, target)).split('\r\n')[0];
  for (const up of ups)
    assert.equal(await first(`${up.repeat(12)}/etc/passwd`), await first(`${up.repeat(12)}/etc/nothing`), up);
});

test('everything that its login page needs is served as what it is', async (t) => {
  const { port } = await started(new Scenario(t));
  const page = await ask(port, '/');
  const needed = Array.from(
    page.matchAll(/(?:src|href)="([^"?]+\.(?:js|css|ico|svg|png)[^"]*)"/g),
    ([, path = '']) => path,
  );
  assert.ok(needed.length > 5, page);
  for (const path of needed) {
    const answer = await ask(port, `/${path.replace(/^\//, '')}`);
    assert.match(answer, /^HTTP\/1\.1 200 /, path);
    assert.doesNotMatch(answer, /^content-type: text\/html/im, path);
  }
});
