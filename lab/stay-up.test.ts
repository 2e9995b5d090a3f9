/** A lab that stays up: started twice, used, stopped, killed, interrupted. In a home and on ports of its own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { endOf } from '../test/harness/endings.ts';
import { randomBytes } from '../test/harness/random.ts';
import { Scenario } from '../test/harness/scenario.ts';
import { waitFor } from '../test/harness/wait.ts';
import { labPlace, repository } from './places.ts';

/** The lab as a person runs it. */
class Run {
  readonly child: ChildProcess;
  output = '';

  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, ['--import', 'tsx', join(repository, 'lab/main.ts'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
  }

  /** Waits for words. @throws Error with the output when it ends before */
  async says(words: string): Promise<void> {
    await waitFor(() => this.output.includes(words) || (endOf(this.child) !== null && 'ended'), {
      what: words,
      detail: () => this.output,
      bound: 300_000,
    });
    assert.ok(this.output.includes(words), this.output);
  }

  async end(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

async function runToEnd(...args: readonly string[]): Promise<{ status: number | null; output: string }> {
  const program = new Run(...args);
  const status = await program.end();
  return { status, output: program.output };
}

/** Processes whose command line has these words. */
function processesOf(words: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => readCommandLine(pid))
    .filter((line) => line.includes(words));
}

function readCommandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

test('a lab that stays up: started twice, used, killed, started again, stopped', async (t) => {
  const scenario = new Scenario(t);
  const home = scenario.directory('lab-home');
  const files = scenario.directory('files');
  const at = ['--home', home];
  scenario.defer(() => runToEnd('stop', ...at));

  const first = new Run('directory', ...at);
  await first.says('The lab stays up');
  const again = await runToEnd(...at);
  assert.equal(again.status, 0);
  assert.match(again.output, /running already: Detach MTA lab, files in a directory/);
  assert.match(again.output, /alice@example\.com, bob@example\.org, carol@example\.org/);

  const file = (name: string, size: number): string => {
    writeFileSync(join(files, name), randomBytes(size, name));
    return join(files, name);
  };
  const large = await runToEnd('send', file('Übersicht März.bin', 1_500_000), ...at);
  assert.match(large.output, /^ {4}link +http:\S+$/m);
  const small = await runToEnd('send', file('notiz.txt', 1000), 'carol@example.org', ...at);
  assert.match(small.output, /^ {2}notiz\.txt stayed +small: below detach\.minSize/m);
  const twice = await runToEnd('send', join(files, 'notiz.txt'), 'bob@example.org', 'Bob@Example.org', ...at);
  assert.equal(twice.output.match(/arrived at bob@example\.org/g)?.length, 1, twice.output);
  const huge = await runToEnd('send', file('huge.bin', 40_000_000), ...at);
  assert.equal(huge.status, 1);
  assert.match(huge.output, /Messages may have 52,000,000 bytes .*: message_size_limit of Postfix/);

  first.child.kill('SIGKILL');
  await first.end();
  const second = new Run(...at);
  await second.says('The lab stays up');
  const stopped = await runToEnd('stop', ...at);
  assert.match(stopped.output, /^Stopped\.$/m);
  assert.equal(await second.end(), 0, second.output);
  assert.deepEqual(processesOf(home), []);
  assert.match((await runToEnd('stop', ...at)).output, /No lab is running here/);
});

test('ports that others have are named, and nothing is started', async (t) => {
  const scenario = new Scenario(t);
  const home = scenario.directory('lab-home');
  const { ports } = await labPlace(home);
  const server = createServer().listen(ports.webmail, '127.0.0.1');
  await once(server, 'listening');
  scenario.defer(() => server.close());
  const { status, output } = await runToEnd('--home', home);
  assert.equal(status, 1);
  assert.match(output, new RegExp(`127\\.0\\.0\\.1:${ports.webmail}, wanted for webmail`));
  assert.ok(!existsSync(join(home, 'lab.json')));
  assert.deepEqual(processesOf(home), []);
});

test('Ctrl-C leaves nothing behind, whenever it comes', async () => {
  // Before the first server, between two of them, and with a letter under way.
  await Promise.all(['Detach MTA lab', 'Detach MTA  ', 'A letter with'].map(interruptAfter));
});

async function interruptAfter(words: string): Promise<void> {
  const program = new Run('directory', '--once', '--verbose');
  await program.says(words);
  program.child.kill('SIGINT');
  program.child.kill('SIGINT');
  assert.equal(await program.end(), 130, program.output);
  const trace = `detach-test-${program.child.pid}-`;
  assert.deepEqual(processesOf(trace), [], words);
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith(trace)),
    [],
  );
}
