import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateDirectory, removeDirectory } from '../private-directory.ts';
import { isAlive, run, terminate, type RunOptions } from '../process.ts';
import { patience, waitFor } from '../wait.ts';
import { ControlGroup } from './control-group.ts';
import { machineFiles, type MachineKind } from './machine-files.ts';

const quiet = ['--register=no', '--keep-unit', '--quiet'];

/** A Debian with a booted systemd of its own (systemd-nspawn), on the network of this machine. */
export class Machine {
  /** Its files, as this machine sees them. */
  readonly root: string;
  readonly #home: string;
  readonly #container: number;
  readonly #group: ControlGroup;
  #init = 0;

  constructor(home: string, container: number, group: ControlGroup) {
    this.#home = home;
    this.root = join(home, 'root');
    this.#container = container;
    this.#group = group;
  }

  /** The process that is its init, as this machine sees it: for nsenter(1). */
  get init(): number {
    return this.#init;
  }

  /** Runs a program in it as root. @throws Error when it fails, with what it said */
  run(program: string, args: readonly string[] = [], options: RunOptions = {}): Promise<string> {
    const env = ['-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C', 'DEBIAN_FRONTEND=noninteractive'];
    return run('nsenter', ['-t', String(this.#init), '-a', '--', 'env', ...env, program, ...args], options);
  }

  /** As `run` for a line of sh, with both outputs. */
  sh(line: string): Promise<string> {
    return this.run('sh', ['-c', `exec 2>&1; ${line}`]);
  }

  /** Waits until a line of sh succeeds. It is asked in there: processes are cheaper than from outside. */
  until(line: string): Promise<string> {
    const bound = (2 * patience) / 1000;
    return this.sh(
      `timeout ${bound} sh -c 'until ${line}; do sleep 0.2; done' || { echo "gave up: ${line}"; exit 1; }`,
    );
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  write(path: string, content: string): void {
    writeFileSync(join(this.root, path), content);
  }

  /** The value of a property of a unit, as `systemctl show` has it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.run('systemctl', ['show', '--value', '-p', name, unit])).trim();
  }

  log(unit: string): Promise<string> {
    return this.sh(`journalctl --no-pager -o cat -u ${unit}`);
  }

  async booted(): Promise<void> {
    await waitFor(
      async () => {
        if (!isAlive(this.#container)) throw new Error(`systemd-nspawn ended: ${this.#said()}`);
        // The first process that systemd-nspawn starts only prepares the other one, which is init.
        this.#init = Number(readChildren(this.#container).at(-1) ?? 0);
        if (this.#init === 0 || !existsSync(join('/proc', String(this.#init), 'root', 'run/systemd/private')))
          return false;
        const state = await this.sh('systemctl is-system-running --wait || true').catch(() => '');
        return /^(running|degraded)$/m.test(state);
      },
      { what: 'a machine to boot', bound: 120_000, every: 100, detail: () => this.#said() },
    );
  }

  async stop(): Promise<void> {
    // systemd-nspawn asks init to power off when it is told to end.
    await terminate(this.#container, { bound: 30_000 });
    await this.#group.remove();
    removeDirectory(this.#home);
  }

  #said(): string {
    return readFileSync(join(this.#home, 'console'), 'latin1').slice(-3000);
  }
}

export interface MachineOptions {
  /** Distinguishes the machines of one process. */
  readonly name?: string;
  /** What it is made from: `bare` if not given. */
  readonly kind?: MachineKind;
  /** A network namespace to be its network; else it has the network of this machine. */
  readonly namespace?: string;
  /** Changes its files before it boots. */
  readonly prepare?: (root: string) => Promise<unknown>;
}

export async function startMachine(options: MachineOptions = {}): Promise<Machine> {
  const { name = 'm', kind = 'bare', namespace, prepare } = options;
  const files = await machineFiles(kind);
  const home = privateDirectory('machine');
  const root = join(home, 'root');
  await run('cp', ['-a', '--reflink=auto', files, root]);
  await prepare?.(root);
  const console = openSync(join(home, 'console'), 'w');
  const network = namespace === undefined ? [] : [`--network-namespace-path=/run/netns/${namespace}`];
  const mode = [...quiet, '--suppress-sync=yes', '--resolv-conf=off', '--timezone=off', ...network];
  const machineName = `detach-test-${process.pid}-${name}`;
  const group = new ControlGroup(machineName);
  const nspawn = ['systemd-nspawn', ...mode, `--machine=${machineName}`, '-D', root, '-b'];
  // It is told to end when we have been killed, and tells init then.
  const container = spawn('sh', ['-c', group.enter, 'sh', 'setpriv', '--pdeathsig', 'TERM', ...nspawn], {
    stdio: ['ignore', console, console],
    // Ctrl-C on a terminal is for us: who ends a machine is `stop`.
    detached: true,
  });
  closeSync(console);
  if (container.pid === undefined) throw new Error('systemd-nspawn did not start');
  const machine = new Machine(home, container.pid, group);
  try {
    await machine.booted();
  } catch (error) {
    await machine.stop();
    throw error;
  }
  return machine;
}

function readChildren(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
}
