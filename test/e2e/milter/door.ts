/**
 * The Milter in the process of the test, for what a process of its own does not let a test do: shorter timers, a store
 * that is slow, a look at what was shown. Everything between the socket and the store is the real thing.
 */
import { Lab, type LabOptions } from '../../../src/detach/testing/lab.ts';
import { createMilterFilter } from '../../../src/course/milter.ts';
import type { MilterFilter } from '../../../src/inbound/milter/interface.ts';
import { startMilterServer } from '../../../src/inbound/milter/server.ts';
import { guardWith } from '../../../src/loopguard/testing/guard.ts';
import type { Fields } from '../../../src/observe/interface.ts';
import { RecordingLog } from '../../../src/outbound/testing/options.ts';
import { silentMeter } from '../../../src/detach/testing/lab.ts';

export interface DoorOptions extends Omit<LabOptions, 'log'> {
  readonly replyWithinMs?: number;
  readonly progressEveryMs?: number;
}

export interface Door {
  readonly port: number;
  readonly lab: Lab;
  readonly log: RecordingLog;
  /** Messages as they were shown, from header to the last byte. */
  readonly shown: readonly Buffer[];
  /** Closing lines of the transactions. */
  transactions(): readonly Fields[];
  stop(): Promise<void>;
}

export async function startDoor(options: DoorOptions = {}): Promise<Door> {
  const log = new RecordingLog();
  const lab = new Lab({ ...options, log });
  const shown: Buffer[] = [];
  const filter = createMilterFilter({ guard: guardWith(), detacher: lab.detacher, log, meter: silentMeter });
  const server = await startMilterServer({
    listen: { host: '127.0.0.1', port: 0 },
    filter: recording(filter, shown),
    macros: ['i'],
    maxHeaderBytes: 2 * 1024 * 1024,
    maxHeaderFields: 131_072,
    openRoom: (client) => lab.detacher.openRoom(client),
    replyWithinMs: options.replyWithinMs ?? 285_000,
    progressEveryMs: options.progressEveryMs ?? 10_000,
    enter: () => ({ kind: 'admitted', leave: () => undefined }),
    trusts: () => true,
    report: (event) => log.warn('milter-error', { ...event }),
  });
  return {
    port: server.port,
    lab,
    log,
    shown,
    transactions: () => log.entries.filter(({ event }) => event === 'transaction'),
    async stop() {
      await server.close({ hurry: AbortSignal.abort(), deadline: AbortSignal.abort() });
      await lab.close();
    },
  };
}

function recording(filter: MilterFilter, shown: Buffer[]): MilterFilter {
  return {
    failed: (error) => filter.failed(error),
    refused: (envelope, error) => filter.refused(envelope, error),
    message(message) {
      async function* copied(): AsyncGenerator<Buffer, void, undefined> {
        const parts = [Buffer.concat([message.header, Buffer.from('\r\n')])];
        for await (const chunk of message.body) {
          parts.push(Buffer.from(chunk));
          yield chunk;
        }
        shown.push(Buffer.concat(parts));
      }
      return filter.message({ ...message, body: copied() });
    },
  };
}
