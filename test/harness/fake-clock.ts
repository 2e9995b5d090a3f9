import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A wall clock for programs that a test starts, which the test can move forward. Needs Debian's `libfaketime`. */
export class FakeClock {
  readonly #file: string;

  constructor(directory: string) {
    this.#file = join(directory, 'clock');
    this.forward(0);
  }

  /** Programs that run with these variables see the clock. Timers still run in real time. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Sets the clock this many seconds ahead of the real time. */
  forward(seconds: number): void {
    writeFileSync(this.#file, `+${seconds}\n`);
  }
}

function library(): string {
  const [folder] = readdirSync('/usr/lib')
    .map((name) => join('/usr/lib', name, 'faketime'))
    .filter((path) => exists(path));
  if (folder === undefined) throw new Error('libfaketime is missing');
  return join(folder, 'libfaketimeMT.so.1');
}

function exists(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    return false;
  }
}
