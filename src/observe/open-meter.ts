import { Gauge, type Registry } from 'prom-client';
import type { Meter } from './interface.ts';

/** What is open or in use now. */
export function openMeter(registry: Registry): Pick<Meter, 'clients' | 'nextHopSessions' | 'spool'> {
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `detach_mta_${name}`, help, registers: [registry] });
  const clients = gauge('clients', 'Open client connections.');
  const open = gauge('next_hop_sessions', 'Open sessions with the next hop.');
  const idle = gauge('next_hop_sessions_idle', 'Open sessions with the next hop that no transaction uses.');
  const spool = gauge('spool_bytes', 'Bytes in the spool directory.');
  return {
    clients: (count) => clients.set(count),
    nextHopSessions(openCount, idleCount) {
      open.set(openCount);
      idle.set(idleCount);
    },
    spool: (size) => spool.set(size),
  };
}
