import { readFileSync } from 'node:fs';

/** A user of this machine. @throws Error when there is none of that name */
export function systemUser(name: string): { readonly uid: number; readonly gid: number } {
  const fields = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(readFileSync('/etc/passwd', 'utf8'));
  if (!fields) throw new Error(`no user ${name} on this machine: run \`node scripts/setup.mjs\``);
  return { uid: Number(fields[1]), gid: Number(fields[2]) };
}

/** The number of a group of this machine. @throws Error when there is none of that name */
export function systemGroup(name: string): number {
  const fields = new RegExp(`^${name}:[^:]*:(\\d+):`, 'm').exec(readFileSync('/etc/group', 'utf8'));
  if (!fields) throw new Error(`no group ${name} on this machine: run \`node scripts/setup.mjs\``);
  return Number(fields[1]);
}
