/**
 * What the processes of the service have in common: each waits for its orders, serves, and ends when it is told to, or
 * when the supervisor is gone.
 */
import type { Config } from '../config/config.ts';
import type { Log } from '../observe/interface.ts';
import { createLog } from '../observe/log.ts';
import { SummedLog } from '../observe/summed-log.ts';
import type { Registry } from 'prom-client';
import type { Figures, ListenAddress, StartOrder, StopOrder, ToSupervisor } from './messages.ts';
import { SupervisorLink } from './supervisor-link.ts';

/** sysexits.h: something could not be opened; a bug; the configuration is wrong. */
const exUnavailable = 69;
const exSoftware = 70;
const exConfig = 78;

/** The supervisor keeps the last figures, in case this process is lost. */
const tellFiguresMs = 5000;

export interface Opening {
  readonly config: Config;
  readonly log: Log;
  readonly supervisor: SupervisorLink;
  readonly listener: ListenAddress;
  /** What `Server.listen` takes: a duplicate of the supervisor's socket. */
  readonly handle: object;
  /** Aborted when the start is given up. */
  readonly signal: AbortSignal;
}

/** How a process closes. */
export interface Closing {
  /** Aborted: idle clients are sent away at once, not only after they have been idle for a while. */
  readonly hurry: AbortSignal;
  /** Aborted: what is still under way is cut. */
  readonly deadline: AbortSignal;
}

/** A process that serves. */
export interface Serving {
  readonly registry: Registry;
  /** Names of what did not answer at the start. */
  readonly notReady: readonly string[];
  /** Names of what mail needs and cannot be reached now. */
  probe(signal: AbortSignal): Promise<readonly string[]>;
  close(closing: Closing): Promise<void>;
}

type Open = (opening: Opening) => Promise<Serving>;

/** Runs until the supervisor says stop, or is gone. Ends the process. */
export async function runProcess(open: Open): Promise<void> {
  // A service manager or a terminal signals every process of the group; the supervisor decides for all.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // The supervisor was killed. Whatever is under way, the sending Postfix still has; a new service wants the ports.
  process.on('disconnect', () => process.exit(exUnavailable));
  // Listens for all kinds of orders before any of them is handled. Node keeps the messages that came before the first
  // listener and then hands over all of them at once: an order to stop that nobody listens for yet would be lost.
  const supervisor = new SupervisorLink();
  const stop = new Stop(supervisor);
  const { order, handle } = await firstOrder(supervisor);
  const log = new SummedLog(createLog(order.config.log));
  process.on('uncaughtException', (error) => {
    log.close();
    log.error('crash', { err: error });
    process.exit(exSoftware);
  });
  const opening = { config: order.config, log, supervisor, listener: order.listener, handle, signal: stop.asked };
  let serving: Serving;
  try {
    serving = await open(opening);
  } catch (error) {
    await supervisor.flush(failure(error));
    process.exit(error instanceof Error && error.name === 'TemplateError' ? exConfig : exUnavailable);
  }
  answer(supervisor, serving);
  await stop.order;
  await serving.close(stop);
  log.close();
  await supervisor.flush({ kind: 'figures', id: undefined, figures: await figuresOf(serving) });
  process.exit(0);
}

/** Answers what the supervisor asks, and says that this process is ready. */
function answer(supervisor: SupervisorLink, serving: Serving): void {
  supervisor.on('figures', ({ id }) => {
    void figuresOf(serving).then((figures) => supervisor.send({ kind: 'figures', id, figures }));
  });
  supervisor.on('probe', ({ id }) => {
    void serving
      .probe(AbortSignal.timeout(probeMs))
      .then((missing) => supervisor.send({ kind: 'probed', id, missing }));
  });
  setInterval(() => {
    void figuresOf(serving).then((figures) => supervisor.send({ kind: 'figures', id: undefined, figures }));
  }, tellFiguresMs).unref();
  supervisor.send({ kind: 'ready', notReady: serving.notReady });
}

const probeMs = 4000;

const figuresOf = async ({ registry }: Serving): Promise<Figures> => await registry.getMetricsAsJSON();

function failure(error: unknown): ToSupervisor {
  const { name, message, code }: Error & { readonly code?: unknown } =
    error instanceof Error ? error : new Error(String(error));
  const failed = { name, message, ...(typeof code === 'string' ? { code } : {}) };
  const status = name === 'TemplateError' ? exConfig : exUnavailable;
  return { kind: 'failed', status, error: failed };
}

function firstOrder(supervisor: SupervisorLink): Promise<{ readonly order: StartOrder; readonly handle: object }> {
  return new Promise((resolve) => {
    supervisor.on('start', (order, handle) => resolve({ order, handle: handle as object }));
  });
}

/** The order to stop. A second one can only make it faster. */
class Stop implements Closing {
  readonly #asked = new AbortController();
  readonly #hurry = new AbortController();
  readonly #deadline = new AbortController();
  readonly order: Promise<void>;

  constructor(supervisor: SupervisorLink) {
    this.order = new Promise((resolve) => {
      supervisor.on('stop', (order) => {
        this.#obey(order);
        resolve();
      });
    });
  }

  get asked(): AbortSignal {
    return this.#asked.signal;
  }

  get hurry(): AbortSignal {
    return this.#hurry.signal;
  }

  get deadline(): AbortSignal {
    return this.#deadline.signal;
  }

  #obey({ withinMs, gently }: StopOrder): void {
    this.#asked.abort();
    setTimeout(() => this.#deadline.abort(), withinMs);
    if (!gently) this.#hurry.abort();
  }
}
