import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { describeConfig } from '../config/describe-config.ts';
import { loadConfig } from '../config/load-config.ts';
import { Failure } from '../smtp/failures.ts';
import type { Fields, Log } from './interface.ts';
import { createLog, type LogSettings } from './log.ts';

function capture(level: LogSettings['level'] = 'info'): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: createLog({ level }, { write: (line) => void lines.push(line) }), lines };
}

/** The fields of the one line that these fields make. */
function logged(fields: Fields, level: LogSettings['level'] = 'info'): Record<string, unknown> {
  const { log, lines } = capture(level);
  log.error('test', fields);
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0]!) as Record<string, unknown>;
}

test('one JSON line per event, with time, level and event first', () => {
  const { log, lines } = capture();
  const before = Date.now();
  log.info('ready', { port: 10025 });
  log.warn('slow');
  assert.equal(lines.length, 2);
  const [ready, slow] = lines.map((line) => JSON.parse(line) as { time: string });
  assert.deepEqual({ ...ready, time: '' }, { level: 'info', time: '', event: 'ready', port: 10025 });
  assert.deepEqual({ ...slow, time: '' }, { level: 'warn', time: '', event: 'slow' });
  assert.match(ready!.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Date.parse(ready!.time) >= before && Date.parse(ready!.time) <= Date.now());
  for (const line of lines) assert.match(line, /^\{.*\}\n$/);
});

test('what is below the level is not written', () => {
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  const written = levels.map((level) => {
    const { log, lines } = capture(level);
    for (const severity of ['debug', 'info', 'warn', 'error'] as const) log[severity](severity);
    return lines.length;
  });
  assert.deepEqual(written, [4, 3, 2, 1]);
});

test('no character of a value can end the line, command a terminal or turn the text around', () => {
  let text = '';
  for (let code = 0; code < 0x3000; code++) text += String.fromCharCode(code);
  text += '\ufeff\ud800 \udfff\u{1f600}';
  const { log, lines } = capture();
  for (let i = 0; i < text.length; i += 1000)
    log.info('test', { text: text.slice(i, i + 1000), [text.slice(0, 200)]: 1 });
  for (const line of lines) {
    assert.doesNotMatch(line.slice(0, -1), /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/);
  }
  const back = lines.map((line) => (JSON.parse(line) as { text: string }).text).join('');
  assert.equal(back, text);
});

test('bytes are counted, not printed', () => {
  const fields = { a: Buffer.from('secret'), b: new Uint16Array(3), c: { d: [new ArrayBuffer(7)] } };
  const { a, b, c } = logged(fields);
  assert.deepEqual({ a, b, c }, { a: '<6 bytes>', b: '<6 bytes>', c: { d: ['<7 bytes>'] } });
  const long = logged({ text: 'x'.repeat(1_000_000) })['text'] as string;
  assert.ok(long.length < 5000);
  assert.match(long, /… \(995904 more\)$/);
});

test('an error is its message, code and causes; the stack only for debugging', () => {
  const inner = Object.assign(new TypeError('read ECONNRESET'), { code: 'ECONNRESET', request: { key: 'hush' } });
  const err = new Failure('storageFailed', { reason: 'put failed', cause: new AggregateError([inner, 'text'], 'all') });
  assert.deepEqual(logged({ err })['err'], {
    type: 'Failure',
    message: 'put failed',
    kind: 'storageFailed',
    cause: {
      type: 'AggregateError',
      message: 'all',
      errors: [{ type: 'TypeError', message: 'read ECONNRESET', code: 'ECONNRESET' }, 'text'],
    },
  });
  const debug = logged({ err }, 'debug')['err'] as { stack: string };
  assert.match(debug.stack, /log\.test\.ts/);
  const nested = logged({ attempts: [{ err }] });
  assert.ok(!JSON.stringify(nested).includes('hush'));
});

