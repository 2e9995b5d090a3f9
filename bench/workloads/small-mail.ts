import { type SmtpSink, startSmtpSink } from '../load/smtp-sink.ts';
import { type SmallMail, smtpSource } from '../load/smtp-source.ts';
import { startStorage } from '../load/storage.ts';
import { timed } from '../measure/timed.ts';
import { startForwarder } from '../peers/bare-forwarder.ts';
import { startBuilds, startDetachMta } from '../peers/detach-mta.ts';
import { startHaraka } from '../peers/haraka.ts';
import type { Peer } from '../peers/peer.ts';
import { startPostfixRelay } from '../peers/postfix.ts';
import { type Bench, type Workload, withStarted } from './workload.ts';

type Situation = Omit<SmallMail, 'messages'>;

export const smallMail: Workload = {
  name: 'small',
  title: 'Small mail: 4 KB, nothing to detach',
  run: (bench) =>
    withStarted(async (use) => {
      const sink = await use(startSmtpSink());
      const storage = await use(startStorage('null'));
      const peers: Peer[] = [
        { name: 'direct', port: sink.port, pids: [sink.pid], stop: () => Promise.resolve() },
        ...(await Promise.all(startBuilds({ nextHop: sink.port, storage }, bench.builds).map(use))),
      ];
      if (!bench.buildsOnly) {
        peers.push(await use(startDetachMta({ nextHop: sink.port, storage, workers: 2 })));
        peers.push(await use(startPostfixRelay(sink.port)));
        peers.push(await use(startHaraka(sink.port)));
        peers.push(await use(startForwarder(sink.port)));
      }
      for (const peer of peers) {
        bench.progress(`small mail, warming up: ${peer.name}`);
        await warmUp({ peer, sink, quick: bench.quick });
      }
      const runs = new Map<string, SmallMail>();
      for (let round = 1; round <= bench.rounds; round++) {
        for (const situation of situations(bench.quick)) {
          for (const peer of peers) {
            bench.progress(`small mail, round ${round}: ${describe(situation)}, ${peer.name}`);
            await bench.attempt(`${describe(situation)}, ${peer.name}`, async () => {
              const key = `${describe(situation)} ${peer.name}`;
              const mail = runs.get(key) ?? (await calibrate({ peer, sink, situation, quick: bench.quick }));
              runs.set(key, mail);
              await measure(bench, { peer, sink, mail });
            });
          }
        }
      }
    }),
};

function describe({ sessions, recipients, keepOpen }: Situation): string {
  const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
  return `${plural(sessions, 'session')}, ${plural(recipients, 'recipient')}, ${keepOpen ? 'kept open' : 'new session each'}`;
}

function situations(quick: boolean): Situation[] {
  return [true, false].flatMap((keepOpen) =>
    (quick ? [10] : [1, 10, 100]).flatMap((sessions) =>
      (quick ? [1] : [1, 50]).map((recipients) => ({ sessions, recipients, keepOpen })),
    ),
  );
}

/**
 * Warms up, so that the code is compiled as in a server that has been up for a while. Kept sessions come first and take
 * longest: a program that waits before each banner would otherwise see too few messages.
 */
async function warmUp(options: {
  readonly peer: Peer;
  readonly sink: SmtpSink;
  readonly quick: boolean;
}): Promise<void> {
  const { peer, sink, quick } = options;
  const end = performance.now() + (quick ? 4000 : 8000);
  const mail = { messages: 200, sessions: 10, recipients: 1 };
  while (performance.now() < end) await relay({ peer, sink, mail: { ...mail, keepOpen: true } });
  await relay({ peer, sink, mail: { ...mail, keepOpen: false } });
}

/** A first run shows how many messages take the wanted time. */
async function calibrate(options: {
  readonly peer: Peer;
  readonly sink: SmtpSink;
  readonly situation: Situation;
  readonly quick: boolean;
}): Promise<SmallMail> {
  const { peer, sink, situation, quick } = options;
  const seconds = quick ? 1 : 2.5;
  let messages = Math.max(20, 2 * situation.sessions);
  for (;;) {
    const { wall } = await relay({ peer, sink, mail: { ...situation, messages } });
    const wanted = Math.ceil((messages * seconds) / wall);
    if (wall > seconds / 5) return { ...situation, messages: Math.max(messages, wanted) };
    messages = Math.min(wanted, messages * 10);
  }
}

function relay({ peer, sink, mail }: { readonly peer: Peer; readonly sink: SmtpSink; readonly mail: SmallMail }) {
  const before = sink.messages;
  return timed(peer.pids, async () => {
    await smtpSource(peer.port, mail);
    // A program that answers first and relays later is not done yet.
    await sink.waitForMessages(before + mail.messages);
  });
}

async function measure(
  bench: Bench,
  run: { readonly peer: Peer; readonly sink: SmtpSink; readonly mail: SmallMail },
): Promise<void> {
  const { wall, cpu } = await relay(run);
  const base = { work: 'small', situation: describe(run.mail), peer: run.peer.name };
  bench.record({ ...base, metric: 'messages/s', value: run.mail.messages / wall });
  bench.record({ ...base, metric: 'CPU s/1000 messages', value: (cpu / run.mail.messages) * 1000 });
}
