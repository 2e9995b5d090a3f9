import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { examineWith, linesOf } from '../testing/examine.ts';
import { makeCertificate } from '../testing/certificate.ts';
import { configOf } from '../testing/neighbour-lab.ts';
import { publicUrl } from './public-url.ts';
import { trialName } from './trial-link.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'doctor-url-'));
  chmodSync(path, 0o700);
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const pageHeaders = {
  'Content-Security-Policy': "default-src 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

/** Our page, and for the file whatever is to be tried. */
const withFile =
  (file: RequestListener, headers: object = pageHeaders): RequestListener =>
  (request, response) => {
    if (request.url?.endsWith('/file') === true) file(request, response);
    else response.writeHead(200, { ...headers }).end(`<p>${trialName}</p>`);
  };

/** Lets the check believe that the service runs, so that silence is a fault. */
const running = [{ address: '127.0.0.1', port: 8080, uid: 0, owner: { pid: 1, command: 'node dist/main.js serve' } }];

const look = async (t: TestContext, baseUrl: string, listening = running): Promise<string> => {
  const directory = folder(t);
  const config = configOf({
    storage: { connectionString: undefined, directory, reserve: 0 },
    links: { baseUrl },
    metrics: { port: 1 },
  });
  const found = linesOf(await examineWith(publicUrl, config, { listening }));
  // Nothing of the trial stays.
  assert.deepEqual(
    readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
    [],
  );
  return found;
};

const cases: readonly { readonly name: string; readonly answer: RequestListener; readonly expect: RegExp }[] = [
  {
    name: 'another site',
    answer: (_, response) => response.writeHead(404).end('nginx'),
    expect:
      /^fail .*answers something else: 404 to a link that is there => the web server in front must pass the path on/m,
  },
  {
    name: 'a redirect',
    answer: (request, response) =>
      response.writeHead(301, { Location: `https://other.example${request.url ?? ''}` }).end(),
    expect: /^fail .*301 to https:\/\/other\.example to a link.*=> set links\.baseUrl to where it leads/m,
  },
  {
    name: 'stripped headers of pages',
    answer: withFile((_, response) => response.writeHead(206).end(), {}),
    expect: /^warn .*strips or changes content-security-policy, .*cache-control: no-store of pages/m,
  },
  {
    name: 'no ranges',
    answer: withFile((_, response) => response.writeHead(200).end('x'.repeat(4096))),
    expect: /^warn .*comes whole when a part is asked for.*=> let the web server in front pass Range/m,
  },
  {
    name: 'other bytes',
    answer: withFile((_, response) => response.writeHead(206).end('x'.repeat(1000))),
    expect: /^fail .*206 with other bytes/m,
  },
  {
    name: 'stripped headers of files',
    answer: withFile((_, response) => response.writeHead(206).end('x'.repeat(1000))),
    expect: /^warn .*lacks content-disposition, content-security-policy/m,
  },
  {
    name: 'a body without end',
    answer: (_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (response.writable && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    },
    expect: /^fail .*answers something else: 200/m,
  },
];

for (const { name, answer, expect } of cases) {
  test(`public URL: ${name}`, async (t) => {
    const port = await listen(t, createServer(answer));
    assert.match(await look(t, `http://127.0.0.1:${port}`), expect);
  });
}

test('public URL: silence is a fault of the web server when the service runs, and else of nobody', async (t) => {
  assert.match(
    await look(t, 'http://127.0.0.1:1'),
    /^fail .*does not answer.*ECONNREFUSED.*=> look at the web server/m,
  );
  assert.match(await look(t, 'http://127.0.0.1:1', []), /^warn .*the service does not run => start the service/m);
  assert.match(
    await look(t, 'https://files.invalid'),
    /^fail .*files\.invalid cannot be resolved.*=> add the name to DNS/m,
  );
});

for (const { name, days, names, expect } of [
  {
    name: 'nobody trusts',
    days: [0, 90],
    names: ['IP:127.0.0.1'],
    expect: [/^fail .*browsers do not trust the certificate.*=> give the web server in front the whole chain/m],
  },
  {
    name: 'ends soon, and that nobody trusts',
    days: [0, 3],
    names: ['IP:127.0.0.1'],
    expect: [/^warn .*certificate of 127\.0\.0\.1 ends in [23] days.*=> renew/m, /^fail .*browsers do not trust/m],
  },
  {
    name: 'has expired',
    days: [-60, -30],
    names: ['IP:127.0.0.1'],
    expect: [/^fail .*certificate of 127\.0\.0\.1 has expired on .*=> renew/m],
  },
] as const)
  test(`public URL: a certificate that ${name}`, async (t) => {
    const certificate = makeCertificate(folder(t), { days, names });
    const port = await listen(
      t,
      createTlsServer(certificate, (_, response) => response.end()),
    );
    const found = await look(t, `https://127.0.0.1:${port}`);
    for (const each of expect) assert.match(found, each);
  });