test('every kind of value has a form, and none of them throws', () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const fields = {
    date: new Date(0),
    noDate: new Date(NaN),
    url: new URL('https://example.com/'),
    map: new Map([['a', 1]]),
    set: new Set([1, 2]),
    big: 2n ** 64n,
    nan: NaN,
    infinite: -Infinity,
    nothing: null,
    missing: undefined,
    yes: true,
    symbol: Symbol('s'),
    run: () => 1,
    list: [undefined, () => 1],
    many: Array.from({ length: 1002 }, () => 0),
  };
  const line = logged({ ...fields, circle });
  assert.equal((line['many'] as unknown[]).length, 1001);
  assert.equal((line['many'] as unknown[]).at(-1), '… (2 more)');
  assert.ok(JSON.stringify(line['circle']).length < 200);
  const expected = {
    date: '1970-01-01T00:00:00.000Z',
    noDate: 'invalid date',
    url: 'https://example.com/',
    map: { a: 1 },
    set: [1, 2],
    big: '18446744073709551616',
    nan: 'NaN',
    infinite: '-Infinity',
    nothing: null,
    yes: true,
    symbol: 'Symbol(s)',
    list: [null, null],
  };
  const others = new Set(['time', 'level', 'event', 'many', 'circle']);
  assert.deepEqual(Object.fromEntries(Object.entries(line).filter(([name]) => !others.has(name))), expected);
});

test('a field cannot pose as time, level or event', () => {
  const { log, lines } = capture();
  log.info('real', { level: 'error', event: 'forged', time: 'never', msg: 'text' });
  assert.deepEqual(Object.keys(JSON.parse(lines[0]!) as object), [
    'level',
    'time',
    'event',
    'level_',
    'event_',
    'time_',
    'msg_',
  ]);
  assert.equal(lines[0]!.match(/"event":/g)?.length, 1);
});

