import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { configOf } from '../testing/neighbour-lab.ts';
import { examineWith, linesOf } from '../testing/examine.ts';
import { directory } from './directory.ts';
import { keys } from './keys.ts';
import { readListeningPorts } from './listening-ports.ts';
import { ports } from './ports.ts';
import { spool } from './spool.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'doctor-machine-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

const small = { maxBytes: 1024 };
const inbound = { maxMessageSize: 1024 };

test('spool: a folder that is there, or could be made, is well, and nothing is made or deleted', async (t) => {
  const path = folder(t);
  const leftover = join(path, '01234567-0123-0123-0123-0123456789ab.spool');
  writeFileSync(leftover, 'of a live service');
  const there = linesOf(await examineWith(spool, configOf({ inbound, spool: { ...small, directory: path } })));
  assert.match(there, /^ok spool: spool\.directory has \d+ MiB free/);
  const missing = join(path, 'below/spool');
  assert.match(
    linesOf(await examineWith(spool, configOf({ inbound, spool: { ...small, directory: missing } }))),
    /^ok/,
  );
  assert.ok(existsSync(leftover) && !existsSync(missing));
});

test('spool: what is wrong with a folder', async (t) => {
  const path = folder(t);
  const at = (name: string): string => join(path, name);
  writeFileSync(at('file'), '');
  mkdirSync(at('open'));
  chmodSync(at('open'), 0o777);
  symlinkSync(path, at('link'));
  const look = async (name: string, fstab = ''): Promise<string> =>
    linesOf(await examineWith(spool, configOf({ inbound, spool: { ...small, directory: at(name) } }), { fstab }));
  assert.match(await look('file'), /^fail .*it is no folder => give .* mode 0700/);
  assert.match(await look('open'), /^fail .*can be written by other users/);
  assert.match(await look('link'), /^fail .*symbolic link/);
  const fstab = `# comment\nUUID=1 / ext4 defaults 0 1\n/dev/sdb1 ${at('disk')} ext4 defaults 0 2\n`;
  mkdirSync(at('disk'));
  assert.match(await look('disk', fstab), /^warn .*should lie on .*disk as fstab says.*=> mount /m);
  assert.doesNotMatch(await look('disk', fstab.replace('defaults 0 2', 'noauto 0 2')), /^warn/m);
});

test('spool: little room', async (t) => {
  const path = folder(t);
  const look = async (maxBytes: string, maxMessageSize: string): Promise<string> =>
    linesOf(await examineWith(spool, configOf({ inbound: { maxMessageSize }, spool: { directory: path, maxBytes } })));
  assert.match(await look('900000GiB', '1MiB'), /^warn .*less than spool\.maxBytes.*=> make room/);
  assert.match(await look('900000GiB', '900000GiB'), /^fail .* free, less than one message/);
  assert.match(await look('9MiB', '10MiB'), /^fail .*spool\.maxBytes \(9 MiB\) is less than one message.*=> raise/);
});

test('storage.directory on a disk that is not mounted', async (t) => {
  const path = folder(t);
  chmodSync(path, 0o700);
  const config = configOf({ storage: { connectionString: undefined, directory: path } });
  const found = linesOf(await examineWith(directory, config, { fstab: `/dev/sdb1 ${path} ext4 defaults 0 2` }));
  assert.match(found, /^fail .*not mounted: links find no files => mount .*RequiresMountsFor/);
  assert.equal(linesOf(await examineWith(directory, config)), '');
});

test('ports: taken by another program, of another machine, free', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const config = configOf({ inbound: { port }, links: { address: '192.0.2.1' }, metrics: { port: 0 } });
  const found = linesOf(await examineWith(ports, config, { listening: await readListeningPorts() }));
  assert.match(
    found,
    new RegExp(`^fail .*inbound\\.port 127\\.0\\.0\\.1:${port} is taken by pid ${process.pid} .*=> stop`, 'm'),
  );
  assert.match(found, /^fail .*links\.port 192\.0\.2\.1:8080 cannot be used \(EADDRNOTAVAIL\) => links\.address/m);
  assert.match(found, /^ok .*metrics\.port 127\.0\.0\.1:0 is free/m);
});

test('ports: a socket of a Milter that cannot be made', async () => {
  const config = configOf({
    inbound: { protocol: 'milter', address: 'unix:/nonexistent/detach.sock' },
    outbound: undefined,
  });
  assert.match(linesOf(await examineWith(ports, config)), /^fail .*no socket can be made in \/nonexistent/m);
});

test('ports: one that the service holds is well', async () => {
  const command = '/usr/bin/node /usr/lib/detach-mta/dist/main.js serve --config /etc/x.yaml';
  const listening = [{ address: '127.0.0.1', port: 10025, uid: 1, owner: { pid: 5, command } }];
  assert.match(linesOf(await examineWith(ports, configOf(), { listening })), /^ok .*held by the service \(pid 5\)/m);
});

test('keys: fingerprints are the same everywhere and show no key; weak and equal keys are found', async () => {
  const random = 'q83vEjRWeJASNFZ4kBI0VngSNFZ4kKvN7xI0VniQEjQ=';
  const good = configOf({ loopguard: { keys: [`k1:${random}`] } });
  const found = linesOf(await examineWith(keys, good));
  assert.match(found, /^ok keys: fingerprints.* k1 [0-9a-f]{8}; links\.secret [0-9a-f]{8}/);
  assert.equal(linesOf(await examineWith(keys, good)), found);
  assert.ok(!found.includes(random));
  assert.match(found, /^warn .*not random/m);
  const same = configOf({ loopguard: { keys: [`k1:${random}`] }, links: { secret: random } });
  assert.match(linesOf(await examineWith(keys, same)), /^warn .*two keys are the same => make each/m);
});
