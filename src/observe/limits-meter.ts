import { Gauge, type Registry } from 'prom-client';
import type { Config } from '../config/config.ts';

/** The limits that figures are compared with. All processes show the same: they are not added up. */
export function showLimits(
  registry: Registry,
  { inbound, outbound, spool }: Pick<Config, 'inbound' | 'outbound' | 'spool'>,
): void {
  const show = (name: string, help: string, value: number): void =>
    new Gauge({ name: `detach_mta_${name}`, help, registers: [registry], aggregator: 'max' }).set(value);
  show('spool_limit_bytes', 'Bytes that the spool may take: spool.maxBytes.', spool.maxBytes);
  show('clients_limit', 'Clients at the same time: inbound.maxClients.', inbound.maxClients);
  show('next_hop_sessions_limit', 'Sessions with the next hop: outbound.maxConnections.', outbound.maxConnections);
}
