// Lets one process at a time into a section, over all that run in this checkout.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Waits for its turn, runs `section`, and lets the next one in. A lock whose owner is dead is taken over. */
export function withLock(directory, section) {
  const file = join(directory, 'lock');
  mkdirSync(directory, { recursive: true });
  for (let told = false; !acquire(file); told = true) {
    if (!told) console.log('setup: another setup is running in this checkout, waiting for it');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  try {
    return section();
  } finally {
    rmSync(file, { force: true });
  }
}

function acquire(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!ownerLives(file)) rmSync(file, { force: true });
    return false;
  }
}

function ownerLives(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // Empty: its owner has just created it and will write the number next.
    if (pid === 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
