import type { Config } from '../config/config.ts';
import { neighbourChecks, ownChecks } from './checks.ts';
import type { Finding } from './finding.ts';
import type { Context } from './interface.ts';
import { readListeningPorts } from './own/listening-ports.ts';
import { readNeighbours } from './postfix/read-neighbour.ts';
import { readFile } from 'node:fs/promises';
import { runChecks } from './run-checks.ts';

export interface Examination {
  readonly config: Config;
  /** Directories with the main.cf and master.cf of neighbours. */
  readonly postfix: readonly string[];
  readonly signal: AbortSignal;
  /** Called when all is read that needs the rights of the one who asks: what follows sees those of the service. */
  readonly becomeService: () => void;
  /** Called when checks begin and end, with the names of those that have not ended. */
  readonly onWaiting: (names: readonly string[]) => void;
}

/** @throws NeighbourError when a directory holds no configuration of Postfix that can be read */
export async function examine({
  config,
  postfix,
  signal,
  becomeService,
  onWaiting,
}: Examination): Promise<readonly Finding[]> {
  const [neighbours, listening, fstab] = await Promise.all([
    readNeighbours(postfix, config),
    readListeningPorts(),
    readFile('/etc/fstab', 'utf8').catch(() => ''),
  ]);
  becomeService();
  const context: Context = { config, neighbours, listening, fstab, now: Date.now };
  const checks = [...ownChecks, ...neighbourChecks];
  const open = new Set(checks.map(({ name }) => name));
  onWaiting([...open]);
  return runChecks(checks, context, {
    signal,
    onDone: (name) => {
      open.delete(name);
      onWaiting([...open]);
    },
  });
}
