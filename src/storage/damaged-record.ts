import { Failure } from '../smtp/failures.ts';

export interface Damage {
  /** Which operation met it, for the log; never a token. */
  readonly what: string;
  /** What is wrong, without any of its text. */
  readonly problem: string;
}

/** A record is there and cannot be read: the disk has damaged it, or it has lost its rights. */
export class DamagedRecord extends Failure {
  readonly #blob: string;
  readonly problem: string;

  /** @param blob its name */
  constructor(blob: string, { what, problem }: Damage) {
    super('storageFailed', { reason: `storage: ${what}: ${problem}`, record: blob });
    this.#blob = blob;
    this.problem = problem;
  }

  override get record(): string {
    return this.#blob;
  }
}

/** Told of each record that cannot be read. */
export type OnDamage = (record: DamagedRecord) => void;

/** Records that a command describes one by one; it only counts the others. */
const maxDescribed = 20;
/** Records that are counted once, however often they are met. */
const maxCounted = 100_000;

/** Records that a command could not read. */
export class DamagedRecords {
  readonly #described: DamagedRecord[] = [];
  readonly #names = new Set<string>();
  #hasLink = false;

  readonly add: OnDamage = (damaged) => {
    if (damaged.record.startsWith('links/')) this.#hasLink = true;
    if (this.#names.size >= maxCounted || this.#names.has(damaged.record)) return;
    this.#names.add(damaged.record);
    if (this.#described.length < maxDescribed) this.#described.push(damaged);
  };

  /** At most 100,000 are counted. */
  get count(): number {
    return this.#names.size;
  }

  /** The first ones. */
  get described(): readonly DamagedRecord[] {
    return this.#described;
  }

  /** Whether one of them is a link: nobody knows then what that link needs. */
  get hasLink(): boolean {
    return this.#hasLink;
  }
}
