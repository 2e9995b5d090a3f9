import { join } from 'node:path';
import { Cleanup } from '../test/harness/cleanup.ts';
import { type Access, labAccess } from './access.ts';
import type { LabChain } from './chain.ts';
import { labKeys } from './keys.ts';
import { fullNames } from './people.ts';
import type { LabOptions } from './places.ts';
import type { Preset } from './preset.ts';
import { startWebmail } from './webmail/webmail.ts';

export type ServerOptions = Omit<LabOptions, 'storage' | 'access'>;

/** A preset's chain with its webmail. */
export async function startServers(preset: Preset, options: ServerOptions): Promise<LabChain & { access: Access }> {
  const { home, ports, started } = options;
  const access = await labAccess(home);
  const parts = new Cleanup();
  try {
    const chain = await parts.use(preset.start({ ...options, storage: preset.storage, access }));
    await parts.use(
      startWebmail({
        home: join(home, 'webmail'),
        port: ports.webmail,
        imapsPort: ports.imaps,
        submissionPort: ports.submission,
        authority: access.certificates.authority,
        key: labKeys(home).webmail,
        people: fullNames,
      }),
    );
    started('webmail', `127.0.0.1:${ports.webmail}`, 'Roundcube');
    return { ...chain, access, stop: () => parts.end() };
  } catch (error) {
    await parts.end();
    throw error;
  }
}
