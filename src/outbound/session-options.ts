import type { Config, NextHopAddress } from '../config/config.ts';
import { Failure } from '../smtp/failures.ts';
import { staysLocal } from './connect.ts';
import type { HandshakeOptions } from './handshake.ts';
import type { TlsFiles } from './tls-files.ts';

export interface SessionInputs {
  readonly outbound: Config['outbound'];
  readonly files: TlsFiles;
  readonly hostname: string;
  readonly address: NextHopAddress;
  /** The peer of the connected socket. */
  readonly remoteAddress: string | undefined;
}

/** What the configuration says of every session with this next hop. */
export function sessionOptions(
  inputs: SessionInputs,
): Omit<HandshakeOptions, 'connected' | 'startTls' | 'timeout' | 'signal'> {
  const { outbound, files, hostname, address, remoteAddress } = inputs;
  const { protocol, tls, auth } = outbound;
  return {
    hostname,
    protocol,
    host: address.kind === 'tcp' ? address.host : 'localhost',
    tls: {
      rejectUnauthorized: tls.mode === 'required',
      ...files,
      ...(tls.servername !== undefined && { servername: tls.servername }),
    },
    auth: auth.user === undefined ? undefined : { user: auth.user, pass: auth.pass ?? '' },
    trustedWire: staysLocal(address, remoteAddress),
  };
}

type Open<T> = (startTls: HandshakeOptions['startTls']) => Promise<T>;

/**
 * Opens a session with TLS as `outbound.tls.mode` asks. Opportunistic TLS that fails costs a second connection, in
 * clear: after a broken handshake the first is no use.
 * @param broken hears of that
 */
export async function openWithTls<T>(
  mode: Config['outbound']['tls']['mode'],
  open: Open<T>,
  broken: (failure: Failure) => void = () => undefined,
): Promise<T> {
  switch (mode) {
    case 'off':
      return open('never');
    case 'required':
      return open('always');
    case 'opportunistic':
      try {
        return await open('ifOffered');
      } catch (error) {
        if (!(error instanceof Failure) || error.kind !== 'nextHopTls') throw error;
        broken(error);
        return open('never');
      }
    default:
      return mode satisfies never;
  }
}
