import { fail } from '../finding.ts';
import type { Check } from '../interface.ts';
import { unmounted } from './mounts.ts';

/** Whether `storage.directory` lies where it should: on a disk that is not mounted all files would seem to be gone. */
export const directory: Check = {
  name: 'storage-directory',
  run: async ({ config: { storage }, fstab }) => {
    if (storage.directory === undefined) return [];
    const missing = await unmounted(storage.directory, fstab);
    if (missing === undefined) return [];
    return [
      fail(
        `storage.directory ${storage.directory} should lie on ${missing} as fstab says, which is not mounted: links find no files`,
        `mount ${missing}, and start the service after it (RequiresMountsFor= in the unit)`,
      ),
    ];
  },
};
