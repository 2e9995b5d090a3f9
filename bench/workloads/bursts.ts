import { startSmtpSink } from '../load/smtp-sink.ts';
import { smtpSource } from '../load/smtp-source.ts';
import { startStorage } from '../load/storage.ts';
import { timed } from '../measure/timed.ts';
import { startBuilds } from '../peers/detach-mta.ts';
import { type Bench, type Workload, withStarted } from './workload.ts';

/** Enough that the kernel's hundredths of a second do not count. */
const burst = { kept: 500, new: 250 } as const;
const sessions = 10;

/**
 * Builds only: all of them run at the same time and take short bursts in turn, many times. Whatever else the machine does
 * meets all of them alike, so a few percent can be told apart where the rates of `small` scatter by a third.
 */
export const bursts: Workload = {
  name: 'bursts',
  title: 'Small mail in short bursts, builds in turn: CPU',
  run: (bench) =>
    withStarted(async (use) => {
      if (bench.builds.length === 0) return;
      const sink = await use(startSmtpSink());
      const storage = await use(startStorage('null'));
      const peers = await Promise.all(startBuilds({ nextHop: sink.port, storage }, bench.builds).map(use));
      for (const [situation, keepOpen, messages] of [
        ['kept open', true, burst.kept],
        ['new session each', false, burst.new],
      ] as const) {
        const mail = { messages, sessions, recipients: 1, keepOpen };
        for (let round = -warmingUp(bench); round < rounds(bench); round++) {
          bench.progress(`bursts, ${situation}, round ${round + 1}`);
          // Nobody is always the first.
          for (const peer of round % 2 === 0 ? peers : [...peers].reverse()) {
            const { cpu } = await timed(peer.pids, () => smtpSource(peer.port, mail));
            const base = { work: 'bursts', situation, peer: peer.name } as const;
            if (round >= 0) bench.record({ ...base, metric: 'CPU s/1000 messages', value: (cpu / messages) * 1000 });
          }
        }
      }
    }),
};

const rounds = ({ quick }: Bench): number => (quick ? 40 : 150);
const warmingUp = ({ quick }: Bench): number => (quick ? 8 : 20);
