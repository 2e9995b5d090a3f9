import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Cleanup } from '../cleanup.ts';
import { privateDirectory, removeDirectory } from '../private-directory.ts';
import { run } from '../process.ts';
import { waitFor } from '../wait.ts';
import { nodePackages } from './machine-files.ts';
import { type Machine, startMachine } from './machine.ts';
import { addresses, Network, type Side } from './network.ts';
import { currentPackage } from './packages.ts';

const scripts = join(import.meta.dirname, '../../../lab/two-nodes');

/** With DETACH_TEST_BARE=1 the scripts find nothing installed, which takes minutes longer. */
const kind = process.env['DETACH_TEST_BARE'] === '1' ? 'bare' : 'node';

/** What makes a bare Debian into a node. */
export const provisioning: Readonly<Record<Side, string>> = {
  a: join(scripts, 'provision-a.sh'),
  b: join(scripts, 'provision-b.sh'),
};

/** Node A with Postfix A and the package, node B with Postfix B and Dovecot: machines with systemd, and a link. */
export class TwoNodes {
  readonly network: Network;
  readonly a: Machine;
  readonly b: Machine;
  readonly #parts: Cleanup;

  constructor(network: Network, machines: { readonly a: Machine; readonly b: Machine }, parts: Cleanup) {
    this.network = network;
    this.a = machines.a;
    this.b = machines.b;
    this.#parts = parts;
  }

  /** Gives a message to Postfix A. */
  async send(message: Buffer, { from, to }: { readonly from: string; readonly to: readonly string[] }): Promise<void> {
    await this.a.run('sendmail', ['-i', '-f', from, ...to], { input: message });
  }

  /** Every message in a mailbox, in no order, with the LF that Dovecot keeps. */
  mailbox(address: string): readonly Buffer[] {
    const [name = '', domain = ''] = address.split('@');
    const maildir = join(this.b.root, 'var/vmail', domain, name, 'Maildir');
    return ['new', 'cur']
      .map((folder) => join(maildir, folder))
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder).map((file) => readFileSync(join(folder, file))));
  }

  /** Those with a text in them. */
  received(address: string, text: string): readonly Buffer[] {
    return this.mailbox(address).filter((message) => message.includes(text));
  }

  /** Waits for a message, while Postfix A tries every second what waits there. */
  async arrives(address: string, text: string): Promise<Buffer> {
    const ask = async (): Promise<Buffer | undefined> => {
      const [message] = this.received(address, text);
      if (message) return message;
      await this.a.run('postqueue', ['-f']);
      await pause(1000);
      return undefined;
    };
    return waitFor(ask, { what: `"${text}" for ${address}`, bound: 180_000 });
  }

  /** Waits until a message waits in the queue of Postfix A. */
  async deferred(): Promise<void> {
    await this.a.until('postqueue -j | grep -q delay_reason');
  }

  /** Waits until Detach MTA is in the middle of a message to node B. */
  async sending(): Promise<void> {
    const unsent = async (): Promise<boolean> => {
      const sockets = await this.network.on('a', 'ss', ['-Htn', 'dst', addresses.b, 'dport', '=', ':25']);
      return sockets.split('\n').some((line) => Number(line.trim().split(/\s+/)[2]) > 0);
    };
    await waitFor(unsent, { what: 'a message on its way to node B', every: 100 });
  }

  /** Downloads from one of the nodes. */
  async fetch(side: Side, url: string): Promise<Buffer> {
    const script = `const r = await fetch(process.argv[1]);
      if (!r.ok) throw new Error(String(r.status));
      process.stdout.write(Buffer.from(await r.arrayBuffer()).toString('base64'));`;
    const text = await this.network.on(side, process.execPath, ['--input-type=module', '-e', script, url]);
    return Buffer.from(text, 'base64');
  }

  /** Provisions both again, as from the beginning. @returns what the two scripts said */
  async provision(): Promise<readonly [string, string]> {
    const provision = (side: Side): Promise<string> => this[side].sh(`/detach-mta/${basename(provisioning[side])}`);
    return Promise.all([provision('a'), provision('b')]);
  }

  stop(): Promise<void> {
    return this.#parts.end();
  }
}

/** @param signal ends the start between two steps */
export async function startTwoNodes(signal?: AbortSignal): Promise<TwoNodes> {
  const parts = new Cleanup();
  try {
    const site = privateDirectory('site');
    parts.defer(() => removeDirectory(site));
    await run('sh', [join(scripts, 'site.sh'), site, await currentPackage()]);
    signal?.throwIfAborted();
    const network = await parts.use(new Network(`detach-${process.pid}`));
    await network.up();
    const start = (side: Side): Promise<Machine> =>
      parts.use(startMachine({ name: side, kind, namespace: network[side], prepare: (root) => bring(site, root) }));
    const [a, b] = await settled([start('a'), start('b')]);
    signal?.throwIfAborted();
    const nodes = new TwoNodes(network, { a: a!, b: b! }, parts);
    await nodes.provision();
    signal?.throwIfAborted();
    return nodes;
  } catch (error) {
    await parts.end();
    throw error;
  }
}

/** All results, or the first error once all have ended, so that what was started is known. */
async function settled<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** Copies the site to where the scripts expect it, for a bare machine with the packages that it cannot download. */
async function bring(site: string, root: string): Promise<void> {
  const to = join(root, 'detach-mta');
  await run('cp', ['-R', site, to]);
  if (kind === 'bare') await run('cp', ['-R', await nodePackages(), join(to, 'packages')]);
}
