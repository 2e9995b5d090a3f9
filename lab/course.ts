import type { DetachInstance } from '../test/harness/detach-mta.ts';
import type { LogEvent } from '../test/harness/json-log.ts';
import type { PostfixInstance } from '../test/harness/postfix.ts';
import { waitFor } from '../test/harness/wait.ts';
import type { LabView } from './chain.ts';
import { dim, heading, inDetail, row, size } from './terminal.ts';

/** One server's part in the course of a message: what it did, one line each. */
interface Station {
  readonly name: string;
  /** Its own number for the message. */
  readonly id: string;
  readonly lines: readonly string[];
}

/** Shows who had the message one after the other, from the logs. */
export async function showCourse(messageId: string, chain: LabView & { readonly b?: PostfixInstance }): Promise<void> {
  await waitFor(() => settled(messageId, chain.a) && (!chain.b || settled(messageId, chain.b)), {
    what: 'the last lines of the logs',
    bound: 5_000,
  }).catch(() => undefined);
  inDetail(() => heading('The course of the message'));
  for (const { name, id, lines } of stations(messageId, chain)) {
    lines.forEach((line, index) => row(index === 0 ? name : '', index === 0 ? `${line}  ${dim(id)}` : line));
  }
}

function stations(messageId: string, { a, b, detach, ports }: LabView & { readonly b?: PostfixInstance }): Station[] {
  const front = b ? 'Postfix A' : 'Postfix';
  const before = postfixStations(messageId, a.log(), front);
  const handsOver = before.findIndex(({ lines }) => lines.some((line) => line.includes(`:${ports.detach} `)));
  const filter = detachStations(messageId, detach);
  const after = b ? postfixStations(messageId, b.log(), 'Postfix B') : [];
  return [...before.slice(0, handsOver + 1), ...filter, ...before.slice(handsOver + 1), ...after];
}

/** Whether everything that had this message has logged its end. */
function settled(messageId: string, postfix: PostfixInstance): boolean {
  const log = postfix.log();
  const ids = queueIds(messageId, log);
  return ids.length > 0 && ids.every((id) => log.includes(` ${id}: removed`));
}

const queueIds = (messageId: string, log: string): string[] =>
  log
    .split('\n')
    .flatMap((line) => (line.includes(`message-id=${messageId}`) ? (/: (\w+): message-id/.exec(line)?.[1] ?? []) : []));

/** What a Postfix logged of each queue file that held this message. */
function postfixStations(messageId: string, log: string, name: string): Station[] {
  return queueIds(messageId, log).map((id) => {
    const lines = log.split('\n').filter((line) => line.includes(` ${id}: `));
    const service = /postfix\/(\S+?)\[/.exec(lines.find((line) => line.includes(': client=')) ?? '')?.[1] ?? 'pickup';
    const bytes = Number(/, size=(\d+),/.exec(lines.join('\n'))?.[1] ?? 0);
    return { name, id, lines: [`${service} takes it, ${size(bytes)}`, ...deliveries(lines)] };
  });
}

/** One line for all recipients who went the same way. */
function deliveries(lines: readonly string[]): string[] {
  const ways = new Map<string, number>();
  for (const line of lines) {
    const [, agent, relay, port, status, reply] =
      /postfix\/(\w+)\[.* relay=([^,[]+)\S*:(\d+),.* status=(\w+) \((.*)\)$/.exec(line) ?? [];
    if (agent === undefined) continue;
    const words = (reply ?? '').replace(/<\S+> \S+ Saved/, 'Saved').replace(/queued as \S+/, 'queued');
    const way = `${agent} to ${relay}:${port} for # of them: ${status}, ${words}`;
    ways.set(way, (ways.get(way) ?? 0) + 1);
  }
  return [...ways].map(([way, count]) => way.replace('#', String(count)));
}

function detachStations(messageId: string, detach: DetachInstance): Station[] {
  const mine = detach.events.filter((event) => event.event === 'transaction' && event['messageId'] === messageId);
  return mine.map((event) => ({ name: 'Detach MTA', id: String(event['id']), lines: [told(event)] }));
}

function told(event: LogEvent): string {
  const files = Array.isArray(event['files']) ? event['files'].length : 0;
  const took = files === 1 ? 'takes 1 file out' : `takes ${files} files out`;
  return `${took}, ${size(Number(event['bytesIn']))} become ${size(Number(event['bytesOut']))}`;
}
