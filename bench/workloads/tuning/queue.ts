import type { PostfixSettings } from '../../../test/harness/postfix-home.ts';
import { type PostfixInstance, startPostfix } from '../../../test/harness/postfix.ts';
import type { SmtpSink } from '../../load/smtp-sink.ts';
import { cpuSeconds } from '../../measure/process-tree.ts';

/** Postfix A in front of Detach MTA, with times that let a run be short. */
export const startA = (port: number, settings: PostfixSettings = {}): Promise<PostfixInstance> =>
  startPostfix({ dir: 'postfix-a', settings: { relayhost: `[127.0.0.1]:${port}`, ...settings } });

export interface Load {
  readonly settings?: PostfixSettings;
  /** Puts mail into A's queue. */
  readonly fill: (a: PostfixInstance) => Promise<void>;
  /** Messages that `fill` sends. */
  readonly queued: number;
  /** Messages that the sink gets of them. */
  readonly expected?: number;
  /** Whose CPU is counted, A's aside. */
  readonly pids?: readonly number[];
}

export interface Drained {
  readonly wall: number;
  readonly cpu: number;
  readonly log: string;
}

/** Mail waits in A's queue first, so that only its way out is measured. */
export async function drain(
  a: PostfixInstance,
  sink: SmtpSink,
  { settings = {}, fill, queued, expected = queued, pids = [] }: Load,
): Promise<Drained> {
  await a.postconf({ ...settings, defer_transports: 'smtp' });
  await fill(a);
  await a.waitForQueue((queue) => deferred(queue) === queued, `${queued} deferred`);
  await a.postconf({ defer_transports: '' });
  const roots = [...pids, a.pid ?? 0];
  const [before, since] = [sink.messages, a.log().length];
  const [cpu, start] = [cpuSeconds(roots), performance.now()];
  await a.flush();
  await sink.waitForMessages(before + expected);
  const wall = (performance.now() - start) / 1000;
  const spent = cpuSeconds(roots) - cpu;
  await a.waitForEmptyQueue();
  return { wall, cpu: spent, log: a.log().slice(since) };
}

const deferred = (queue: readonly { readonly queue_name: string }[]): number =>
  queue.filter(({ queue_name }) => queue_name === 'deferred').length;

/** Of 100 messages that A delivered, how many needed a session of their own. */
export function sessionsPer100(log: string): number {
  const sent = log.split('\n').filter((line) => line.includes('status=sent'));
  return (sent.filter((line) => !line.includes('conn_use=')).length / sent.length) * 100;
}
