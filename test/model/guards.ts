import { createGuard } from '../../src/loopguard/guard.ts';
import type { Guard } from '../../src/loopguard/interface.ts';

const made = new Map<string, Guard>();

/** The real guard of a replica. Guards hold no state, so all networks share them. */
export function guardOf(cluster: number, maxPasses: number, signsWith: number): Guard {
  const name = `${cluster}/${maxPasses}/${signsWith}`;
  const known = made.get(name);
  if (known) return known;
  const keys = [0, 1].map((id) => ({ id: `k${id}`, secret: Buffer.alloc(32, 1 + cluster * 2 + id) }));
  const guard = createGuard({
    cluster: `cluster${cluster}`,
    keys: signsWith === 0 ? keys : keys.reverse(),
    maxPasses,
    hopLimit: 50,
  });
  made.set(name, guard);
  return guard;
}
