import { Cleanup } from '../test/harness/cleanup.ts';
import { type DetachInstance, startDetach } from '../test/harness/detach-mta.ts';
import type { PostfixInstance } from '../test/harness/postfix.ts';
import { labDetach } from './detach.ts';
import { startFrontPostfix } from './front-postfix.ts';
import type { LabOptions } from './places.ts';
import { type LabStorage, startStorage } from './storage.ts';

export interface FrontOptions extends LabOptions {
  /** Postfix B, as `host:port`. */
  readonly nextHop: string;
}

/** The sending end: Postfix A, Detach MTA behind it, and its storage. */
export interface Front {
  readonly storage: LabStorage;
  readonly detach: DetachInstance;
  readonly a: PostfixInstance;
  stop(): Promise<void>;
}

/** Starts the storage first and the rest after it, so that each server can pass mail on as soon as it gets any. */
export async function startFront(options: FrontOptions): Promise<Front> {
  const { ports, started, nextHop } = options;
  const parts = new Cleanup();
  try {
    const storage = await parts.use(startStorage(options));
    started(...storage.started);
    const detach = await parts.use(startDetach(labDetach(options, { storage, nextHop: [nextHop] })));
    // Runs before its `stop`, which would give it no time to finish.
    parts.defer(() => detach.kill('SIGTERM'));
    started('Detach MTA', `127.0.0.1:${ports.detach}`, `links on http://127.0.0.1:${ports.links}`);
    const settings = { relayhost: `[127.0.0.1]:${ports.detach}` };
    const a = await parts.use(startFrontPostfix(options, { dir: 'postfix-a', folder: 'postfix-a', settings }));
    started('Postfix A', `127.0.0.1:${ports.postfixA}`, 'send mail here');
    return { storage, detach, a, stop: () => parts.end() };
  } catch (error) {
    await parts.end();
    throw error;
  }
}
