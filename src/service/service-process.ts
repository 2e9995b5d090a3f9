/** One process of the service, as the supervisor sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { programExtension, programFolder } from '../runtime/program-folder.ts';
import type { Listening } from './listeners.ts';
import type { Figures, Question, Role, StopOrder, ToProcess, ToSupervisor } from './messages.ts';
import { nodeFlags } from './node-flags.ts';
import { Requests } from './requests.ts';
import { managerVariables } from './service-manager.ts';
import { StartError } from './start-error.ts';

export interface ProcessOptions {
  readonly role: Role;
  /** `links`, `mail-1`: for logs and figures. */
  readonly name: string;
  readonly config: Config;
  readonly listening: Listening;
  /** What concerns more than this process. */
  readonly onMessage: (message: SharedMessage, from: ServiceProcess) => void;
}

export type SharedMessage = Extract<
  ToSupervisor,
  { readonly kind: 'ask' | 'lease' | 'withdraw' | 'unlease' | 'recalled' }
>;

export interface End {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** As in sysexits.h: the system has no process for us. */
const exOserr = 71;

const figuresMs = 1000;
const probeMs = 4500;

export class ServiceProcess {
  readonly role: Role;
  readonly name: string;
  /** Settles when the process has ended. */
  readonly ended: Promise<End>;
  /** Resolves when it serves, with the names of what it could not reach. Rejects with a StartError when it ends before. */
  readonly started: Promise<readonly string[]>;
  readonly #child: ChildProcess;
  readonly #onMessage: ProcessOptions['onMessage'];
  readonly #figures = new Requests<Figures>();
  readonly #probes = new Requests<readonly string[]>();
  readonly #questions = new Requests<boolean>();
  #lastFigures: Figures = [];
  #heard = 0;
  #state: 'starting' | 'serving' | 'stopping' | 'ended' = 'starting';
  #failed: StartError | undefined;
  #begun: (notReady: readonly string[]) => void = () => undefined;

  constructor({ role, name, config, listening, onMessage }: ProcessOptions) {
    this.role = role;
    this.name = name;
    this.#onMessage = onMessage;
    this.#child = fork(entryOf(role), [], {
      execArgv: [...process.execArgv, ...nodeFlags(role, config.workers)],
      env: withoutConfiguration(process.env),
      serialization: 'advanced',
    });
    this.#child.on('message', (message) => this.#receive(message as ToSupervisor));
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (status, signal) => this.#end({ status, signal }, resolve));
      this.#child.on('error', ({ name: kind, message }) => {
        // The end of a running process is told by `exit`. A process that could not be started has no `exit`.
        if (this.#child.pid !== undefined) return;
        this.#failed = new StartError({ name: kind, message }, exOserr);
        this.#end({ status: null, signal: null }, resolve);
      });
    });
    this.started = new Promise((resolve, reject) => {
      this.#begun = resolve;
      void this.ended.then((end) => reject(this.#failed ?? StartError.ended(name, end)));
    });
    this.started.catch(() => undefined);
    const { address, port, handle } = listening;
    this.#send({ kind: 'start', role, config, listener: { address, port } }, handle);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** It serves, and nobody has told it to stop. */
  get serving(): boolean {
    return this.#state === 'serving';
  }

  /** How many messages have come from it. */
  get heard(): number {
    return this.#heard;
  }

  /** As last known: the counters of a process that has ended. */
  get lastFigures(): Figures {
    return this.#lastFigures;
  }

  send(message: ToProcess): void {
    this.#send(message);
  }

  async figures(): Promise<Figures> {
    if (this.#state !== 'starting' && this.#state !== 'ended')
      await this.#figures.ask((id) => this.#send({ kind: 'figures', id }), figuresMs);
    return this.#lastFigures;
  }

  /** Names of what it cannot reach; undefined when it does not answer. */
  probe(): Promise<readonly string[] | undefined> {
    return this.#probes.ask((id) => this.#send({ kind: 'probe', id }), probeMs);
  }

  question(question: Question, timeoutMs: number): Promise<boolean | undefined> {
    return this.#questions.ask((id) => this.#send({ kind: 'question', id, question }), timeoutMs);
  }

  stop(order: Omit<StopOrder, 'kind'>): void {
    if (this.#state === 'ended') return;
    this.#state = 'stopping';
    this.#send({ kind: 'stop', ...order });
  }

  /** Also ends a process that is stopped by SIGSTOP. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(message: ToSupervisor): void {
    this.#heard += 1;
    switch (message.kind) {
      case 'ready':
        if (this.#state === 'starting') this.#state = 'serving';
        this.#begun(message.notReady);
        return;
      case 'failed':
        this.#failed = new StartError(message.error, message.status);
        return;
      case 'figures':
        this.#lastFigures = message.figures;
        if (message.id !== undefined) this.#figures.answer(message.id, message.figures);
        return;
      case 'probed':
        this.#probes.answer(message.id, message.missing);
        return;
      case 'answer':
        this.#questions.answer(message.id, message.answer);
        return;
      case 'ask':
      case 'lease':
      case 'withdraw':
      case 'unlease':
      case 'recalled':
        this.#onMessage(message, this);
        return;
      default:
        message satisfies never;
    }
  }

  #send(message: ToProcess, handle?: object): void {
    if (!this.#child.connected) return;
    // Fails when the process ends meanwhile, which is noticed by `exit`.
    this.#child.send(message, handle as Parameters<ChildProcess['send']>[1], () => undefined);
  }

  #end(end: End, resolve: (end: End) => void): void {
    this.#state = 'ended';
    for (const requests of [this.#figures, this.#probes, this.#questions]) requests.giveUp();
    resolve(end);
  }
}

/** The program of a process. */
const entryOf = (role: Role): string =>
  join(programFolder, 'service', `${role === 'mail' ? 'mail' : 'link'}-process${programExtension}`);

/** The configuration goes over the channel: secrets that came in variables are not passed on. Only we speak to systemd. */
function withoutConfiguration(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('DETACH_') && !managerVariables.includes(name)),
  );
}
