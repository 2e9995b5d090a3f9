import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';

/** The content of the files of `outbound.tls`, PEM, in the words of node:tls. */
export interface TlsFiles {
  /** Absent: the authorities of the system. */
  readonly ca?: Buffer;
  /** What we show to a next hop that asks for it. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Reads them; so they are read again at each reload. @throws when one cannot be read */
export function readTlsFiles({ ca, cert, key }: Config['outbound']['tls']): TlsFiles {
  return {
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
  };
}
