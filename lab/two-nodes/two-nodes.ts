import { type TwoNodes, startTwoNodes } from '../../test/harness/machine/two-nodes.ts';
import { linksIn } from '../deliver.ts';
import { Interrupted, interrupted, interruptions, unlessInterrupted } from '../interrupt.ts';
import { makeSample } from '../sample.ts';
import { showChecks } from '../show.ts';
import { bold, cyan, dim, heading, row, say, size } from '../terminal.ts';
import { sha256 } from '../../test/harness/random.ts';

const links = 'http://192.168.56.11:8080';

/**
 * The lab on two machines with a systemd each, made from a bare Debian by provision-a.sh and provision-b.sh. With `once`
 * it ends by itself. Nothing is left behind but the files of the bare Debian. @returns the exit status
 */
export async function twoNodes({ once = false } = {}): Promise<number> {
  const signal = interruptions();
  say(bold('Detach MTA lab, on two machines with systemd'));
  say('  node A, 192.168.56.11                      node B, 192.168.56.12');
  say('  client > Postfix A > Detach MTA ──TLS────> Postfix B > Dovecot');
  say('                           |');
  say('                       directory');
  say(dim('\n  Making the machines takes a minute or two; the first time, a bare Debian is downloaded.'));
  const nodes = await start(signal);
  try {
    const good = await unlessInterrupted(signal, showSample(nodes));
    if (once) return good ? 0 : 1;
    showHelp(nodes);
    await interrupted(signal);
    say('\nStopping.');
    return good ? 0 : 1;
  } finally {
    await nodes.stop();
  }
}

async function start(signal: AbortSignal): Promise<TwoNodes> {
  try {
    return await startTwoNodes(signal);
  } catch (error) {
    // Ctrl-C also ends the programs that the start has begun, and their errors say nothing.
    throw signal.aborted ? new Interrupted() : error;
  }
}

/** Sends the sample through both machines, and checks what arrives. @returns whether everything is correct */
export async function showSample(nodes: TwoNodes): Promise<boolean> {
  const sample = makeSample();
  heading(`A letter with a PDF and a photo, to ${sample.to.length} people through Postfix A`);
  await nodes.send(sample.message, sample);
  const copies = await Promise.all(sample.to.map((address) => nodes.arrives(address, sample.messageId)));
  const [first = Buffer.alloc(0)] = copies;
  // Below the links of the files stands that of their page.
  const urls = linksIn(first, links).slice(0, sample.files.length);
  const contents = await Promise.all(urls.map((url) => nodes.fetch('b', `${url}/file`)));
  row('links', cyan(urls.join('\n'.padEnd(31))));
  row('sent', size(sample.message.length));
  row('in each mailbox', size(first.length));
  const same = sample.files.every(({ content }, at) => contents[at] && sha256(contents[at]) === sha256(content));
  return showChecks([
    { what: `${copies.length} recipients have the message`, ok: copies.length === sample.to.length },
    { what: `one link for each of the ${sample.files.length} files`, ok: urls.length === sample.files.length },
    {
      what: 'every copy has the same links',
      ok: new Set(copies.map((copy) => String(linksIn(copy, links)))).size === 1,
    },
    { what: 'node B downloads the files, byte for byte', ok: same },
    { what: 'the message came to node B by TLS', ok: copies.every((copy) => copy.includes('using TLSv1.3')) },
  ]);
}

function showHelp({ a, b, network }: TwoNodes): void {
  const inside = (name: string): string => `ip netns exec ${name}`;
  heading('In another terminal, as root');
  row('a shell on node A', `nsenter -t ${a.init} -a`);
  row('a shell on node B', `nsenter -t ${b.init} -a`);
  row('slow link', `${inside(network.a)} tc qdisc replace dev wire root tbf rate 1mbit burst 16kb latency 200ms`);
  row(
    'lost packets',
    `${inside(network.b)} iptables -A INPUT -i wire -m statistic --mode random --probability 0.1 -j DROP`,
  );
  row('link cut', `${inside(network.b)} iptables -A INPUT -i wire -j DROP`);
  row('link as before', `${inside(network.b)} iptables -F; ${inside(network.a)} tc qdisc del dev wire root`);
  say(dim('\n  Ctrl-C ends both machines.'));
}
