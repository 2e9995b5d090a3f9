import type { SpoolSpace } from '../detach/spool/spool-space.ts';
import type { KeyedQuota, Quota } from '../limits/quota.ts';
import { after } from './after.ts';
import type { SharedLimits } from './shared-limits.ts';

/** Counts the spool for the service as a whole. */
export class SharedSpace implements SpoolSpace {
  readonly #all: Quota;
  readonly #perClient: KeyedQuota;

  constructor(limits: Pick<SharedLimits, 'quota' | 'keyed'>) {
    this.#all = limits.quota('spool');
    this.#perClient = limits.keyed('spoolPerClient');
  }

  take(bytes: number, client: string | undefined): string | undefined | Promise<string | undefined> {
    if (client === undefined) return this.#takeOfAll(bytes);
    const share = this.#perClient.of(client);
    return after<string | undefined>(share.tryTake(bytes), (room) => {
      if (!room) return `client ${client} holds its share of the spool`;
      return this.#takeOfAll(bytes, () => share.give(bytes));
    });
  }

  give(bytes: number, client: string | undefined): void {
    this.#all.give(bytes);
    if (client !== undefined) this.#perClient.of(client).give(bytes);
  }

  #takeOfAll(bytes: number, undo: () => void = () => undefined): string | undefined | Promise<string | undefined> {
    return after<string | undefined>(this.#all.tryTake(bytes), (room) => {
      if (room) return undefined;
      undo();
      return 'the spool is full, over all processes of the service';
    });
  }
}
