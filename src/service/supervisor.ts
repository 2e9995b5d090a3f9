/**
 * The first process of the service. It starts the others, replaces what is lost, reloads and stops, and answers those
 * who watch; it touches neither mail nor requests.
 */
import type { Registry } from 'prom-client';
import type { Config } from '../config/config.ts';
import type { Log } from '../observe/interface.ts';
import { SummedFigures } from './figures.ts';
import { Generation, type GenerationOptions, type Sockets } from './generation.ts';
import { HealthDoor } from './health-door.ts';
import { Ledger } from './ledger.ts';
import { limitsOf } from './limits-of.ts';
import { describeAddress, Listeners, named } from './listeners.ts';
import type { Role } from './messages.ts';
import { askAll } from './questions.ts';
import { ServiceProcess, type SharedMessage } from './service-process.ts';

/** Everything has ended within 60 s of SIGTERM: after this what is under way is cut, and 5 s later killed. */
const stopWithinMs = 50_000;

/** The final dot may take 10 minutes (RFC 5321 section 4.5.3.2.6): an old generation stays for that long. */
const retireWithinMs = 600_000;

/**
 * How many old generations may finish what they have under way beside the current one. When there are more, the oldest
 * is stopped.
 */
const maxOld = 2;

export interface SupervisorOptions {
  readonly config: Config;
  /** The supervisor's own figures, without any mail. */
  readonly registry: Registry;
}

export class Supervisor {
  readonly #listeners = new Listeners();
  readonly #processes = new Set<ServiceProcess>();
  readonly #generations: Generation[] = [];
  readonly #ledger: Ledger;
  readonly #figures: SummedFigures;
  readonly #health: HealthDoor;
  readonly #stopping = new AbortController();
  #current: Generation | undefined;

  constructor({ config, registry }: SupervisorOptions) {
    this.#ledger = new Ledger(limitsOf(config));
    this.#figures = new SummedFigures(registry, () => [...this.#processes]);
    this.#health = new HealthDoor(this.#figures, () => this.#current?.processes ?? []);
  }

  /**
   * Starts a generation with this configuration, and retires the one before. When that fails, the one before goes on.
   * @returns the fields of the log line. @throws StartError, or what a socket cannot be opened for
   */
  async serve(config: Config, log: Log): Promise<Readonly<Record<string, unknown>>> {
    const before = this.#current;
    let generation: Generation | undefined;
    try {
      const sockets = await this.#open(config);
      generation = this.#add({ config, sockets, log });
      const notReady = await generation.start();
      this.#stopping.signal.throwIfAborted();
      this.#ledger.limitOf = limitsOf(config);
      this.#current = generation;
      this.#retire(before);
      return {
        inbound: describeAddress(sockets.inbound),
        links: describeAddress(sockets.links),
        metrics: this.#health.address,
        workers: config.workers,
        ...(notReady.length > 0 ? { notReady } : {}),
      };
    } catch (error) {
      // Only the new one: older ones may still finish mail from before the reload that went well.
      generation?.stop({ withinMs: 0, gently: false });
      throw error;
    } finally {
      this.#listeners.keep(this.#current ? Object.values(this.#current.sockets) : []);
      await this.#health.keep(this.#current?.config.metrics);
    }
  }

  /** Ends everything, within a minute. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#current = undefined;
    this.#listeners.keep([]);
    for (const generation of this.#generations) generation.stop({ withinMs: stopWithinMs, gently: false });
    await Promise.all(this.#generations.map(({ ended }) => ended));
    await this.#health.keep(undefined);
  }

  async #open({ inbound, links, metrics }: Config): Promise<Sockets> {
    const { signal } = this.#stopping;
    await this.#health.open(metrics).catch((error: unknown) => {
      throw named(error, { ...metrics, key: 'metrics' });
    });
    return {
      inbound: await this.#listeners.open({ ...inbound, key: 'inbound' }, signal),
      links: await this.#listeners.open({ ...links, key: 'links' }, signal),
    };
  }

  #add(options: Omit<GenerationOptions, 'spawn'>): Generation {
    this.#stopping.signal.throwIfAborted();
    const generation = new Generation({ ...options, spawn: this.#spawn });
    this.#generations.push(generation);
    void generation.ended.then(() => this.#generations.splice(this.#generations.indexOf(generation), 1));
    return generation;
  }

  #retire(generation: Generation | undefined): void {
    generation?.stop({ withinMs: retireWithinMs, gently: true });
    const old = this.#generations.filter((each) => each !== this.#current);
    for (const each of old.slice(0, Math.max(0, old.length - maxOld))) each.stop({ withinMs: 0, gently: false });
  }

  readonly #spawn = (role: Role, { config, sockets }: Pick<Generation, 'config' | 'sockets'>): ServiceProcess => {
    const listening = role === 'mail' ? sockets.inbound : sockets.links;
    const options = { role, name: this.#nameFor(role), config, listening, onMessage: this.#receive };
    const process = new ServiceProcess(options);
    this.#processes.add(process);
    if (role === 'mail') this.#ledger.join(process);
    void process.ended.then(() => {
      this.#ledger.leave(process);
      return this.#figures.keep(process.lastFigures, () => this.#processes.delete(process));
    });
    return process;
  };

  /** The lowest number that no living process has: the names label figures, and must stay few. */
  #nameFor(role: Role): string {
    const taken = new Set([...this.#processes].map(({ name }) => name));
    for (let i = 1; ; i += 1) {
      const name = `${role}-${i}`;
      if (!taken.has(name)) return name;
    }
  }

  readonly #receive = (message: SharedMessage, from: ServiceProcess): void => {
    switch (message.kind) {
      case 'ask': {
        const { id, question } = message;
        const others = [...this.#processes].filter((each) => each !== from && each.role === 'mail');
        void askAll(question, others).then((answer) => from.send({ kind: 'answer', id, answer }));
        return;
      }
      case 'lease':
      case 'withdraw':
      case 'unlease':
      case 'recalled':
        this.#ledger.receive(from, message);
        return;
      default:
        message satisfies never;
    }
  };
}
