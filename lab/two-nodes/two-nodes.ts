import { join } from 'node:path';
import { Cleanup } from '../../test/harness/cleanup.ts';
import { privateDirectory, removeDirectory } from '../../test/harness/private-directory.ts';
import { bold, heading, say } from '../terminal.ts';
import { Network } from './network.ts';
import { Node } from './node.ts';

/**
 * The lab on two hosts: A with Detach MTA on one, B with Dovecot on the other, and a cable between them that is pulled
 * out and put back. Everything is checked, and nothing is left behind. @returns the exit status
 */
export async function twoNodes(): Promise<number> {
  const parts = new Cleanup();
  try {
    say(bold('Detach MTA lab, on two nodes'));
    say('  node A, 10.99.0.1                          node B, 10.99.0.2');
    say('  client > Postfix A > Detach MTA ──cable──> Postfix B > Dovecot');
    say('                           |');
    say('                        Azurite');
    const home = privateDirectory('two-nodes');
    parts.defer(() => removeDirectory(home));
    const network = await raise(`detach-lab-${process.pid}`, parts);
    heading('Starting');
    const b = await parts.use(new Node(network.on(network.b), script('node-b.ts'), [home]));
    if (!(await b.ask())) return 1;
    const a = await parts.use(new Node(network.on(network.a), script('node-a.ts'), [home]));
    if (!(await a.ask())) return 1;
    if (!(await a.ask('sample')) || !(await a.ask('wait until idle'))) return 1;
    heading('Pulling the cable, and sending another letter');
    await network.plug(false);
    if (!(await a.ask('send during outage'))) return 1;
    heading('Putting it back');
    await network.plug(true);
    return (await a.ask('after outage')) ? 0 : 1;
  } finally {
    await parts.end();
  }
}

async function raise(name: string, parts: Cleanup): Promise<Network> {
  const network = new Network(name);
  parts.defer(() => network.stop());
  await network.up();
  return network;
}

function script(name: string): string {
  return join(import.meta.dirname, name);
}
