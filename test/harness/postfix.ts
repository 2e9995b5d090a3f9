import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  copyConfiguration,
  makeCold,
  makeQueueDirectories,
  placeListeners,
  type PostfixSettings,
  writeSettings,
} from './postfix-home.ts';
import { privateDirectory, removeDirectory } from './private-directory.ts';
import { isAlive, run, runDaemon, terminate } from './process.ts';
import { waitFor } from './wait.ts';

export interface PostfixOptions {
  /** A configuration of this repository, used as it is: `postfix-a`, `postfix-b`, `postfix-a/single-postfix`, … */
  readonly dir: string;
  /** On top of the main.cf of `dir`. `$config_directory` is the private copy. */
  readonly settings?: PostfixSettings;
  /** Lookup tables and other files written beside main.cf, over those of `dir`: name and content. */
  readonly files?: Readonly<Record<string, string>>;
  /** Ports of master.cf's listeners by the name they have there (`smtp`, `127.0.0.1:10026`); the others get free ones. */
  readonly ports?: Readonly<Record<string, number>>;
  /** Address to listen on; 127.0.0.1. */
  readonly host?: string;
  /** Last changes to the text of master.cf, after the ports were set. */
  readonly master?: (text: string) => string;
  /** Where the instance lives; a private temporary directory if not given. Kept on stop when given. */
  readonly home?: string;
}

/** One message in the queue, as `postqueue -j` tells. */
export interface QueuedMessage {
  readonly queue_name: string;
  readonly queue_id: string;
  readonly arrival_time: number;
  readonly message_size: number;
  readonly sender: string;
  readonly recipients: readonly { readonly address: string; readonly delay_reason?: string }[];
}

/** `postqueue` is a process each time. */
const queuePollMs = 150;

/** A separate Postfix: configuration, queue and log in a private directory, listeners on loopback. */
export class PostfixInstance {
  readonly home: string;
  readonly config: string;
  /** Of the first listener in master.cf. */
  readonly port: number;
  /** By the name the listener has in the master.cf of the repository. */
  readonly ports: ReadonlyMap<string, number>;
  readonly #keep: boolean;

  constructor(home: string, ports: ReadonlyMap<string, number>, keep: boolean) {
    this.home = home;
    this.config = join(home, 'etc');
    this.ports = ports;
    this.port = [...ports.values()][0] ?? 0;
    this.#keep = keep;
  }

  get logFile(): string {
    return join(this.home, 'log');
  }

  /** Everything logged so far. */
  log(): string {
    return readFileSync(this.logFile, { encoding: 'utf8', flag: 'a+' });
  }

  /** Waits for a log line, and returns the match. `since` is a length of `log()` to search from. */
  waitForLog(
    pattern: RegExp,
    { bound, since = 0 }: { readonly bound?: number; readonly since?: number } = {},
  ): Promise<RegExpExecArray> {
    return waitFor(() => pattern.exec(this.log().slice(since)) ?? undefined, {
      what: `${String(pattern)} in the log of ${this.home}`,
      ...(bound === undefined ? {} : { bound }),
      every: 25,
      detail: () => this.log().slice(-4000),
    });
  }

