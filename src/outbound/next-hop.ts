import type { Config } from '../config/config.ts';
import { LocalPlaces, type Places } from '../limits/places.ts';
import type { Log, Meter } from '../observe/interface.ts';
import { Failure } from '../smtp/failures.ts';
import { isPositive } from '../smtp/reply.ts';
import { ClientTurns } from './client-turns.ts';
import type { Extensions, NextHop, Session } from './interface.ts';
import { Opener } from './opener.ts';
import { type AcquireOptions, Pool } from './pool.ts';
import { ChannelSession } from './session.ts';
import { defaultTimeouts, type Timeouts } from './timeouts.ts';
import { readTlsFiles } from './tls-files.ts';

export interface NextHopOptions {
  readonly outbound: Config['outbound'];
  /** Our name in EHLO. */
  readonly hostname: string;
  readonly log: Log;
  readonly meter: Meter;
  /** Whether what a next hop offers says that it is this relay, or another replica of it. */
  readonly isMirror: (extensions: Extensions) => boolean;
  /** Whether this is an address that we listen on ourselves. */
  readonly isOwnListener: (remoteAddress: string, remotePort: number) => boolean;
  /** Where `outbound.maxConnections` is counted; in this process alone when not given. */
  readonly places?: Places;
  /** This process's part of `outbound.maxConnections`, of which no client may use all; all of them when not given. */
  readonly part?: number;
  /** In ms, in place of the defaults. */
  readonly timeouts?: Partial<Timeouts>;
}

/** @throws when a file of `outbound.tls` cannot be read */
export function createNextHop(options: NextHopOptions): NextHop {
  return new PooledNextHop(options);
}

/** A probe that finds all places taken knows enough: the next hop was reached. */
const probePatienceMs = 1000;

class PooledNextHop implements NextHop {
  readonly #pool: Pool;
  readonly #turns: ClientTurns;
  #lastSeen: Extensions | undefined;

  constructor(options: NextHopOptions) {
    const { outbound, meter } = options;
    const timeouts = { ...defaultTimeouts, ...options.timeouts };
    const opener = new Opener({ ...options, files: readTlsFiles(outbound.tls), timeouts });
    this.#turns = new ClientTurns({ sessions: options.part ?? outbound.maxConnections, patience: timeouts.busy });
    this.#pool = new Pool({
      open: async (signal) => {
        const channel = await opener.open(signal);
        this.#lastSeen = channel.extensions;
        return channel;
      },
      places: options.places ?? new LocalPlaces(outbound.maxConnections),
      maxConnections: outbound.maxConnections,
      maxIdle: outbound.maxIdle,
      idleTimeout: outbound.idleTimeout,
      busyTimeout: timeouts.busy,
      closeTimeout: timeouts.close,
      onCount: (open, idle) => meter.nextHopSessions(open, idle),
    });
  }

  get lastSeen(): Extensions | undefined {
    return this.#lastSeen;
  }

  async acquire({ client, ...options }: Parameters<NextHop['acquire']>[0]): Promise<Session> {
    const entering = client === undefined ? undefined : this.#turns.enter(client, options.signal);
    const endTurn = entering instanceof Promise ? await entering : entering;
    try {
      const { channel, reused } = await this.#pool.acquire(options);
      const giveBack = (): void => {
        this.#pool.giveBack(channel);
        endTurn?.();
      };
      return new ChannelSession(channel, { reused, giveBack });
    } catch (error) {
      endTurn?.();
      throw error;
    }
  }

  async probe(signal: AbortSignal): Promise<boolean> {
    // All places taken: it was reached, and a probe must not stand in the way of mail.
    if (this.#pool.full && this.#pool.idle === 0) return true;
    try {
      const first = await this.#noop({ signal, patience: probePatienceMs });
      // An idle session may have died unseen: that says nothing about the next hop.
      return first ?? (await this.#noop({ signal, fresh: true, patience: probePatienceMs })) ?? false;
    } catch (error) {
      return error instanceof Failure && error.kind === 'nextHopBusy';
    }
  }

  close(deadline?: AbortSignal): Promise<void> {
    return this.#pool.close(deadline);
  }

  /** undefined when the session was stale. */
  async #noop(options: AcquireOptions): Promise<boolean | undefined> {
    const { channel, reused } = await this.#pool.acquire(options);
    try {
      const reply = await channel.noop();
      if (reply.code === 421 && reused) return undefined;
      return isPositive(reply);
    } catch (error) {
      if (reused) return undefined;
      throw error;
    } finally {
      this.#pool.giveBack(channel);
    }
  }
}
