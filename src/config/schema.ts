import type { Tree } from './key.ts';
import { filesSchema } from './schema-files.ts';
import { relaySchema } from './schema-relay.ts';

const { hostname, workers, inbound, outbound, spool, loopguard, metrics, log } = relaySchema;
const { detach, storage, links } = filesSchema;

/** Every configuration key, in the order of the reference page. */
export const schema = {
  hostname,
  workers,
  inbound,
  outbound,
  detach,
  spool,
  loopguard,
  storage,
  links,
  metrics,
  log,
} as const satisfies Tree;
