import type { Registry } from 'prom-client';

/**
 * Figures of Node that count what is there now and are called totals: Prometheus keeps that name for counters. The same
 * numbers stand in figures without it, by kind.
 */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Leaves out those whose names mean something else. */
export function keepDefault(registry: Registry): void {
  for (const name of misnamed) registry.removeSingleMetric(name);
}
