import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';

/** Servers whose command line names something in a folder; negative numbers for those that lead a process group. */
export function serversIn(folder: string): number[] {
  const servers: number[] = [];
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    const [program = '', ...rest] = commandLine(pid);
    if (!rest.some((word) => word.includes(`${folder}/`))) continue;
    if (/^(master|dovecot)$/.test(basename(program))) servers.push(-pid);
    else if (/^(node|php[\d.]*)$/.test(basename(program))) servers.push(pid);
  }
  return servers;
}

/** Empty for a process that has ended. */
export function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
