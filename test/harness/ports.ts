import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { isAlive } from './process.ts';

// Ports belong to the machine, so this is not in a private TMPDIR.
const reservations = '/tmp/detach-test-ports';
const mine = new Set<number>();

/**
 * A port on 127.0.0.1 that is reserved for this process until it ends, so that a server can be stopped and started
 * again. It is below the range that the kernel uses for outgoing connections. A file reserves it against test runs that
 * start servers at the same moment.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (reserve(port) && (await isFree(port))) return port;
  }
  throw new Error('no free port between 20000 and 32000');
}

function reserve(port: number): boolean {
  if (mine.size === 0) {
    mkdirSync(reservations, { recursive: true });
    process.once('exit', () => mine.forEach((each) => rmSync(join(reservations, String(each)), { force: true })));
  }
  const file = join(reservations, String(port));
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch {
    const owner = Number(readFileSync(file, { encoding: 'utf8', flag: 'a+' }));
    if (owner > 0 && !isAlive(owner)) rmSync(file, { force: true });
    return false;
  }
  mine.add(port);
  return true;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
