import { join } from 'node:path';
import { type ConfigTree, type DetachOptions, mergeConfig } from '../test/harness/detach-mta.ts';
import { labKeys } from './keys.ts';
import type { LabOptions } from './places.ts';
import type { LabStorage } from './storage.ts';

export interface LabDetachOptions {
  readonly storage: Pick<LabStorage, 'location'>;
  readonly nextHop: readonly string[];
  /** What this way of attaching it needs. */
  readonly config?: ConfigTree;
}

/** Detach MTA as every lab has it: the chosen settings, and over them what the lab itself needs. */
export function labDetach(
  { home, ports, settings }: Pick<LabOptions, 'home' | 'ports' | 'settings'>,
  { storage, nextHop, config = {} }: LabDetachOptions,
): DetachOptions {
  const { guard, links } = labKeys(home);
  const needed: ConfigTree = {
    hostname: 'detach.example.net',
    inbound: { port: ports.detach },
    loopguard: { cluster: 'lab', keys: [guard] },
    links: { baseUrl: `http://127.0.0.1:${ports.links}`, port: ports.links, secret: links },
    metrics: { port: ports.metrics },
  };
  const chosen = mergeConfig({ detach: { minSize: '1MiB' } }, settings?.detach ?? {});
  return {
    nextHop,
    storage: storage.location,
    home: join(home, 'detach-mta'),
    config: mergeConfig(mergeConfig(chosen, needed), config),
  };
}
