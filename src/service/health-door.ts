/** The door for monitoring: figures of all processes, and whether mail can pass. */
import type { Config } from '../config/config.ts';
import { startHealthServer, type Figures, type HealthServer } from '../observe/health.ts';
import type { Check } from '../observe/readiness.ts';
import { hostPort } from '../smtp/host-port.ts';
import type { ServiceProcess } from './service-process.ts';

type Address = Config['metrics'];

export class HealthDoor {
  readonly #figures: Figures;
  readonly #processes: () => readonly ServiceProcess[];
  /** By address as configured: two while a reload changes it. */
  readonly #servers = new Map<string, HealthServer>();
  #probing: Promise<readonly string[]> | undefined;

  constructor(figures: Figures, processes: () => readonly ServiceProcess[]) {
    this.#figures = figures;
    this.#processes = processes;
  }

  /** Of the one that was opened last. */
  get address(): string {
    return [...this.#servers.values()].at(-1)?.address ?? '';
  }

  /** Opens it where it is not open already. @throws the system's error */
  async open(metrics: Address): Promise<void> {
    const key = hostPort(metrics.address, metrics.port);
    if (this.#servers.has(key)) return;
    const options = { metrics, figures: this.#figures, checks: this.#checks() };
    this.#servers.set(key, await startHealthServer(options));
  }

  /** Closes all but this one. */
  async keep(metrics: Address | undefined): Promise<void> {
    const kept = metrics && hostPort(metrics.address, metrics.port);
    for (const [key, server] of this.#servers) {
      if (key === kept) continue;
      this.#servers.delete(key);
      await server.close();
    }
  }

  #checks(): readonly Check[] {
    return ['nextHop', 'storage', 'workers'].map((name) => ({
      name,
      check: async () => {
        // All three checks run at the same time: a mail process is asked once for all of them.
        this.#probing ??= this.#probe().finally(() => (this.#probing = undefined));
        return !(await this.#probing).includes(name);
      },
    }));
  }

  async #probe(): Promise<readonly string[]> {
    const serving = this.#processes().filter(({ role, serving }) => role === 'mail' && serving);
    const answers = await Promise.all(serving.map((process) => process.probe()));
    return answers.find((answer) => answer !== undefined) ?? ['workers'];
  }
}
