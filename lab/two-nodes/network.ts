import { run } from '../../test/harness/process.ts';

/** Addresses of the two ends of the cable. */
export const nodeA = '10.99.0.1';
export const nodeB = '10.99.0.2';

/**
 * Two hosts in one machine: network namespaces, each with its own loopback interface, ports and routes, and a cable
 * between them. Needs root. Nothing else can be reached from within.
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
    await ip('link', 'add', 'cable', 'netns', a, 'type', 'veth', 'peer', 'name', 'cable', 'netns', b);
    for (const [node, address] of [
      [a, nodeA],
      [b, nodeB],
    ] as const) {
      await ip('-n', node, 'link', 'set', 'lo', 'up');
      await ip('-n', node, 'address', 'add', `${address}/24`, 'dev', 'cable');
      await ip('-n', node, 'link', 'set', 'cable', 'up');
    }
  }

  /** Plugs the cable in or out. When it is out, packets are lost silently, as with a broken switch. */
  async plug(inserted: boolean): Promise<void> {
    await ip('-n', this.b, 'link', 'set', 'cable', inserted ? 'up' : 'down');
  }

  /** The words before a command that has to run on a node. */
  on(node: string): readonly string[] {
    return ['ip', 'netns', 'exec', node];
  }

  /** Deletes the namespaces, and with them the ends of the cable. */
  async stop(): Promise<void> {
    for (const node of [this.a, this.b]) await ip('netns', 'delete', node).catch(() => undefined);
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', args);
}
