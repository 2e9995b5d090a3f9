import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cleanup } from '../test/harness/cleanup.ts';
import { type ConfigTree, type DetachInstance, type DetachOptions, startDetach } from '../test/harness/detach-mta.ts';
import { type PostfixInstance, startPostfix } from '../test/harness/postfix.ts';
import type { LabOptions } from './places.ts';
import { type LabStorage, startStorage } from './storage.ts';

export interface FrontOptions extends LabOptions {
  /** Postfix B, as `host:port`. */
  readonly nextHop: string;
  /** How long Detach MTA keeps a session that nobody uses; its default if not given. */
  readonly idleTimeout?: string;
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
  const { home, ports, started } = options;
  const parts = new Cleanup();
  try {
    const storage = await parts.use(startStorage(options));
    const detach = await parts.use(startDetach(detachOptions(options, storage.location)));
    // Runs before its `stop`, which would give it no time to finish.
    parts.defer(() => detach.kill('SIGTERM'));
    started('Detach MTA', `127.0.0.1:${ports.detach}`, `links on http://127.0.0.1:${ports.links}`);
    const a = await parts.use(
      startPostfix({
        dir: 'postfix-a',
        home: join(home, 'postfix-a'),
        ports: { smtp: ports.postfixA },
        settings: { relayhost: `[127.0.0.1]:${ports.detach}` },
      }),
    );
    started('Postfix A', `127.0.0.1:${ports.postfixA}`, 'send mail here');
    return { storage, detach, a, stop: () => parts.end() };
  } catch (error) {
    await parts.end();
    throw error;
  }
}

function detachOptions({ home, ports, nextHop, idleTimeout }: FrontOptions, storage: string): DetachOptions {
  const outbound = idleTimeout === undefined ? {} : { outbound: { idleTimeout } };
  return labDetach({ home, ports, storage, nextHop: [nextHop], config: outbound });
}

/** Detach MTA as every lab has it; `config` on top of that. */
export function labDetach({
  home,
  ports,
  storage,
  nextHop,
  config,
}: Pick<FrontOptions, 'home' | 'ports'> &
  Required<Pick<DetachOptions, 'storage' | 'config'>> & {
    readonly nextHop: readonly string[];
  }): DetachOptions {
  const { guard, links } = lastingKeys(home);
  return {
    nextHop,
    storage,
    home: join(home, 'detach-mta'),
    config: {
      ...config,
      hostname: 'detach.example.net',
      inbound: { port: ports.detach, ...(config['inbound'] as ConfigTree | undefined) },
      detach: { minSize: '1MiB' },
      loopguard: { cluster: 'lab', keys: [guard] },
      links: { baseUrl: `http://127.0.0.1:${ports.links}`, port: ports.links, secret: links },
      metrics: { port: ports.metrics },
    },
  };
}

/** Kept from one start to the next, so that stamps and links of older mail stay valid. */
function lastingKeys(home: string): { readonly guard: string; readonly links: string } {
  const file = join(home, 'keys.json');
  if (!existsSync(file)) {
    const secret = (): string => randomBytes(32).toString('base64');
    writeFileSync(file, JSON.stringify({ guard: `k1:${secret()}`, links: secret() }), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as { guard: string; links: string };
}
