/** What a message costs, for tests that compare it with an innocent one of the same size. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Detacher } from '../interface.ts';

export interface Cost {
  /** Milliseconds of CPU, all threads together. */
  readonly cpu: number;
  /** The longest time, in milliseconds of CPU, for which nothing else could run. */
  readonly longestTurn: number;
  readonly files: number;
}

const chunkBytes = 64 * 1024;

const envelope = { reversePath: 'sender@a.example', recipients: ['u@b.example'] };

/** A chunk for each turn of the event loop, as a socket gives them. */
async function* asReceived(message: Buffer): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < message.length; at += chunkBytes) {
    await nextTurn();
    yield Buffer.from(message.subarray(at, at + chunkBytes));
  }
}

const cpuSince = (start: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
};

async function pass(detacher: Detacher, message: Buffer): Promise<number> {
  const incoming = await detacher.receive(asReceived(message), { signal: new AbortController().signal });
  const outgoing = await incoming.detach(envelope);
  for await (const block of outgoing.body()) if (block.length > 0) await nextTurn();
  await outgoing.dispose();
  incoming.release();
  return outgoing.files.length;
}

/**
 * The better of two runs. CPU time of other processes does not count, but a garbage collection may fall into one run.
 */
export async function costOf(detacher: Detacher, message: Buffer): Promise<Cost> {
  const first = await measure(detacher, message);
  const second = await measure(detacher, message);
  return {
    cpu: Math.min(first.cpu, second.cpu),
    longestTurn: Math.min(await longestTurn(detacher, message), await longestTurn(detacher, message)),
    files: first.files,
  };
}

async function measure(detacher: Detacher, message: Buffer): Promise<{ readonly cpu: number; readonly files: number }> {
  const start = process.cpuUsage();
  const files = await pass(detacher, message);
  return { cpu: cpuSince(start), files };
}

async function longestTurn(detacher: Detacher, message: Buffer): Promise<number> {
  let longest = 0;
  let last = process.cpuUsage();
  let immediate: NodeJS.Immediate | undefined;
  const look = (): void => {
    longest = Math.max(longest, cpuSince(last));
    last = process.cpuUsage();
    immediate = setImmediate(look);
  };
  immediate = setImmediate(look);
  await pass(detacher, message);
  clearImmediate(immediate);
  return longest;
}
