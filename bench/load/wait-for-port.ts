import { connect } from 'node:net';
import { waitFor } from '../../test/harness/wait.ts';

/** Waits until something accepts connections there. */
export async function waitForPort(port: number): Promise<void> {
  await waitFor(() => accepts(port), { what: `a server on port ${port}` });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
