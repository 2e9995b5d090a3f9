import type { Config } from '../config/config.ts';
import { ClientShares } from '../detach/spool/client-shares.ts';
import type { LimitKey } from './messages.ts';

/** The limits that hold for the service as a whole, over all processes and generations. */
export function limitsOf({ inbound, outbound, spool }: Config): (key: LimitKey) => number {
  const shares = new ClientShares(spool.maxBytes, { maxMessageBytes: inbound.maxMessageSize });
  return ({ limit, of = '' }) => {
    switch (limit) {
      case 'clients':
        return inbound.maxClients;
      case 'clientsPerAddress':
        return inbound.maxClientsPerAddress;
      case 'connections':
        return outbound.maxConnections;
      case 'spool':
        return spool.maxBytes;
      case 'spoolPerClient':
        return shares.shareOf(of);
      default:
        return limit satisfies never;
    }
  };
}
