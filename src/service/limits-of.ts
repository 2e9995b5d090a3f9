import type { Config } from '../config/config.ts';
import type { LimitKey } from './messages.ts';

/** The limits that hold for the service as a whole, over all processes and generations. */
export function limitsOf({ inbound, outbound, spool }: Config): (key: LimitKey) => number {
  const limits = {
    clients: inbound.maxClients,
    clientsPerAddress: inbound.maxClientsPerAddress,
    connections: outbound.maxConnections,
    spool: spool.maxBytes,
    spoolPerClient: spool.maxBytes,
  };
  return ({ limit }) => limits[limit];
}