  async queue(): Promise<QueuedMessage[]> {
    const lines = (await run('postqueue', ['-c', this.config, '-j'])).split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as QueuedMessage);
  }

  waitForQueue(condition: (queue: readonly QueuedMessage[]) => boolean, what: string): Promise<QueuedMessage[]> {
    return waitFor(
      async () => {
        const queue = await this.queue();
        return condition(queue) && queue;
      },
      { what: `the queue of ${this.home}: ${what}`, every: queuePollMs, detail: () => this.log().slice(-4000) },
    );
  }

  /** Waits until nothing is queued any more, deferred mail included. */
  async waitForEmptyQueue(): Promise<void> {
    await this.waitForQueue((queue) => queue.length === 0, 'empty');
  }

  /** Tries everything deferred again now. */
  async flush(): Promise<void> {
    await run('postqueue', ['-c', this.config, '-f']);
  }

  /**
   * Tries everything again once a second until nothing is queued: an attempt may meet a filter that is still starting.
   */
  async deliverAll(): Promise<void> {
    await waitFor(
      async () => {
        if ((await this.queue()).length === 0) return true;
        await this.flush();
        await pause(1000);
        return false;
      },
      { what: `the queue of ${this.home} to be delivered`, detail: () => this.log().slice(-4000) },
    );
  }

  /** Passes a message to the local sendmail command, as a program on this host would. */
  async sendmail(args: readonly string[], message: string | Buffer): Promise<void> {
    await run('sendmail', ['-C', this.config, ...args], { input: message });
  }

  /** Changes main.cf and reloads it. */
  async postconf(settings: PostfixSettings): Promise<void> {
    await writeSettings(this.config, settings);
    await this.reload();
  }

  /** Writes a table or another file of the configuration; `reload` takes a changed table into use. */
  write(file: string, content: string): void {
    writeFileSync(join(this.config, file), content);
    makeCold(join(this.config, file));
  }

  async reload(): Promise<void> {
    const since = this.log().length;
    const pid = this.#masterPid();
    if (pid === undefined) throw new Error(`reload: ${this.home} is not running`);
    process.kill(pid, 'SIGHUP');
    await this.waitForLog(/master\[\d+\]: reload -- version/, { since });
  }

  async start(): Promise<void> {
    // What `postfix start` does after its checks; returns when the listeners are open.
    const master = join((await run('postconf', ['-c', this.config, '-h', 'daemon_directory'])).trim(), 'master');
    await runDaemon(master, ['-c', this.config, '-w'], join(this.home, 'start'));
  }

  /** Of master, which leads the process group of all the others; undefined when it does not run. */
  get pid(): number | undefined {
    const pid = this.#masterPid();
    return pid !== undefined && isAlive(pid) ? pid : undefined;
  }

  /** Ends all processes; the queue stays, and `start` takes it up again. */
  async halt(): Promise<void> {
    // Not `postfix stop`: it checks only once a second, and only for master, not for its children, which hold the
    // ports.
    const pid = this.#masterPid();
    if (pid !== undefined) await terminate(-pid);
  }

  async stop(): Promise<void> {
    await this.halt();
    if (!this.#keep) removeDirectory(this.home);
  }

  #masterPid(): number | undefined {
    try {
      const pid = Number(readFileSync(join(this.home, 'queue/pid/master.pid'), 'utf8'));
      return pid > 1 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.config) ? pid : undefined;
    } catch {
      return undefined;
    }
  }
}

export async function startPostfix(options: PostfixOptions): Promise<PostfixInstance> {
  const home = options.home ?? privateDirectory('postfix');
  const config = join(home, 'etc');
  mkdirSync(config, { recursive: true });
  makeQueueDirectories(home);
  copyConfiguration(options.dir, config);
  for (const [name, content] of Object.entries(options.files ?? {})) writeFileSync(join(config, name), content);

  const { host = '127.0.0.1' } = options;
  const { text, ports } = await placeListeners(readFileSync(join(config, 'master.cf'), 'utf8'), {
    host,
    wanted: options.ports ?? {},
  });
  writeFileSync(join(config, 'master.cf'), options.master ? options.master(text) : text);
  for (const name of readdirSync(config)) makeCold(join(config, name));
  await writeSettings(config, {
    queue_directory: join(home, 'queue'),
    data_directory: join(home, 'data'),
    maillog_file: join(home, 'log'),
    maillog_file_prefixes: home,
    inet_interfaces: host,
    inet_protocols: 'ipv4',
    ...options.settings,
  });
  const instance = new PostfixInstance(home, ports, options.home !== undefined);
  try {
    await instance.start();
  } catch (error) {
    throw new Error(`Postfix from ${options.dir} did not start: ${String(error)}\n${instance.log()}`, { cause: error });
  }
  return instance;
}
