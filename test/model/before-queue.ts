/**
 * Services, each of some processes, and Postfix listeners that hand mail to them before they queue it: any of them the
 * next hop of any other. MAIL has the XFORWARD that Postfix would send; the real `OpenCalls` decides. There are few
 * ports, so that clients and our own sessions often share one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { OpenCalls } from '../../src/loopguard/open-calls.ts';
import type { Random } from '../fuzz/random.ts';

export interface BeforeQueueNetwork {
  readonly services: readonly { readonly processes: number; readonly next: NextHop }[];
  readonly fronts: readonly Front[];
  readonly clients: readonly Client[];
}

/** A listener with `smtpd_proxy_filter`. */
export interface Front {
  readonly service: number;
  readonly takesXforward: boolean;
}

export type NextHop = { readonly to: 'queue'; readonly ms: number } | { readonly to: 'front'; readonly front: number };

export type Client =
  /** Sends some messages, one after the other, on a connection of its own. */
  | {
      readonly kind: 'smtp';
      readonly front: number;
      readonly port: number;
      readonly helo: number | undefined;
      readonly times: number;
    }
  /** A Postfix that delivers from its queue, and names an earlier client, perhaps one of our own sessions. */
  | { readonly kind: 'queue'; readonly service: number; readonly port: number; readonly ident: 'queue id' | 'mark' };

export interface Seen {
  refused: number;
  delivered: number;
  /** How often one message came to the same service at most. */
  rounds: number;
}

const hostnameOf = (service: number): string => `detach${service}.example`;

/** The listeners on the circle of a service; undefined when its mail ends in a queue. */
export function ringOf({ services, fronts }: BeforeQueueNetwork, start: number): readonly Front[] | undefined {
  const ring: Front[] = [];
  for (let at = start; ring.length <= services.length;) {
    const { next } = services[at]!;
    if (next.to === 'queue') return undefined;
    const front = fronts[next.front]!;
    ring.push(front);
    at = front.service;
  }
  return ring;
}

/** Whether Postfix reveals the circle: it has one service, or every listener on it passes our XFORWARD on. */
export const isVisible = (ring: readonly Front[]): boolean =>
  new Set(ring.map(({ service }) => service)).size === 1 || ring.every(({ takesXforward }) => takesXforward);

const defaultConfirmMs = 3;
/** A message that gets this deep is in a circle that was not stopped. */
const maxDepth = 12;

export async function run(network: BeforeQueueNetwork, random: Random): Promise<Seen> {
  return new Run(network, random).all();
}

type Xforward = ReadonlyMap<string, string>;

class Run {
  readonly #network: BeforeQueueNetwork;
  readonly #random: Random;
  readonly #processes: readonly (readonly OpenCalls[])[];
  readonly #ports = new Map<number, Set<number>>();
  readonly #marks: string[] = [];
  readonly #seen: Seen = { refused: 0, delivered: 0, rounds: 0 };
  #ids = 0;

  constructor(network: BeforeQueueNetwork, random: Random) {
    this.#network = network;
    this.#random = random;
    this.#processes = network.services.map(({ processes }, service) => {
      const all: OpenCalls[] = [];
      for (let i = 0; i < processes; i += 1) {
        const askOthers = async (...[question]: Parameters<OpenCalls['isWaiting']>): Promise<boolean> => {
          await this.#turns();
          return all.some((other, at) => at !== i && other.isWaiting(question));
        };
        all.push(new OpenCalls({ hostname: hostnameOf(service), askOthers, confirmMs: defaultConfirmMs }));
      }
      return all;
    });
  }

  async all(): Promise<Seen> {
    await Promise.all(this.#network.clients.map((client) => this.#client(client)));
    return this.#seen;
  }

  async #client(client: Client): Promise<void> {
    await pause(this.#random(15));
    if (client.kind === 'queue') {
      const ident = client.ident === 'mark' ? (this.#marks.at(-1) ?? '0123abcd1') : '4TqXyz1ABCz9rN';
      const xforward = attributes(client.port, hostnameOf(client.service), ident);
      await this.#mail(client.service, xforward, []);
      return;
    }
    const helo = client.helo === undefined ? 'client.example' : hostnameOf(client.helo);
    for (let i = 0; i < client.times; i += 1) {
      const front = this.#network.fronts[client.front]!;
      await this.#mail(front.service, attributes(client.port, helo, undefined), []);
    }
  }

  /** A MAIL that comes to one of the processes of a service. @returns whether it was taken */
  async #mail(service: number, xforward: Xforward, before: readonly number[]): Promise<boolean> {
    const way = [...before, service];
    this.#seen.rounds = Math.max(this.#seen.rounds, way.filter((one) => one === service).length);
    if (way.length > maxDepth) return false;
    const calls = this.#processes[service]![this.#random(this.#processes[service]!.length)]!;
    if (await calls.causeOf(xforward, new AbortController().signal)) {
      this.#seen.refused += 1;
      return false;
    }
    const port = this.#openPort(service);
    this.#ids += 1;
    const id = `5f1c0a9e${this.#ids.toString(36).toUpperCase()}`;
    const end = calls.begin({ id, session: { address: '127.0.0.1', port } });
    const taken = await this.#ask(service, port, calls.mark(xforward, id), way);
    end();
    this.#ports.get(service)!.delete(port);
    return taken;
  }

  async #ask(service: number, port: number, handedOn: Xforward, way: readonly number[]): Promise<boolean> {
    const { next } = this.#network.services[service]!;
    await this.#turns();
    if (next.to === 'queue') {
      await pause(next.ms);
      this.#marks.push(handedOn.get('IDENT') ?? '');
      this.#seen.delivered += 1;
      return true;
    }
    const front = this.#network.fronts[next.front]!;
    const told = front.takesXforward ? handedOn : attributes(port, hostnameOf(service), undefined);
    return this.#mail(front.service, told, way);
  }

  #openPort(service: number): number {
    const open = this.#ports.get(service) ?? new Set<number>();
    this.#ports.set(service, open);
    let port = 1;
    while (open.has(port)) port += 1;
    open.add(port);
    return port;
  }

  /** Waits for some turns of the event loop, so that things at the same time happen in any order. */
  async #turns(): Promise<void> {
    for (let count = this.#random(4); count > 0; count -= 1) await new Promise(setImmediate);
  }
}

function attributes(port: number, helo: string, ident: string | undefined): Xforward {
  return new Map([
    ['ADDR', '127.0.0.1'],
    ['PORT', String(port)],
    ['HELO', helo],
    ['IDENT', ident ?? '[UNAVAILABLE]'],
  ]);
}
