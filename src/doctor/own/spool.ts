import { access, constants, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checkFolder } from '../../detach/spool/spool-folder.ts';
import { fail, type Found, ok, warn } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import { errorText } from '../../smtp/failures.ts';
import { unmounted } from './mounts.ts';

/** Room, owner and file system of the spool. */
export const spool: Check = {
  name: 'spool',
  run: async (context) => {
    const folder = resolve(context.config.spool.directory);
    try {
      await checkFolder(folder);
      const there = await firstThere(folder);
      await access(there, constants.W_OK | constants.X_OK);
      const found = [await room(context, there), await kind(there, folder), await mounted(context, folder)];
      return found.flatMap((each) => each ?? []);
    } catch (error) {
      return [
        fail(
          messageOf(error, folder),
          `give ${folder} to the user of the service, mode 0700, below folders that only root writes to`,
        ),
      ];
    }
  },
};

/** The folder, or the one above it in which the service would make it. */
async function firstThere(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const there = await access(at).then(
      () => true,
      () => false,
    );
    if (there || at === dirname(at)) return at;
  }
}

async function room({ config: { spool, inbound } }: Context, there: string): Promise<Found> {
  const { bavail, bsize } = await statfs(there);
  const free = bavail * bsize;
  if (spool.maxBytes < inbound.maxMessageSize)
    return fail(
      `spool.maxBytes (${shown(spool.maxBytes)}) is less than one message of inbound.maxMessageSize: such messages are told 452 until they bounce`,
      'raise spool.maxBytes to several times inbound.maxMessageSize',
    );
  const fix = `make room below ${spool.directory}, or name another folder in spool.directory`;
  if (free < inbound.maxMessageSize)
    return fail(`spool.directory has ${shown(free)} free, less than one message of inbound.maxMessageSize`, fix);
  if (free < spool.maxBytes)
    return warn(
      `spool.directory has ${shown(free)} free, less than spool.maxBytes (${shown(spool.maxBytes)})`,
      `${fix}, or lower spool.maxBytes to what is there`,
    );
  return ok(`spool.directory has ${shown(free)} free`);
}

const shown = (bytes: number): string => `${Math.floor(bytes / 1_048_576)} MiB`;

/** Magic numbers of statfs(2). */
const inMemory: readonly number[] = [0x01021994, 0x858458f6];
const onNetwork: readonly number[] = [0x6969, 0xff534d42, 0xfe534d42, 0x517b];

async function kind(there: string, folder: string): Promise<Found | undefined> {
  const { type } = await statfs(there);
  if (inMemory.includes(type))
    return warn(
      `${folder} lies in memory (tmpfs): large messages under way take it from the programs`,
      'name a folder on a disk in spool.directory',
    );
  if (onNetwork.includes(type))
    return warn(
      `${folder} lies on a network file system: each message waits for it`,
      'name a folder on a local disk in spool.directory',
    );
  return undefined;
}

async function mounted({ fstab }: Context, folder: string): Promise<Found | undefined> {
  const missing = await unmounted(folder, fstab);
  return missing === undefined
    ? undefined
    : warn(
        `spool.directory ${folder} should lie on ${missing} as fstab says, which is not mounted: it is on another file system`,
        `mount ${missing}`,
      );
}

function messageOf(error: unknown, folder: string): string {
  const text = errorText(error);
  return text.includes('spool.directory') ? text : `spool.directory ${folder}: ${text}`;
}
