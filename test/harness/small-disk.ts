import { mkdirSync, writeFileSync } from 'node:fs';
import { copyFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './process.ts';
import type { Scenario } from './scenario.ts';

const mebibyte = 1024 * 1024;

/** What a small ext4 leaves for files: the rest is its own. */
const ext4Room = 0.85;

/**
 * A separate file system on a file of this machine. Needs root. Where the kernel has no loop devices (many containers)
 * it is a tmpfs of the same size: it cannot simulate a power cut, and `afterPowerCut` gives everything that was
 * written.
 */
export class SmallDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly #image: string;
  #inMemory = false;

  private constructor(path: string, image: string) {
    this.path = path;
    this.#image = image;
  }

  /** An empty ext4 of `size` MiB, which flushes nothing by itself for five minutes. */
  static async create(scenario: Scenario, size: number): Promise<SmallDisk> {
    const home = scenario.directory('disk');
    const disk = new SmallDisk(join(home, 'mounted'), join(home, 'image'));
    mkdirSync(disk.path);
    writeFileSync(disk.#image, '');
    await truncate(disk.#image, size * mebibyte);
    try {
      await run('mkfs.ext4', ['-q', '-F', '-m', '0', disk.#image]);
      await disk.#mount(scenario, ['-o', 'loop,commit=300', disk.#image]);
    } catch {
      disk.#inMemory = true;
      await disk.#mount(scenario, ['-t', 'tmpfs', '-o', `size=${Math.floor(size * ext4Room)}m`, 'tmpfs']);
    }
    return disk;
  }

  /** A tmpfs with room for so many files and folders. */
  static async ofInodes(scenario: Scenario, inodes: number): Promise<SmallDisk> {
    const home = scenario.directory('disk');
    const disk = new SmallDisk(join(home, 'mounted'), join(home, 'image'));
    mkdirSync(disk.path);
    disk.#inMemory = true;
    await disk.#mount(scenario, ['-t', 'tmpfs', '-o', `size=64m,nr_inodes=${inodes}`, 'tmpfs']);
    return disk;
  }

  /** What a power cut at this moment would leave: only what was flushed to the disk. */
  async afterPowerCut(scenario: Scenario): Promise<SmallDisk> {
    const home = scenario.directory('disk-after');
    const copy = new SmallDisk(join(home, 'mounted'), join(home, 'image'));
    mkdirSync(copy.path);
    if (this.#inMemory) {
      await run('cp', ['-a', `${this.path}/.`, copy.path]);
    } else {
      await copyFile(this.#image, copy.#image);
      await copy.#mount(scenario, ['-o', 'loop,commit=300', copy.#image]);
    }
    return copy;
  }

  async #mount(scenario: Scenario, options: readonly string[]): Promise<void> {
    await run('mount', [...options, this.path]);
    scenario.defer(() => run('umount', ['-l', this.path]));
  }
}
