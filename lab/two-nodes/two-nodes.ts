import { type TwoNodes, startTwoNodes } from '../../test/harness/machine/two-nodes.ts';
import { linksIn } from '../deliver.ts';
import { describeLink, parseLink, setLink } from './link.ts';
import { interrupted, interruptions, meaningOf, unlessInterrupted } from '../interrupt.ts';
import { people } from '../people.ts';
import { makeSample } from '../sample.ts';
import { showChecks } from '../show.ts';
import { bold, cyan, dim, heading, row, say, size } from '../terminal.ts';
import { sha256 } from '../../test/harness/random.ts';

const links = 'http://192.168.56.11:8080';
export const webmailUrl = 'http://192.168.56.12:8026';
/** Set by provision-b.sh. */
export const labPassword = 'detach';

/**
 * The lab on two machines with a systemd each, made from a bare Debian by provision-a.sh and provision-b.sh. With `once`
 * it ends by itself. Nothing is left behind but the files of the bare Debian. @returns the exit status
 */
export async function twoNodes({ once = false, link = parseLink({}) } = {}): Promise<number> {
  const signal = interruptions();
  say(bold('Detach MTA lab, on two machines with systemd'));
  say('  node A, 192.168.56.11                      node B, 192.168.56.12');
  say('  client > Postfix A > Detach MTA ──TLS────> Postfix B > Dovecot > webmail');
  say('                           |');
  say('                       directory');
  say(
    dim(
      '\n  Making the machines takes a minute; the first time some minutes more, to download and install Debian packages.',
    ),
  );
  const nodes = await start(signal);
  try {
    await setLink(nodes.network, link);
    if (describeLink(link) !== '') row('the link', describeLink(link));
    const good = await unlessInterrupted(signal, showSample(nodes));
    if (once) return good ? 0 : 1;
    showHelp(nodes, await nodes.network.join());
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
    throw meaningOf(signal, error);
  }
}

/** What Postfix B writes into `Received` when Detach MTA has shown a certificate that B trusts. */
const byTls = /using TLSv1\.3[^;]*Client CN "detach\.example\.net"[^;]*\(verified OK\)/;

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
    {
      what: 'the message came to node B by TLS, with a certificate',
      ok: copies.every((copy) => byTls.test(String(copy))),
    },
  ]);
}

/** @param joined whether this machine reaches the nodes */
function showHelp({ a, b, network }: TwoNodes, joined: boolean): void {
  if (joined) {
    heading('From this machine');
    row('webmail', cyan(webmailUrl));
    row('  logins', `${people.map((each) => bold(each)).join(', ')}; the password of each is ${bold(labPassword)}`);
    row('links', 'open in a browser here');
  } else say(dim('  This machine has another way to 192.168.56.x: a browser here does not reach the nodes.'));
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
