import { fail, ok, warn } from '../finding.ts';
import type { Check } from '../interface.ts';
import { clockOf, describeSkew, tolerableSkewMs } from './clock-of.ts';

/** Azure refuses signatures that are older, or younger, than this. */
const refusedMs = 900_000;

export const clock: Check = {
  name: 'clock',
  run: async ({ config, now }, signal) => {
    const skew = await clockOf(config, { now, signal });
    if (skew === undefined) return [ok('nobody was asked for the time')];
    const fix = 'set the clock of this machine with NTP: timedatectl set-ntp true';
    if (Math.abs(skew) > refusedMs) return [fail(`${describeSkew(skew)}: storage refuses what we sign`, fix)];
    if (Math.abs(skew) > tolerableSkewMs) return [warn(`${describeSkew(skew)}: links end at the wrong time`, fix)];
    return [ok('the clocks of this machine and of storage agree')];
  },
};
