import { run } from '../process.ts';

/** Addresses of the two ends of the link. */
export const addresses = { a: '192.168.56.11', b: '192.168.56.12' } as const;

export type Side = keyof typeof addresses;

/**
 * Two network namespaces, each with its own loopback interface, ports and routes, and a link between them that can be
 * slow, lossy or cut. Needs root. Nothing else can be reached from within.
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
    await ip('netns', 'add', a);
    await ip('netns', 'add', b);
    await ip('link', 'add', 'wire', 'netns', a, 'type', 'veth', 'peer', 'name', 'wire', 'netns', b);
    for (const side of ['a', 'b'] as const) {
      await ip('-n', this[side], 'link', 'set', 'lo', 'up');
      await ip('-n', this[side], 'address', 'add', `${addresses[side]}/24`, 'dev', 'wire');
      await ip('-n', this[side], 'link', 'set', 'wire', 'up');
    }
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

async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', args);
}
