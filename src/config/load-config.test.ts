import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { ConfigError } from './config-error.ts';
import type { Config } from './config.ts';
import { describeConfig } from './describe-config.ts';
import { envName, leaves } from './key.ts';
import { loadConfig } from './load-config.ts';
import { schema } from './schema.ts';
import { mask } from './secrets.ts';

const key = `${'A'.repeat(43)}=`;
const needed = {
  DETACH_OUTBOUND_NEXT_HOP: '127.0.0.1:10026',
  DETACH_LOOPGUARD_CLUSTER: 'test',
  DETACH_LOOPGUARD_KEYS: `k1:${key}`,
  DETACH_STORAGE_CONNECTION_STRING: 'UseDevelopmentStorage=true',
  DETACH_LINKS_BASE_URL: 'https://files.example.com/',
  DETACH_LINKS_SECRET: key,
};

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'detach-config-'));
});
after(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const day = 86_400_000;

test('the environment alone is enough, and what it does not say has its default', () => {
  const { hostname, spool, ...config } = loadConfig({ env: needed });
  assert.match(hostname, /^detach\../);
  assert.ok(spool.directory.startsWith(join(tmpdir(), 'detach-mta-')));
  assert.equal(spool.maxBytes, 4 * 2 ** 30);
  const expected: Omit<Config, 'hostname' | 'spool'> = {
    workers: 1,
    inbound: {
      address: '127.0.0.1',
      port: 10025,
      protocol: 'smtp',
      socketMode: 0o660,
      socketGroup: undefined,
      trustedNetworks: ['127.0.0.0/8', '::1/128'],
      maxMessageSize: 52428800,
      maxClients: 200,
      maxClientsPerAddress: 200,
      tls: { mode: 'off', cert: undefined, key: undefined },
      xforwardHosts: [],
      proxyHosts: [],
    },
    outbound: {
      nextHop: [{ kind: 'tcp', host: '127.0.0.1', port: 10026 }],
      protocol: 'smtp',
      tls: { mode: 'opportunistic', ca: undefined, servername: undefined, cert: undefined, key: undefined },
      auth: { user: undefined, pass: undefined },
      maxConnections: 50,
      maxIdle: 5,
      idleTimeout: 30_000,
    },
    detach: {
      minSize: 1048576,
      onStorageFailure: 'defer',
      totalSize: 0,
      totalMinSize: 65536,
      maxSize: 0,
      includeTypes: [],
      excludeTypes: [],
      includeExtensions: [],
      excludeExtensions: [],
      includeSenders: [],
      exemptSenders: [],
      includeRecipients: [],
      exemptRecipients: [],
      optOut: { field: undefined, senders: [] },
      maxDepth: 20,
    },
    loopguard: { cluster: 'test', keys: [{ id: 'k1', secret: Buffer.alloc(32) }], maxPasses: 1, hopLimit: 50 },
    storage: {
      connectionString: 'UseDevelopmentStorage=true',
      accountUrl: undefined,
      directory: undefined,
      reserve: undefined,
      container: 'detach',
    },
    links: {
      baseUrl: 'https://files.example.com',
      address: '127.0.0.1',
      port: 8080,
      trustedProxies: [],
      secret: [Buffer.alloc(32)],
      expiresAfter: 90 * day,
      delivery: 'stream',
      cdnUrl: undefined,
      log: 'anonymous',
      logo: undefined,
      colour: undefined,
      showSender: true,
      showSubject: false,
      language: 'en',
      position: 'newest',
      maxInNotice: 5,
      organisation: undefined,
      contact: undefined,
      templates: { text: undefined, html: undefined, filePage: undefined, messagePage: undefined },
    },
    metrics: { address: '127.0.0.1', port: 9464 },
    log: { level: 'info', format: 'json' },
  };
  assert.deepEqual(config, expected);
});

test('units, lists and addresses are read in file and environment alike', () => {
  const file = write(
    'units.yaml',
    `
inbound: { trustedNetworks: [10.0.0.0/8, 'fd00::/8'], maxMessageSize: 25 MB, port: 0 }
outbound: { nextHop: ['[::1]:25', 'unix:/run/b.sock', postfix_b.internal:2525], idleTimeout: 1500ms, maxIdle: "3" }
detach: { minSize: 1.5MiB, excludeTypes: [Image/*], excludeExtensions: [.P7M], exemptSenders: [Bücher.example, .Sub.example] }
links: { expiresAfter: 12h }
`,
  );
  const env: Record<string, string> = { ...needed };
  delete env['DETACH_OUTBOUND_NEXT_HOP'];
  const fromFile = loadConfig({ file, env });
  assert.deepEqual(fromFile.inbound.trustedNetworks, ['10.0.0.0/8', 'fd00::/8']);
  assert.equal(fromFile.inbound.maxMessageSize, 25_000_000);
  assert.equal(fromFile.inbound.port, 0);
  assert.deepEqual(fromFile.outbound.nextHop, [
    { kind: 'tcp', host: '::1', port: 25 },
    { kind: 'unix', path: '/run/b.sock' },
    { kind: 'tcp', host: 'postfix_b.internal', port: 2525 },
  ]);
  assert.equal(fromFile.outbound.idleTimeout, 1500);
  assert.equal(fromFile.outbound.maxIdle, 3);
  assert.equal(fromFile.detach.minSize, 1_572_864);
  assert.deepEqual(fromFile.detach.excludeTypes, ['image/*']);
  assert.deepEqual(fromFile.detach.excludeExtensions, ['p7m']);
  assert.deepEqual(fromFile.detach.exemptSenders, ['xn--bcher-kva.example', '.sub.example']);
  assert.equal(fromFile.links.expiresAfter, day / 2);
  const fromEnvironment = loadConfig({
    env: {
      ...needed,
      DETACH_INBOUND_TRUSTED_NETWORKS: '10.0.0.0/8, fd00::/8',
      DETACH_INBOUND_MAX_MESSAGE_SIZE: '25 MB',
      DETACH_INBOUND_PORT: '0',
      DETACH_OUTBOUND_NEXT_HOP: '[::1]:25,unix:/run/b.sock,postfix_b.internal:2525',
      DETACH_OUTBOUND_IDLE_TIMEOUT: '1500ms',
      DETACH_OUTBOUND_MAX_IDLE: '3',
      DETACH_DETACH_MIN_SIZE: '1.5MiB',
      DETACH_DETACH_EXCLUDE_TYPES: 'Image/*',
      DETACH_DETACH_EXCLUDE_EXTENSIONS: '.P7M',
      DETACH_DETACH_EXEMPT_SENDERS: 'Bücher.example,.Sub.example',
      DETACH_LINKS_EXPIRES_AFTER: '12h',
    },
  });
  assert.deepEqual(fromEnvironment, fromFile);
});

test('plain numbers count what the key says', () => {
  const env = {
    ...needed,
    DETACH_LINKS_EXPIRES_AFTER: '7',
    DETACH_OUTBOUND_IDLE_TIMEOUT: '7',
    DETACH_DETACH_MIN_SIZE: '7',
  };
  const config = loadConfig({ env });
  assert.equal(config.links.expiresAfter, 7 * day);
  assert.equal(config.outbound.idleTimeout, 7000);
  assert.equal(config.detach.minSize, 7);
  assert.equal(loadConfig({ env: { ...needed, DETACH_LINKS_EXPIRES_AFTER: '0' } }).links.expiresAfter, 0);
});

test('the environment overrides the file, key by key', () => {
  const file = write('override.yaml', 'inbound: { port: 2525, maxClients: 7 }\nlog: { level: debug }\n');
  const config = loadConfig({ file, env: { ...needed, DETACH_INBOUND_PORT: '2626' } });
  assert.equal(config.inbound.port, 2626);
  assert.equal(config.inbound.maxClients, 7);
  assert.equal(config.log.level, 'debug');
});

test('an empty variable unsets what may be unset and empties a list', () => {
  const file = write('unset.yaml', 'outbound: { auth: { user: relay, pass: "1234" } }\n');
  const env = {
    ...needed,
    DETACH_OUTBOUND_AUTH_USER: '',
    DETACH_OUTBOUND_AUTH_PASS: '',
    DETACH_INBOUND_TRUSTED_NETWORKS: '',
  };
  const config = loadConfig({ file, env });
  assert.deepEqual(config.outbound.auth, { user: undefined, pass: undefined });
  assert.deepEqual(config.inbound.trustedNetworks, []);
});

test('an empty file and a file of comments set nothing', () => {
  for (const content of ['', '# nothing\n', '---\n', '\ufeff']) {
    assert.deepEqual(loadConfig({ file: write('empty.yaml', content), env: needed }), loadConfig({ env: needed }));
  }
});

test('secrets can stand in files, a list with an entry per line', () => {
  const env: Record<string, string> = { ...needed };
  delete env['DETACH_LOOPGUARD_KEYS'];
  delete env['DETACH_LINKS_SECRET'];
  write('guard', `k2:${key}\n  k1:${key}  \n`);
  write('secret', `${key}\n`);
  const file = write('files.yaml', stringify({ loopguard: { keysFile: join(folder, 'guard') } }));
  const config = loadConfig({ file, env: { ...env, DETACH_LINKS_SECRET_FILE: join(folder, 'secret') } });
  assert.deepEqual(
    config.loopguard.keys.map(({ id }) => id),
    ['k2', 'k1'],
  );
  assert.deepEqual(config.links.secret, [Buffer.alloc(32)]);
});

test('a certificate with its key is accepted', () => {
  const fixtures = join(import.meta.dirname, '../../test/fixtures/config');
  const tls = { cert: join(fixtures, 'cert.pem'), key: join(fixtures, 'key.pem') };
  const env = {
    ...needed,
    DETACH_INBOUND_TLS_MODE: 'required',
    DETACH_INBOUND_TLS_CERT: tls.cert,
    DETACH_INBOUND_TLS_KEY: tls.key,
    DETACH_OUTBOUND_TLS_CA: tls.cert,
    DETACH_OUTBOUND_TLS_CERT: tls.cert,
    DETACH_OUTBOUND_TLS_KEY: tls.key,
  };
  const { inbound, outbound } = loadConfig({ env });
  assert.deepEqual(inbound.tls, { mode: 'required', ...tls });
  assert.deepEqual([outbound.tls.cert, outbound.tls.key], [tls.cert, tls.key]);
});

test('a password goes in clear to this machine only', () => {
  const clear = { DETACH_OUTBOUND_TLS_MODE: 'off', DETACH_OUTBOUND_AUTH_USER: 'u', DETACH_OUTBOUND_AUTH_PASS: 'p' };
  const local = '127.0.0.2:25,[::1]:25,localhost:25,unix:/run/b.sock';
  loadConfig({ env: { ...needed, ...clear, DETACH_OUTBOUND_NEXT_HOP: local } });
  for (const remote of ['192.0.2.1:25', '[2001:db8::1]:25', 'localhost.example.com:25']) {
    const env = { ...needed, ...clear, DETACH_OUTBOUND_NEXT_HOP: `${local},${remote}` };
    assert.throws(() => loadConfig({ env }), /^ConfigError: outbound\.tls\.mode: /, remote);
  }
});

test('a file that is not there or no text is named', () => {
  assert.throws(() => loadConfig({ file: join(folder, 'none.yaml'), env: needed }), {
    name: 'ConfigError',
    message: `${join(folder, 'none.yaml')}: cannot be read (ENOENT)`,
  });
  const path = join(folder, 'latin1.yaml');
  writeFileSync(path, Buffer.from('hostname: pi\xe8ce\n', 'latin1'));
  assert.throws(() => loadConfig({ file: path, env: needed }), {
    name: 'ConfigError',
    message: `${path}: is not valid UTF-8`,
  });
});

test('an error is one line whatever a key or value contains', () => {
  const file = write('lines.yaml', '"a\\nb": 1\n"c\\u2028d": 1\nhostname: "x\\r\\ny"\n');
  assert.throws(
    () => loadConfig({ file, env: needed }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.message.split(/[\r\n\u2028]/), error.lines);
      assert.equal(error.lines.length, 3);
      return true;
    },
  );
});

