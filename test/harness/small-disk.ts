import { mkdirSync, writeFileSync } from 'node:fs';
import { copyFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './process.ts';
import type { Scenario } from './scenario.ts';

const mebibyte = 1024 * 1024;

/** A file system of its own on a file of this machine. Needs root. */
export class SmallDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly #image: string;

  private constructor(path: string, image: string) {
    this.path = path;
    this.#image = image;
  }

  /** An empty ext4 of so many MiB, which flushes nothing by itself for five minutes. */
  static async create(scenario: Scenario, size: number): Promise<SmallDisk> {
    const home = scenario.directory('disk');
    const disk = new SmallDisk(join(home, 'mounted'), join(home, 'image'));
    mkdirSync(disk.path);
    writeFileSync(disk.#image, '');
    await truncate(disk.#image, size * mebibyte);
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', disk.#image]);
    await disk.#mount(scenario);
    return disk;
  }

  /** What a power cut at this moment would leave: what was flushed, and nothing of what the kernel holds in memory. */
  async afterPowerCut(scenario: Scenario): Promise<SmallDisk> {
    const home = scenario.directory('disk-after');
    const copy = new SmallDisk(join(home, 'mounted'), join(home, 'image'));
    mkdirSync(copy.path);
    await copyFile(this.#image, copy.#image);
    await copy.#mount(scenario);
    return copy;
  }

  async #mount(scenario: Scenario): Promise<void> {
    await run('mount', ['-o', 'loop,commit=300', this.#image, this.path]);
    scenario.defer(() => run('umount', ['-l', this.path]));
  }
}
