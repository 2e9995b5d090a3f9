import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAzurite } from '../../../test/harness/azurite.ts';
import { configOf } from '../testing/neighbour-lab.ts';
import { examineWith, linesOf } from '../testing/examine.ts';
import { clock } from './clock.ts';
import { redirect } from './redirect.ts';
import { storage } from './storage.ts';

const key = Buffer.alloc(64, 9).toString('base64');

const connection = (url: string): string =>
  `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${key};BlobEndpoint=${url}/devstoreaccount1;`;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function account(t: TestContext, answer: Answer): Promise<string> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An error in Azure's form. */
const refuse =
  (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { 'x-ms-error-code': code, 'Content-Type': 'application/xml', ...headers });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
  };

/** As a server whose clock is seven minutes behind. */
const refuseBehind: Answer = (request, response) => {
  const date = new Date(Date.now() - 7 * 60_000).toUTCString();
  refuse(403, 'AuthenticationFailed', { Date: date })(request, response);
};

const cases: readonly { readonly name: string; readonly answer: Answer; readonly expect: RegExp }[] = [
  {
    name: 'Azurite of another version',
    answer: refuse(400, 'InvalidHeaderValue'),
    expect:
      /^fail storage: .*InvalidHeaderValue.*=> storage\.connectionString: is this Azurite\?.*--skipApiVersionCheck/,
  },
  {
    name: 'a wrong key',
    answer: refuse(403, 'AuthenticationFailed'),
    expect: /=> storage\.connectionString: this AccountKey/,
  },
  {
    name: 'a clock that differs',
    answer: refuseBehind,
    expect: /=> the clock of this machine differs by 7 min from that of storage \(it is ahead\): set the clock/,
  },
  {
    name: 'rights that are missing',
    answer: refuse(403, 'AuthorizationPermissionMismatch'),
    expect: /=> storage\.connectionString: its signature must permit/,
  },
  {
    name: 'no container, and no right to make one',
    answer: (request, response) =>
      (request.url?.includes('restype=container')
        ? refuse(409, 'ContainerDisabled')
        : refuse(404, 'ContainerNotFound'))(request, response),
    expect: /=> storage\.container: there is no container detach/,
  },
  {
    name: 'a web server',
    answer: (_, response) => response.writeHead(405).end('<html>'),
    expect: /=> storage\.connectionString: this is not the address of a blob service/,
  },
];

for (const { name, answer, expect } of cases) {
  test(`storage: ${name}`, async (t) => {
    const url = await account(t, answer);
    const config = configOf({ storage: { connectionString: connection(url) } });
    const found = linesOf(await examineWith(storage, config));
    assert.match(found, expect);
    assert.ok(!found.includes(key));
  });
}

test('storage: nobody listens, no such name', async () => {
  const look = async (url: string): Promise<string> =>
    linesOf(await examineWith(storage, configOf({ storage: { connectionString: connection(url) } })));
  assert.match(await look('http://127.0.0.1:1'), /ECONNREFUSED.*=> .*nothing listens there/);
  assert.match(await look('http://account.invalid'), /=> .*the name of the account cannot be resolved/);
});

test('storage: an account that never answers ends with the time of the check', async (t) => {
  const url = await account(t, () => undefined);
  const config = configOf({ storage: { connectionString: connection(url) } });
  assert.match(linesOf(await examineWith(storage, config, { timeoutMs: 300 })), /^fail storage: no end within/);
});

test('clock: 7 minutes warn, 20 minutes fail', async (t) => {
  const url = await account(t, refuse(400, 'InvalidUri'));
  const config = configOf({ storage: { connectionString: connection(url) } });
  const at = async (minutes: number): Promise<string> =>
    linesOf(await examineWith(clock, config, { now: () => Date.now() + minutes * 60_000 }));
  assert.match(await at(0), /^ok clock: the clocks/);
  assert.match(await at(7), /^warn clock: .*differs by 7 min.*ahead.*=> set the clock/);
  assert.match(await at(-20), /^fail clock: .*differs by 20 min.*behind/);
});

test('a directory: written, read, listed, deleted; nothing stays', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'doctor-storage-'));
  t.after(() => rmSync(path, { recursive: true }));
  const config = configOf({ storage: { connectionString: undefined, directory: path, reserve: 0 } });
  assert.match(linesOf(await examineWith(storage, config)), /^ok storage: a file was written/);
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.deepEqual(files, []);
  const full = configOf({ storage: { connectionString: undefined, directory: path, reserve: '900000GiB' } });
  assert.match(linesOf(await examineWith(storage, full)), /^fail storage: .*=> storage\.directory: make room/);
});

test('Azurite: well with its key, and redirected readers get their ranges; another key is named', async (t) => {
  const azurite = await startAzurite({ inMemory: true });
  t.after(() => azurite.stop());
  const config = configOf({
    storage: { connectionString: azurite.connectionString },
    links: { delivery: 'redirect' },
  });
  assert.match(linesOf(await examineWith(storage, config)), /^ok storage/);
  assert.match(
    linesOf(await examineWith(redirect, config)),
    /^ok redirect: 127\.0\.0\.1:\d+ answers readers with ranges/,
  );
  assert.match(linesOf(await examineWith(clock, config)), /^ok clock/);
  const wrong = configOf({ storage: { connectionString: connection(`http://127.0.0.1:${azurite.port}`) } });
  assert.match(linesOf(await examineWith(storage, wrong)), /=> storage\.connectionString: this AccountKey/);
  const cdn = configOf({
    storage: { connectionString: azurite.connectionString },
    links: { delivery: 'redirect', cdnUrl: `${azurite.url}x` },
  });
  assert.match(linesOf(await examineWith(redirect, cdn)), /^fail redirect: .*=> compare links\.cdnUrl/);
});
