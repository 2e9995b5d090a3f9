/** Attacks a process of the service, and asks how long a turn of its event loop took. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import type { DetachInstance } from '../harness/detach-mta.ts';
import { randomBytes } from '../harness/random.ts';
import { attacks, buildAttack, maxHoldMs } from './loop-attacks.ts';

/** A core that is shared makes the same work take up to twice its time, so the best of a few counts. */
const mostTries = 8;

const probe = join(import.meta.dirname, '../harness/loop-probe.mjs');

/** Options of a service whose turns are written to this directory. */
export const probedIn = (directory: string) => ({
  nodeOptions: ['--import', probe],
  env: { LOOP_PROBE_DIRECTORY: directory },
});

export interface Door {
  readonly detach: DetachInstance;
  /** As given to `probedIn`. */
  readonly directory: string;
  /** Resolves when the message was taken. */
  readonly send: (message: Buffer) => Promise<void>;
}

export async function attackLoop(t: TestContext, { detach, directory, send }: Door): Promise<void> {
  // Metrics ask the mail process: a turn of its loop after those that read the message.
  const longest = holdsIn(join(directory, 'mail'), async (message: Buffer) => {
    await send(message);
    await detach.metrics();
  });
  const content = randomBytes(1_500_000);
  const innocent = buildMessage({
    from: 'a@example.com',
    to: ['b@example.org'],
    attachments: [{ name: 'a.bin', content }],
  });
  for (let i = 0; i < 5; i++) await longest(innocent);
  for (const [what, attack] of Object.entries(attacks)) {
    const message = buildAttack(attack);
    await assertShort(t, what, () => longest(message));
  }
}

/**
 * @param file of the process that is attacked, written by the probe
 * @param attack resolves when the turns that it took are over
 * @returns the attack, which then resolves with the longest turn: ms of CPU
 */
export function holdsIn<T>(file: string, attack: (what: T) => Promise<unknown>): (what: T) => Promise<number> {
  appendFileSync(file, '');
  const holds = (): readonly number[] => readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
  assert.ok(holds().length > 0, 'the probe has measured the start of the process');
  return async (what) => {
    const seen = holds().length;
    await attack(what);
    return Math.max(0, ...holds().slice(seen));
  };
}

/** @param longest attacks once, and resolves with the longest turn: ms of CPU */
export async function assertShort(t: TestContext, what: string, longest: () => Promise<number>): Promise<void> {
  const tries: number[] = [];
  // Code that is compiled for the first time, and other work on the machine, can only add.
  while (tries.length < mostTries && (tries.at(-1) ?? Infinity) > maxHoldMs) tries.push(await longest());
  t.diagnostic(`${what}: ${tries.join(', ')} ms`);
  assert.ok(tries.at(-1)! <= maxHoldMs, `${what}: ${tries.join(', ')} ms`);
}
