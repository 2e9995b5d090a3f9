/**
 * Loaded into each process of the service by `--import`. Measures how long its event loop is held: processor time that
 * the main thread used between two turns in which a timer could run. Processor time, because other work on the machine
 * stretches wall time. Writes a line with the milliseconds, for each time above `reportedMs`.
 */
import { Buffer } from 'node:buffer';
import { appendFileSync, openSync, readSync } from 'node:fs';
import process from 'node:process';
import { setInterval } from 'node:timers';
import { isMainThread } from 'node:worker_threads';

const everyMs = 2;
const reportedMs = 10;
const directory = process.env['LOOP_PROBE_DIRECTORY'];

if (directory !== undefined && isMainThread) {
  const role = /([a-z]+)-process\./.exec(process.argv[1] ?? '')?.[1];
  if (role !== undefined) {
    const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
    const buffer = Buffer.alloc(64);
    const used = () => Number(buffer.toString('latin1', 0, readSync(file, buffer, 0, 64, 0)).split(' ')[0]) / 1e6;
    let last = used();
    setInterval(() => {
      const now = used();
      if (now - last > reportedMs) appendFileSync(`${directory}/${role}`, `${(now - last).toFixed(1)}\n`);
      last = used();
    }, everyMs).unref();
  }
}
