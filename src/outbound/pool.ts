import type { Places } from '../limits/places.ts';
import { Failure } from '../smtp/failures.ts';
import type { Channel } from './channel.ts';

export interface PoolOptions {
  readonly open: (signal: AbortSignal) => Promise<Channel>;
  /** One for each connection, from before it is opened until its socket is closed. */
  readonly places: Places;
  readonly maxConnections: number;
  readonly maxIdle: number;
  /** All times in ms. */
  readonly idleTimeout: number;
  readonly busyTimeout: number;
  readonly closeTimeout: number;
  readonly onCount: (open: number, idle: number) => void;
}

export interface Loan {
  readonly channel: Channel;
  /** It was used before: it comes from the pool or from another user. */
  readonly reused: boolean;
}

export interface AcquireOptions {
  readonly signal: AbortSignal;
  /** No idle one from the pool. */
  readonly fresh?: boolean;
  /** How long to wait while all places are taken, in ms, in place of `busyTimeout`. */
  readonly patience?: number;
}

interface Waiter {
  readonly fresh: boolean;
  /** A channel, or the permission to open one. */
  readonly serve: (channel: Channel | undefined) => void;
  readonly refuse: (failure: Failure) => void;
}

/**
 * How long, in ms, more than `maxIdle` connections may be idle. While there is mail, each is idle for a moment only,
 * and if it were closed then, the next message would need a new one.
 */
const surplusTimeout = 1000;

/**
 * The connections to the next hop. Each holds one of `maxConnections` places from before it is opened until its
 * socket is closed, so that the next hop never sees more of them than that. The one used last is used next: in quiet
 * times the others reach their time-out.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #channels = new Set<Channel>();
  /** Oldest first. */
  #idle: { readonly channel: Channel; readonly since: number }[] = [];
  #waiters: Waiter[] = [];
  #places = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #idleTimerDue = Infinity;
  #closed: { readonly promise: Promise<void>; readonly empty: () => void } | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    options.places.onWanted = (count) => this.#giveUpIdle(count);
  }

  get idle(): number {
    return this.#idle.length;
  }

  get full(): boolean {
    return this.#places >= this.#options.maxConnections;
  }

  async acquire(options: AcquireOptions): Promise<Loan> {
    const { signal, fresh = false } = options;
    if (this.#closed) throw new Failure('shuttingDown');
    if (signal.aborted) throw aborted(signal);
    const idle = fresh ? undefined : this.#idle.pop();
    if (idle) {
      this.#count();
      return { channel: idle.channel, reused: true };
    }
    const handed = await this.#wait(options);
    if (handed) return { channel: handed, reused: true };
    return { channel: await this.#open(signal), reused: false };
  }

  giveBack(channel: Channel): void {
    // Its place is free already.
    if (!channel.alive) return;
    if (channel.retired || this.#closed || this.#options.places.wanted) {
      channel.quit();
      return;
    }
    // At once, not before the next use: until then Postfix keeps a queue file and a cleanup process for it.
    if (channel.resetDue) channel.reset().catch(() => undefined);
    const next = this.#waiters.find((waiter) => !waiter.fresh);
    if (next) {
      next.serve(channel);
    } else if (this.#waiters.length > 0 || this.#options.maxIdle === 0) {
      channel.quit();
    } else {
      this.#idle.push({ channel, since: performance.now() });
      this.#armIdleTimer();
      this.#count();
    }
  }

  /** Idle connections say QUIT now, the others when they come back; after `closeTimeout`, or at `deadline`, they are cut. */
  close(deadline?: AbortSignal): Promise<void> {
    if (this.#closed) return this.#closed.promise;
    let empty = (): void => undefined;
    const promise = new Promise<void>((resolve) => (empty = resolve));
    this.#closed = { promise, empty };
    clearTimeout(this.#idleTimer);
    for (const waiter of [...this.#waiters]) waiter.refuse(new Failure('shuttingDown'));
    for (const { channel } of this.#idle) channel.quit();
    this.#idle = [];
    if (this.#places === 0) empty();
    const cut = (): void => {
      for (const channel of this.#channels) channel.dialog.destroy('the service goes down');
      empty();
    };
    const timer = setTimeout(cut, this.#options.closeTimeout);
    if (deadline?.aborted) cut();
    deadline?.addEventListener('abort', cut);
    return promise.finally(() => {
      clearTimeout(timer);
      deadline?.removeEventListener('abort', cut);
    });
  }

  async #open(signal: AbortSignal): Promise<Channel> {
    this.#count();
    let channel: Channel;
    try {
      channel = await this.#options.open(signal);
    } catch (error) {
      this.#freePlace();
      throw error;
    }
    this.#channels.add(channel);
    channel.dialog.onDead(() => {
      this.#channels.delete(channel);
      this.#idle = this.#idle.filter((entry) => entry.channel !== channel);
      this.#freePlace();
    });
    if (this.#closed) {
      channel.quit();
      throw new Failure('shuttingDown');
    }
    return channel;
  }

  #freePlace(): void {
    this.#places--;
    this.#options.places.free();
    this.#count();
    if (this.#places === 0) this.#closed?.empty();
  }

  /** Others wait for places while these are not used. */
  #giveUpIdle(count: number): void {
    for (const { channel } of this.#idle.splice(0, count)) channel.quit();
    this.#count();
  }

  #wait({ signal, fresh = false, patience = this.#options.busyTimeout }: AcquireOptions): Promise<Channel | undefined> {
    return new Promise((resolve, reject) => {
      let withdraw = (): void => undefined;
      const leave = (): void => {
        withdraw();
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
      };
      const waiter: Waiter = {
        fresh,
        serve: (channel) => {
          leave();
          resolve(channel);
        },
        refuse: (failure) => {
          leave();
          reject(failure);
        },
      };
      const onAbort = (): void => waiter.refuse(aborted(signal));
      const timer = setTimeout(() => {
        waiter.refuse(new Failure('nextHopBusy', { reason: 'all sessions to the next hop are in use' }));
      }, patience);
      signal.addEventListener('abort', onAbort);
      this.#waiters.push(waiter);
      withdraw = this.#options.places.request(() => {
        this.#places++;
        waiter.serve(undefined);
      });
      // A stale session is better closed than kept in the place of the new one.
      if (fresh && this.#waiters.includes(waiter)) this.#idle.shift()?.channel.quit();
    });
  }

  /** When the oldest idle connection has been idle long enough. */
  #due(): number | undefined {
    const oldest = this.#idle[0];
    if (!oldest) return undefined;
    const { idleTimeout, maxIdle } = this.#options;
    return oldest.since + (this.#idle.length > maxIdle ? Math.min(surplusTimeout, idleTimeout) : idleTimeout);
  }

  #armIdleTimer(): void {
    const due = this.#due();
    if (due === undefined || due >= this.#idleTimerDue) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimerDue = due;
    this.#idleTimer = setTimeout(() => this.#sweep(), Math.max(due - performance.now(), 1));
    this.#idleTimer.unref();
  }

  #sweep(): void {
    this.#idleTimerDue = Infinity;
    for (let due = this.#due(); due !== undefined && due <= performance.now(); due = this.#due()) {
      this.#idle.shift()?.channel.quit();
    }
    this.#armIdleTimer();
    this.#count();
  }

  #count(): void {
    this.#options.onCount(this.#places, this.#idle.length);
  }
}

function aborted(signal: AbortSignal): Failure {
  const { reason } = signal as { readonly reason: unknown };
  if (reason instanceof Failure) return reason;
  return new Failure('clientGone', { reason: 'given up while waiting for a session with the next hop', cause: reason });
}
