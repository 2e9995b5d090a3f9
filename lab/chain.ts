import type { DovecotInstance } from '../test/harness/dovecot.ts';
import { type Back, startBack, type Started } from './back.ts';
import { type Front, startFront } from './front.ts';
import type { LabPorts } from './places.ts';

/** What it takes to send a letter, read it back and tell what happened. */
export interface LabView extends Pick<Front, 'azurite' | 'detach' | 'a'> {
  readonly ports: LabPorts;
  readonly dovecot: DovecotInstance;
}

/** The whole chain on one machine. */
export interface LabChain extends LabView {
  /** Process numbers of the servers, negative for process groups. */
  readonly servers: readonly number[];
  /** From the front, so that mail waits in Postfix's queues. */
  stop(): Promise<void>;
}

export async function startLabChain(home: string, ports: LabPorts, started: Started): Promise<LabChain> {
  const back = await startBack({ home, ports, started });
  let front: Front;
  try {
    front = await startFront({ home, ports, nextHop: `127.0.0.1:${ports.postfixB}`, started });
  } catch (error) {
    await back.stop();
    throw error;
  }
  return {
    ...front,
    ports,
    dovecot: back.dovecot,
    servers: servers(front, back),
    stop: async () => {
      await front.stop();
      await back.stop();
    },
  };
}

function servers({ a, detach, azurite }: Front, { b, dovecot }: Back): number[] {
  const groups = [a.pid, b.pid, dovecot.pid].flatMap((pid) => (pid === undefined ? [] : [-pid]));
  return [...groups, ...[detach.pid, azurite.pid].flatMap((pid) => pid ?? [])];
}
