import { join } from 'node:path';
import { dovecotPassword } from '../test/harness/dovecot.ts';
import { people } from './back.ts';
import { assertFree, labHome, type LabPorts, usualPorts } from './places.ts';
import type { Preset } from './preset.ts';
import { sendSample, startChain } from './round.ts';
import { forgetState, runningLab, writeState } from './state.ts';
import { bold, heading, row, say } from './terminal.ts';

/** Starts the lab and keeps it up until Ctrl-C or `stop`. @returns the exit status */
export async function up(preset: Preset): Promise<number> {
  const home = labHome();
  const running = await runningLab(home);
  if (running) {
    say(`The lab is running already, as process ${running.pid}.`);
    showHelp(preset, home, running.ports);
    return 0;
  }
  await assertFree(usualPorts);
  say(bold(preset.title));
  const stopped = nextStop();
  writeState(home, { pid: process.pid, ports: usualPorts, servers: [] });
  try {
    const chain = await startChain(preset, home, usualPorts);
    try {
      writeState(home, { pid: process.pid, ports: usualPorts, servers: chain.servers });
      const good = await sendSample(chain, preset.front);
      showHelp(preset, home, usualPorts);
      await stopped;
      say('\nStopping.');
      return good ? 0 : 1;
    } finally {
      await chain.stop();
    }
  } finally {
    forgetState(home);
  }
}

function nextStop(): Promise<void> {
  return new Promise((resolve) => {
    // The lab only waits for a signal; this timer keeps the process running.
    const hold = setInterval(() => undefined, 3_600_000);
    const end = (): void => {
      clearInterval(hold);
      resolve();
    };
    // Ignored, so that a second Ctrl-C does not leave half of the lab running.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
  });
}

function showHelp({ front, postfixes }: Preset, home: string, ports: LabPorts): void {
  const [from, to] = people;
  heading('The lab stays up');
  row('send a file', 'npm run lab -- send FILE [TO …]');
  row('  or with swaks', `swaks --server 127.0.0.1:${ports.postfixA} --from ${from} --to ${to} --attach @FILE`);
  row('mailboxes', people.join(', '));
  row('  by IMAP', `127.0.0.1 port ${ports.imap}, no TLS, password "${dovecotPassword}"`);
  row('  by curl', `curl -u ${to}:${dovecotPassword} "imap://127.0.0.1:${ports.imap}/INBOX;MAILINDEX=1"`);
  row('figures', `http://127.0.0.1:${ports.metrics}/metrics`);
  row('logs', join(home, 'detach-mta/detach-mta.log'));
  for (const name of [...postfixes, 'dovecot']) row('', join(home, name, 'log'));
  row(`queue of ${front}`, `postqueue -c ${join(home, postfixes[0], 'etc')} -p`);
  row('stop', 'Ctrl-C, or npm run lab -- stop');
  row('start from nothing', `stop it, rm -rf ${home}`);
}
