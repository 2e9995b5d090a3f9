import { after } from 'node:test';
import { privateDirectory, removeDirectory } from './private-directory.ts';

interface Stoppable {
  stop(): Promise<unknown>;
}

/** Where node:test lets a hook be registered: a test's own context, or the file or suite when none is given. */
interface Hooks {
  after(hook: () => Promise<void>, options?: { timeout?: number }): void;
}

/**
 * What a test started, to be ended in reverse order whether it passed or not, so that a test reads top to bottom:
 *
 *     test('…', async (t) => {
 *       const scenario = new Scenario(t);
 *       const b = await scenario.use(startPostfix({ … }));
 */
export class Scenario {
  readonly #endings: (() => Promise<unknown>)[] = [];

  constructor(hooks: Hooks = { after }) {
    hooks.after(() => this.end());
  }

  async use<T extends Stoppable>(starting: T | Promise<T>): Promise<T> {
    const started = await starting;
    this.#endings.push(() => started.stop());
    return started;
  }

  defer(ending: () => unknown): void {
    this.#endings.push(() => Promise.resolve().then(ending));
  }

  directory(purpose: string): string {
    const directory = privateDirectory(purpose);
    this.defer(() => removeDirectory(directory));
    return directory;
  }

  /** Ends everything, also when one ending fails. @throws the first error met */
  async end(): Promise<void> {
    const errors: unknown[] = [];
    for (let ending = this.#endings.pop(); ending; ending = this.#endings.pop()) {
      await ending().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  }
}
