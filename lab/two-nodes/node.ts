import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A process of the lab on one node. It gets commands of one word, one at a time. */
export class Node {
  readonly #child: ChildProcess;

  /** @param command words before `node`, as in `ip netns exec …` */
  constructor(command: readonly string[], script: string, args: readonly string[]) {
    const [program = '', ...before] = command;
    this.#child = spawn(program, [...before, process.execPath, '--import', 'tsx', script, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  /** Sends a word, if there is one, and waits for the answer. @returns whether all went well */
  async ask(word?: string): Promise<boolean> {
    const answer = Promise.race([once(this.#child, 'message'), once(this.#child, 'exit').then(() => [false])]);
    if (word !== undefined) this.#child.send(word);
    const [good] = (await answer) as [unknown];
    return good === true;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.send('stop');
    await exited;
  }
}

/** The other end: does the work for each word and answers; ends after `stop`. */
export function obey(words: ReadonlyMap<string, () => Promise<boolean>>, stop: () => Promise<void>): void {
  const answer = (good: boolean): void => void process.send?.(good);
  process.on('message', (word) => {
    if (word === 'stop') {
      void stop().finally(() => process.disconnect());
      return;
    }
    const act = words.get(String(word)) ?? (() => Promise.resolve(false));
    act().then(answer, (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      answer(false);
    });
  });
  answer(true);
}
