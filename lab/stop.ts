import { isAlive } from '../test/harness/process.ts';
import { waitFor } from '../test/harness/wait.ts';
import { labPlace } from './places.ts';
import { runningLab } from './state.ts';
import { say } from './terminal.ts';

/** Stops the lab that runs in this checkout, if any. @returns the exit status */
export async function stop(directory?: string): Promise<number> {
  const { home } = await labPlace(directory);
  const running = await runningLab(home);
  if (!running) {
    say('No lab is running here.');
    return 0;
  }
  process.kill(running.pid, 'SIGTERM');
  await waitFor(() => !isAlive(running.pid), { what: `the lab, process ${running.pid}, to stop` });
  say('Stopped.');
  return 0;
}
