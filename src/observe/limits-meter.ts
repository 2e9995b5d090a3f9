import { Gauge, type Registry } from 'prom-client';
import type { Config } from '../config/config.ts';

/** The limits that figures are compared with. All processes show the same: they are not added up. */
export function showLimits(
  registry: Registry,
  { inbound, outbound, spool }: Pick<Config, 'inbound' | 'outbound' | 'spool'>,
): void {
  const show = (name: string, { help, value }: { readonly help: string; readonly value: number }): void =>
    new Gauge({ name: `detach_mta_${name}`, help, registers: [registry], aggregator: 'max' }).set(value);
  show('spool_limit_bytes', { help: 'Bytes that the spool may take: spool.maxBytes.', value: spool.maxBytes });
  show('clients_limit', { help: 'Clients at the same time: inbound.maxClients.', value: inbound.maxClients });
  show('next_hop_sessions_limit', {
    help: 'Sessions with the next hop: outbound.maxConnections.',
    value: outbound.maxConnections,
  });
}
