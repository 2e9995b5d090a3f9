/**
 * Several processes behind one address, for machines with several processors. The process above them holds the
 * listening sockets and hands each connection to the next worker in turn; it sees no mail. Nothing is shared: a message
 * lives and dies with the worker that has its connection, and the sending Postfix tries again.
 */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { AggregatorRegistry } from 'prom-client';
import type { Config } from '../config/config.ts';
import type { Log } from '../observe/interface.ts';
import { createMeter } from '../observe/meter.ts';
import { createServices, openDoors, openHealth, prepareStorage, readyFields, type Doors } from './services.ts';

type Addresses = Pick<Doors, 'inbound' | 'links'>;

/** What goes between the processes: these two, and the figures, which have no `kind`. */
type Ready = { readonly kind: 'ready' } & Addresses;
const STOP = { kind: 'stop' } as const;

/**
 * Node's own code on large pages, where the system has them: it saves a tenth of the time for small mail, which spends
 * much of it waiting for code. 10 MB of memory for each process.
 */
const LARGE_PAGES = '--use-largepages=silent';

/** A worker that ends at its start would do so again at once. */
const REPLACE_AFTER_MS = 1000;

/** A worker ended before it was ready; it has told the log why. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
  /** As in sysexits.h; undefined when a signal ended it. */
  readonly status: number | undefined;

  constructor(status: number | null, signal: string | null) {
    super(`a worker ended at its start (${status ?? signal ?? 'unknown'})`);
    this.status = status ?? undefined;
  }
}

/** @returns what stops them all. @throws WorkerError, or what the health server cannot be opened for */
export async function startWorkers(config: Config, log: Log): Promise<() => Promise<void>> {
  const rooms = createServices(config, log, createMeter(config.loopguard.cluster).meter);
  const workers = new Workers(log);
  const sums = new AggregatorRegistry();
  const figures = { contentType: sums.contentType, metrics: () => sums.clusterMetrics() };
  const health = await openHealth(rooms, figures, [
    { name: 'workers', check: () => Promise.resolve(workers.ready > 0) },
  ]);
  const stop = async (): Promise<void> => {
    await workers.stop();
    await Promise.all([rooms.nextHop.close(), health.close()]);
  };
  try {
    const addresses = await workers.start(config.workers);
    rooms.listeners.push(addresses.inbound);
    void prepareStorage(rooms);
    log.info('ready', { ...readyFields(addresses, health), workers: config.workers });
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** In a worker: serves until the process above says stop, or is gone. */
export async function serveAsWorker(config: Config, log: Log): Promise<void> {
  // A service manager signals every process of the group; the one above decides for all.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined);
  const { meter, registry } = createMeter(config.loopguard.cluster);
  AggregatorRegistry.setRegistries(registry);
  // Made for its listener: it answers the process above, which asks for our figures.
  new AggregatorRegistry();
  const stopping = told(STOP.kind);
  try {
    const doors = await openDoors(createServices(shareOf(config), log, meter));
    process.send?.({ kind: 'ready', inbound: doors.inbound, links: doors.links } satisfies Ready);
    await stopping;
    await doors.close();
  } finally {
    // What listens for messages keeps the process alive.
    cluster.worker?.disconnect();
  }
}

class Workers {
  readonly #log: Log;
  readonly #ready = new Set<Worker>();
  #stopping = false;

  constructor(log: Log) {
    this.#log = log;
  }

  get ready(): number {
    return this.#ready.size;
  }

  /** @throws WorkerError */
  async start(count: number): Promise<Addresses> {
    cluster.setupPrimary({ execArgv: [...process.execArgv, LARGE_PAGES] });
    const [first] = await Promise.all(Array.from({ length: count }, () => this.#startOne()));
    if (!first) throw new RangeError('no workers');
    return first;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const running = Object.values(cluster.workers ?? {}).filter(
      (worker): worker is Worker => worker?.isDead() === false,
    );
    await Promise.all(
      running.map(async (worker) => {
        const ended = once(worker, 'exit');
        if (worker.isConnected()) worker.send(STOP);
        await ended;
      }),
    );
  }

  #startOne(): Promise<Addresses> {
    const worker = cluster.fork();
    return new Promise((resolve, reject) => {
      worker.on('message', (message: Ready | { readonly kind?: undefined }) => {
        if (message.kind !== 'ready') return;
        this.#ready.add(worker);
        resolve(message);
      });
      worker.once('exit', (status: number | null, signal: string | null) => {
        if (this.#ready.delete(worker)) this.#replace(worker, { status, signal });
        reject(new WorkerError(status, signal));
      });
    });
  }

  #replace(worker: Worker, end: { readonly status: number | null; readonly signal: string | null }): void {
    if (this.#stopping) return;
    this.#log.error('worker-lost', { pid: worker.process.pid, ...end });
    setTimeout(() => {
      if (this.#stopping) return;
      this.#startOne().catch((error: unknown) => {
        this.#log.error('worker-not-replaced', { err: error });
        this.#replace(worker, end);
      });
    }, REPLACE_AFTER_MS);
  }
}

/** Limits that hold for the whole service, as one worker's part. */
function shareOf(config: Config): Config {
  const { workers, inbound, outbound, spool } = config;
  return {
    ...config,
    inbound: {
      ...inbound,
      maxClients: Math.ceil(inbound.maxClients / workers),
      maxClientsPerAddress: Math.ceil(inbound.maxClientsPerAddress / workers),
    },
    outbound: {
      ...outbound,
      maxConnections: Math.max(1, Math.floor(outbound.maxConnections / workers)),
      maxIdle: Math.ceil(outbound.maxIdle / workers),
    },
    spool: { ...spool, maxBytes: Math.floor(spool.maxBytes / workers) },
  };
}

function told(kind: string): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (message: { readonly kind?: string }) => {
      if (message.kind === kind) resolve();
    });
  });
}
