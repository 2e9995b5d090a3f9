import { isAlive, run } from '../process.ts';

/** Addresses of the two ends of the link. */
export const addresses = { a: '192.168.56.11', b: '192.168.56.12' } as const;

/** This machine, where it has joined them. */
const here = '192.168.57.1';

export type Side = keyof typeof addresses;

/**
 * Two network namespaces, each with its own loopback interface, ports and routes, and a link between them that can be
 * slow, lossy or cut. Needs root. Nothing else can be reached from within, but for this machine when it has joined.
 */
export class Network {
  readonly a: string;
  readonly b: string;

  constructor(name: string) {
    this.a = `${name}-a`;
    this.b = `${name}-b`;
  }

  async up(): Promise<void> {
    const { a, b } = this;
    await deleteLeftNamespaces();
    await ip('netns', 'add', a);
    await ip('netns', 'add', b);
    await ip('link', 'add', 'wire', 'netns', a, 'type', 'veth', 'peer', 'name', 'wire', 'netns', b);
    for (const side of ['a', 'b'] as const) {
      await ip('-n', this[side], 'link', 'set', 'lo', 'up');
      await ip('-n', this[side], 'address', 'add', `${addresses[side]}/24`, 'dev', 'wire');
      await ip('-n', this[side], 'link', 'set', 'wire', 'up');
    }
  }

  /**
   * Gives this machine a wire of its own to each node, beside the link: browsers and mail programs here reach their
   * addresses. They are gone with the namespaces. @returns false, and does nothing, when the addresses lead elsewhere already
   */
  async join(): Promise<boolean> {
    for (const side of ['a', 'b'] as const) {
      const wire = wireTo(side);
      await ip('link', 'add', wire, 'type', 'veth', 'peer', 'name', 'here', 'netns', this[side]);
      await ip('address', 'add', `${here}/32`, 'dev', wire);
      await ip('link', 'set', wire, 'up');
      await ip('-n', this[side], 'link', 'set', 'here', 'up');
      await ip('-n', this[side], 'route', 'add', here, 'dev', 'here');
      try {
        await ip('route', 'add', addresses[side], 'dev', wire, 'src', here);
      } catch {
        await this.leave();
        return false;
      }
    }
    return true;
  }

  /** The opposite of `join`: another pair of nodes may be reached now. */
  async leave(): Promise<void> {
    for (const side of ['a', 'b'] as const) await ip('link', 'delete', wireTo(side)).catch(() => undefined);
  }

  /** Bits per second in each direction; undefined: no limit. */
  async bandwidth(rate: number | undefined): Promise<void> {
    const limit = ['root', 'tbf', 'rate', `${rate}bit`, 'burst', '16kb', 'latency', '200ms'];
    const change = rate === undefined ? ['del', 'dev', 'wire', 'root'] : ['replace', 'dev', 'wire', ...limit];
    for (const side of ['a', 'b'] as const) await this.on(side, 'tc', ['qdisc', ...change]);
  }

  /** The share of packets that is lost in each direction: 0 to 1, which is a link that is cut. */
  async loss(share: number): Promise<void> {
    const drop = ['-m', 'statistic', '--mode', 'random', '--probability', String(share), '-j', 'DROP'];
    for (const side of ['a', 'b'] as const) {
      await this.on(side, 'iptables', ['-F', 'INPUT']);
      if (share > 0) await this.on(side, 'iptables', ['-A', 'INPUT', '-i', 'wire', ...drop]);
    }
  }

  /** Runs a program of this machine on the network of a node. */
  on(side: Side, program: string, args: readonly string[]): Promise<string> {
    return run('ip', ['netns', 'exec', this[side], program, ...args]);
  }

  /** Deletes the namespaces, and with them the ends of the link. */
  async stop(): Promise<void> {
    for (const name of [this.a, this.b]) await ip('netns', 'delete', name).catch(() => undefined);
  }
}

const wireTo = (side: Side): string => `lab${process.pid}${side}`;

/** What a process that was killed has left: its routes lead the addresses of the nodes into nothing. */
export async function deleteLeftNamespaces(): Promise<void> {
  const namespaces = (await ip('netns', 'list')).split('\n').map((line) => line.split(' ')[0] ?? '');
  for (const name of namespaces) {
    const owner = /^detach-(\d+)-[ab]$/.exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    // Another one may do the same at this moment.
    const pids = await ip('netns', 'pids', name).catch(() => '');
    for (const pid of pids.split('\n').map(Number).filter(Boolean)) killIfThere(pid);
    await ip('netns', 'delete', name).catch(() => undefined);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // With init, all others have ended.
  }
}

const ip = (...args: readonly string[]): Promise<string> => run('ip', args);
