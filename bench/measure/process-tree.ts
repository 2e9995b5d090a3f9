/** Reads the cost of processes from /proc: CPU time and peak memory of a process and all its descendants. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

interface Stat {
  readonly parent: number;
  /** Ticks of the process itself and of its children that ended and were waited for. */
  readonly ticks: number;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/**
 * Seconds of CPU so far. A child that ends is counted by its parent from then on, so differences stay correct while
 * Postfix and MIMEDefang start and retire workers. The resolution is 10 ms.
 */
export function cpuSeconds(roots: readonly number[]): number {
  const stats = allStats();
  return descendants(roots, stats).reduce((sum, pid) => sum + (stats.get(pid)?.ticks ?? 0), 0) / ticksPerSecond;
}

/** Bytes: the sum of the peaks (VmHWM) of all processes of the tree. */
export function peakMemory(roots: readonly number[]): number {
  return descendants(roots, allStats()).reduce((sum, pid) => sum + peakOf(pid), 0);
}

function descendants(roots: readonly number[], stats: ReadonlyMap<number, Stat>): number[] {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of stats) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const found: number[] = [];
  const open = [...roots];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    found.push(pid);
    open.push(...(children.get(pid) ?? []));
  }
  return found;
}

function allStats(): Map<number, Stat> {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = pid > 0 ? readStat(pid) : undefined;
    if (stat) stats.set(pid, stat);
  }
  return stats;
}

/** proc(5): the second field is the command in parentheses and may hold anything. */
function readStat(pid: number): Stat | undefined {
  const text = readProc(pid, 'stat');
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), ticks };
}

function peakOf(pid: number): number {
  const [, kibibytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readProc(pid, 'status') ?? '') ?? [];
  return Number(kibibytes) * 1024;
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}
