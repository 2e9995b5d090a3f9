import { after } from 'node:test';
import { Cleanup } from './cleanup.ts';
import { privateDirectory, removeDirectory } from './private-directory.ts';

/** Where hooks are registered: the context of a test, or the file or suite when none is given. */
interface Hooks {
  after(hook: () => Promise<void>, options?: { timeout?: number }): void;
}

/**
 * Ends what a test started, in reverse order, whether it passed or not, so that a test reads top to bottom:
 *
 * test('…', async (t) => { const scenario = new Scenario(t); const b = await scenario.use(startPostfix({ … }));
 */
export class Scenario extends Cleanup {
  constructor(hooks: Hooks = { after }) {
    super();
    hooks.after(() => this.end());
  }

  directory(purpose: string): string {
    const directory = privateDirectory(purpose);
    this.defer(() => removeDirectory(directory));
    return directory;
  }
}
