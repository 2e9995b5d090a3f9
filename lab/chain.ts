import type { DovecotInstance } from '../test/harness/dovecot.ts';
import type { PostfixInstance } from '../test/harness/postfix.ts';
import { type Back, startBack } from './back.ts';
import { type Front, startFront } from './front.ts';
import type { LabOptions, LabPorts } from './places.ts';

/** What is needed to send a letter, read it back and show what happened. */
export interface LabView extends Pick<Front, 'storage' | 'detach' | 'a'> {
  readonly ports: LabPorts;
  readonly dovecot: DovecotInstance;
}

/** The whole chain on one machine. */
export interface LabChain extends LabView {
  /** The second Postfix, where there is one. */
  readonly b?: PostfixInstance;
  /** Stops the servers, first the ones at the front, so that mail waits in Postfix's queues. */
  stop(): Promise<void>;
}

export async function startLabChain(options: LabOptions): Promise<LabChain> {
  const { ports } = options;
  const back: Back = await startBack(options);
  let front: Front;
  try {
    front = await startFront({ ...options, nextHop: `127.0.0.1:${ports.postfixB}` });
  } catch (error) {
    await back.stop();
    throw error;
  }
  return {
    ...front,
    ports,
    dovecot: back.dovecot,
    b: back.b,
    stop: async () => {
      await front.stop();
      await back.stop();
    },
  };
}