test('the effective configuration can be logged: no secret is in the line', () => {
  const secrets = { pass: 'hush-1', account: 'aHVzaC0y', guard: 'B'.repeat(43), link: 'C'.repeat(43) };
  const config = loadConfig({
    env: {
      DETACH_OUTBOUND_NEXT_HOP: 'b.example:25',
      DETACH_OUTBOUND_AUTH_USER: 'relay',
      DETACH_OUTBOUND_AUTH_PASS: secrets.pass,
      DETACH_LOOPGUARD_CLUSTER: 'test',
      DETACH_LOOPGUARD_KEYS: `k1:${secrets.guard}`,
      DETACH_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${secrets.account};EndpointSuffix=example.net`,
      DETACH_LINKS_BASE_URL: 'https://files.example.com',
      DETACH_LINKS_SECRET: secrets.link,
    },
  });
  const { log, lines } = capture('debug');
  log.info('starting', { config: describeConfig(config) });
  for (const secret of Object.values(secrets)) assert.ok(!lines[0]!.includes(secret), secret);
  assert.match(lines[0]!, /"keys":\["k1:\*+"\]/);
  assert.match(lines[0]!, /"mode":"opportunistic"/);
  // The resolved values hold keys as bytes: not even they would show when somebody logs them by mistake.
  log.info('mistake', { links: { secret: config.links.secret }, keys: config.loopguard.keys });
  for (const secret of [config.links.secret, config.loopguard.keys[0]!.secret]) {
    for (const encoding of ['base64', 'base64url', 'hex', 'latin1'] as const) {
      assert.ok(!lines[1]!.includes(secret.toString(encoding).slice(0, 20)), encoding);
    }
  }
});

const programOf = (statements: string): readonly string[] => {
  const module = JSON.stringify(new URL('./log.ts', import.meta.url).href);
  const script = `import { createLog } from ${module}; const log = createLog({ level: 'info' }); ${statements}`;
  return ['--import', 'tsx', '--input-type=module', '--eval', script];
};

/** Runs statements with a `log` on the real standard output. */
function run(statements: string, stdout: 'pipe' | number = 'pipe') {
  return spawnSync(process.execPath, programOf(statements), {
    stdio: ['ignore', stdout, 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1048576,
    timeout: 60_000,
  });
}

test('no line is lost when the process ends the hard way, once its turn of the event loop is over', () => {
  const laterOn = (end: string): string => `setImmediate(() => { ${end} })`;
  const kill = "process.kill(process.pid, 'SIGKILL')";
  const ends = ['process.exit(3)', 'throw new Error()', laterOn('process.abort()'), laterOn(kill)];
  for (const end of [...ends, `log.error('last', { i: 1999 }); ${kill}`]) {
    const count = end.startsWith('log.') ? 1999 : 2000;
    const { stdout } = run(
      `for (let i = 0; i < ${count}; i++) log.info('line', { i, fill: 'x'.repeat(100) }); ${end};`,
    );
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 2000, end);
    assert.equal((JSON.parse(lines.at(-1)!) as { i: number }).i, 1999);
  }
});

test('logs of one process share one output: their lines keep their order, and a log for each reload leaves nothing', () => {
  const { stdout, stderr } = run(
    `const before = process.listenerCount('exit');
     for (let i = 0; i < 30; i++) createLog({ level: 'info' }).info('line', { i });
     log.info('last', { i: 30 });
     process.stderr.write(String(process.listenerCount('exit') - before));`,
  );
  assert.equal(stderr, '0');
  const order = stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { i: number }).i);
  assert.deepEqual(order, [...Array(31).keys()]);
});

test('a reader of the log that has stopped stops nothing; when it reads on, it gets whole lines', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'detach-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const fifo = join(directory, 'log');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  // Open for reading too, so that the pipe has a reader, which does not read.
  const pipe = openSync(fifo, 'r+');
  t.after(() => closeSync(pipe));
  const child = spawn(
    process.execPath,
    programOf(`for (let i = 0; i < 4000; i++) log.info('line', { i, fill: 'x'.repeat(100) });
      process.stderr.write('alive'); process.on('SIGTERM', () => process.exit(3)); setInterval(() => undefined, 1000);`),
    { stdio: ['ignore', pipe, 'pipe'] },
  );
  t.after(() => child.kill('SIGKILL'));
  await once(child.stderr!, 'data', { signal: AbortSignal.timeout(60_000) });
  const reader = createReadStream(fifo);
  const lines: string[] = [];
  for await (const line of createInterface(reader)) if (lines.push(line) === 4000) break;
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { i: number }).i),
    [...Array(4000).keys()],
  );
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [3, null]);
});

test('a slow reader of the log gets every line, also of a process that ends at once', () => {
  const statements = "for (let i = 0; i < 4000; i++) log.info('line', { i, fill: 'x'.repeat(100) }); process.exit(0)";
  const slowly = '"$@" | (sleep 0.3; cat)';
  const { stdout } = spawnSync('sh', ['-c', slowly, 'sh', process.execPath, ...programOf(statements)], {
    encoding: 'utf8',
    maxBuffer: 64 * 1048576,
  });
  assert.equal(stdout.trimEnd().split('\n').length, 4000);
});

test('a full disk under the log does not stop the process, nor fill its memory', (t) => {
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const { status, stderr } = run(
    `for (let i = 0; i < 20000; i++) log.info('line', { i, fill: 'x'.repeat(4000) });
     const { arrayBuffers, heapUsed } = (globalThis.gc?.(), process.memoryUsage());
     process.stderr.write(String(arrayBuffers + heapUsed));`,
    full,
  );
  assert.equal(status, 0);
  assert.ok(Number(stderr) < 60 * 1048576, stderr);
});

test('log.format text: lines for people, with the same levels', () => {
  const lines: string[] = [];
  const log = createLog(
    { level: 'info', format: 'text' },
    { isTerminal: true, write: (line) => void lines.push(line) },
  );
  log.debug('unseen');
  log.info('ready', { inbound: '127.0.0.1:10025' });
  log.error('crash', { err: new Error('boom') });
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /^\d{4}-\d\d-\d\d [\d:.]{12} {2}info {3}ready {13}inbound=127\.0\.0\.1:10025\n$/);
  assert.match(lines[1]!, /error {2}crash .*"message":"boom"/);
});