test('what is described can be read again, but for the secrets, which are masked', () => {
  const env = {
    ...needed,
    DETACH_INBOUND_TRUSTED_NETWORKS: '10.0.0.0/8,fd00::/8',
    DETACH_OUTBOUND_NEXT_HOP: '[::1]:25,unix:/run/b.sock,b.example:2525',
    DETACH_LINKS_EXPIRES_AFTER: '90s',
    DETACH_OUTBOUND_AUTH_USER: 'relay',
    DETACH_OUTBOUND_AUTH_PASS: 'correct horse battery staple',
    DETACH_STORAGE_CONNECTION_STRING:
      'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Zm9vYmFy;BlobEndpoint=https://a.example',
    DETACH_LOOPGUARD_KEYS: `new:${'B'.repeat(43)}=,old:${'C'.repeat(43)}=`,
    DETACH_LINKS_SECRET: 'D'.repeat(43),
  };
  const config = loadConfig({ env });
  const described = describeConfig(config);
  const printed = stringify(described);
  for (const secret of ['correct', 'Zm9vYmFy', 'BBBB', 'CCCC', 'DDDD']) {
    assert.ok(!printed.includes(secret), secret);
    assert.ok(!JSON.stringify(described).includes(secret), secret);
  }
  assert.deepEqual((described['loopguard'] as { keys: unknown }).keys, [`new:${mask}`, `old:${mask}`]);
  const file = write('again.yaml', printed);
  const secrets = Object.fromEntries(
    [...leaves(schema)].filter(([, { format }]) => format.secret).map(([path]) => [envName(path), '']),
  );
  const again = loadConfig({
    file,
    env: {
      ...secrets,
      DETACH_OUTBOUND_AUTH_PASS: env.DETACH_OUTBOUND_AUTH_PASS,
      DETACH_STORAGE_CONNECTION_STRING: env.DETACH_STORAGE_CONNECTION_STRING,
      DETACH_LOOPGUARD_KEYS: env.DETACH_LOOPGUARD_KEYS,
      DETACH_LINKS_SECRET: env.DETACH_LINKS_SECRET,
    },
  });
  assert.deepEqual(again, config);
  assert.deepEqual(parse(printed), described);
});

test('a Milter needs no next hop, and what is printed is read again', () => {
  const file = write(
    'milter.yaml',
    'inbound: { protocol: milter, address: "unix:/run/milter.sock", socketMode: 0600 }\n',
  );
  const env: NodeJS.ProcessEnv = { ...needed };
  delete env['DETACH_OUTBOUND_NEXT_HOP'];
  const config = loadConfig({ file, env });
  assert.deepEqual(config.outbound.nextHop, []);
  assert.equal(config.inbound.socketMode, 0o600);
  const { outbound, inbound } = describeConfig(config);
  assert.deepEqual(loadConfig({ file: write('again.yaml', stringify({ outbound, inbound })), env }), config);
  assert.throws(() => loadConfig({ env }), /outbound\.nextHop: is missing/);
});

test('without a file and without variables, one line says how to name one, not what would stand in it', () => {
  assert.throws(() => loadConfig({ env: { HOME: '/root' } }), {
    lines: ['configuration: there is none: name its file with --config FILE, or set DETACH_… variables'],
  });
});
