import { TLSSocket } from 'node:tls';
import { formatNextHop } from '../../config/addresses.ts';
import type { Config, NextHopAddress } from '../../config/config.ts';
import { createGuard } from '../../loopguard/guard.ts';
import { isOwnListener } from '../../loopguard/mirror.ts';
import { Channel } from '../../outbound/channel.ts';
import { connect } from '../../outbound/connect.ts';
import { handshake, type HandshakeOptions } from '../../outbound/handshake.ts';
import { openWithTls, sessionOptions } from '../../outbound/session-options.ts';
import { defaultTimeouts, type Timeouts } from '../../outbound/timeouts.ts';
import { readTlsFiles } from '../../outbound/tls-files.ts';
import { Failure } from '../../smtp/failures.ts';
import type { Step } from '../interface.ts';
import { type Certificate, readCertificate } from './get-url.ts';

export type Met =
  | {
      readonly kind: 'met';
      readonly channel: Channel;
      readonly name: string;
      readonly tls: boolean;
      readonly certificate: Certificate | undefined;
    }
  | { readonly kind: 'ourselves'; readonly evidence: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly fix: string };

/** Nobody waits for mail here: a server that takes longer keeps mail waiting too. */
const openMs = 12_000;
const answerMs = 5000;
const timeouts: Timeouts = { ...defaultTimeouts, mail: answerMs, rcpt: answerMs, rset: answerMs, noop: answerMs };

/** Opens a session in the way of the service. Never throws. */
export async function meet(address: NextHopAddress, { context: { config }, signal }: Step): Promise<Met> {
  try {
    return await openWithTls(config.outbound.tls.mode, (startTls) => open(address, config, { signal, startTls }));
  } catch (error) {
    return failed(Failure.from(error, 'nextHopUnreachable'));
  }
}

interface Opening {
  readonly signal: AbortSignal;
  readonly startTls: HandshakeOptions['startTls'];
}

async function open(address: NextHopAddress, config: Config, { signal, startTls }: Opening): Promise<Met> {
  const { outbound, hostname, inbound } = config;
  const socket = await connect(address, { timeout: openMs, signal });
  const { remoteAddress = '', remotePort = 0 } = socket;
  if (!inbound.address.startsWith('unix:') && isOwnListener([inbound], { address: remoteAddress, port: remotePort })) {
    socket.destroy();
    return { kind: 'ourselves', evidence: `${remoteAddress} port ${remotePort} is inbound.address and inbound.port` };
  }
  const { protocol, tls } = outbound;
  const options: HandshakeOptions = {
    connected: socket,
    ...sessionOptions({
      outbound,
      files: readTlsFiles(tls),
      hostname,
      address,
      remoteAddress,
    }),
    startTls,
    timeout: openMs,
    signal,
  };
  return handshake(options, ({ name, secure, extensions, socket: open }) => {
    const channel = new Channel(open, { peer: formatNextHop(address), extensions, protocol, timeouts });
    if (createGuard(config.loopguard).isOurs(extensions.get('XDETACH'))) {
      channel.quit();
      return { kind: 'ourselves', evidence: 'it offers XDETACH with the fingerprint of our own cluster' };
    }
    const certificate = open instanceof TLSSocket ? readCertificate(open) : undefined;
    return { kind: 'met', channel, name, tls: secure, certificate };
  });
}

/** How a session may fail, and what to do about it. */
function failed({ kind, message }: Failure): Met {
  return { kind: 'failed', reason: message, fix: fixOf(kind, message) };
}

function fixOf(kind: Failure['kind'], message: string): string {
  if (kind === 'nextHopTls') return tlsFixOf(message);
  if (kind === 'nextHopAuth') return 'correct outbound.auth.user and outbound.auth.pass, or turn on TLS';
  if (message.includes('ECONNREFUSED'))
    return 'start that server, or correct host and port in outbound.nextHop: nothing listens there';
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) return 'correct the host in outbound.nextHop: its name cannot be resolved';
  return 'look at that server and at the firewall between: it does not answer as a mail server in time; is the port right in outbound.nextHop?';
}

/** With `outbound.tls.mode: required` all mail waits until this is done. The words are those of OpenSSL and Node. */
function tlsFixOf(message: string): string {
  if (message.includes('expired'))
    return 'renew the certificate of that server, and see why that does not happen by itself';
  if (message.includes('not yet valid')) return 'set the clock of this machine, or wait until that certificate begins';
  if (message.includes('altnames'))
    return 'set outbound.tls.servername to a name that stands in that certificate, or give that server one for its name';
  if (/self-signed|unable to (?:verify|get)/.test(message))
    return 'name the authority of that certificate in outbound.tls.ca, or let that server send its whole chain';
  if (message.includes('STARTTLS'))
    return 'turn TLS on there (smtpd_tls_security_level = may), or set outbound.tls.mode to opportunistic on a network that nobody else reads';
  return 'look at the log of that server: the TLS handshake fails; does it want a certificate of ours (outbound.tls.cert)?';
}
