import { readFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isHostname } from './addresses.ts';

/** The machine's full name, as `hostname -f` finds it: its own name, or the full one that /etc/hosts gives for it. */
export function machineName(): string {
  return fullName(hostname(), readHosts());
}

/** Pure part of `machineName`: `hosts` is the text of a hosts(5) file. */
export function fullName(name: string, hosts: string): string {
  if (name.includes('.')) return isHostname(name) ? name : 'localhost';
  for (const line of hosts.split('\n')) {
    const [, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const full = names.find((candidate) => candidate.includes('.') && isHostname(candidate));
    if (full !== undefined && names.includes(name)) return full;
  }
  return isHostname(name) ? name : 'localhost';
}

function readHosts(): string {
  try {
    return readFileSync('/etc/hosts', 'utf8');
  } catch {
    return '';
  }
}

/** Each user has a spool folder of their own, so that two users of one machine never share one. */
export function defaultSpoolDirectory(): string {
  return join(tmpdir(), `detach-mta-${process.getuid?.() ?? 0}`);
}
