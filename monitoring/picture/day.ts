import { setTimeout as pause } from 'node:timers/promises';
import { buildMessage } from '../../test/harness/build-message.ts';
import { command } from '../../test/harness/command.ts';
import type { DetachInstance } from '../../test/harness/detach-mta.ts';
import { randomBytes } from '../../test/harness/random.ts';
import { sendMail } from '../../test/harness/send-mail.ts';
import type { Sink } from '../../test/harness/sink.ts';

const from = 'alice@example.com';
const to = ['bob@example.org', 'carol@example.org', 'dave@example.org'];
const linkPattern = /https?:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\b/;

/** A working day in some minutes: small mail, files, readers, and a next hop that is away for a while. */
export async function passDay(detach: DetachInstance, sink: Sink, seconds: number): Promise<void> {
  const evening = Date.now() + seconds * 1000;
  const repeat = async (everyMs: number, act: (round: number) => Promise<unknown>): Promise<void> => {
    for (let round = 0; Date.now() < evening; round += 1) {
      await act(round);
      await pause(everyMs);
    }
  };
  const outage = async (): Promise<void> => {
    await pause(0.45 * seconds * 1000);
    await sink.down();
    await pause(0.1 * seconds * 1000);
    await sink.up();
  };
  await Promise.all([
    repeat(150, (round) => sendSmall(detach, round)),
    repeat(400, (round) => sendSmall(detach, round)),
    repeat(900, (round) => sendFile(detach, round)),
    repeat(700, (round) => read(sink, round)),
    repeat(30_000, () => command(detach, ['sweep'])),
    outage(),
  ]);
}

async function sendSmall(detach: DetachInstance, round: number): Promise<void> {
  const recipients = round % 9 === 0 ? ['nobody@example.org'] : to.slice(0, 1 + (round % 3));
  const message = buildMessage({ from, to: recipients, text: `Round ${round}.\n`.repeat(1 + (round % 40)) });
  await sendMail({ port: detach.port, from, to: recipients, message });
}

/** Every third file is one that was sent before. */
async function sendFile(detach: DetachInstance, round: number): Promise<void> {
  const seed = round % 3 === 2 ? 'again' : `file ${round}`;
  const content = randomBytes(300_000 + (round % 7) * 250_000, seed);
  const message = buildMessage({ from, to, text: 'See there.\n', attachments: [{ name: 'plan.bin', content }] });
  await sendMail({ port: detach.port, from, to, message });
}

/** Opens a page, its file, and now and then a link that there is not. */
async function read({ messages }: Sink, round: number): Promise<void> {
  const links = messages.slice(-60).flatMap(({ data }) => linkPattern.exec(data.toString('latin1'))?.[0] ?? []);
  const link = links[round % Math.max(1, links.length)];
  if (link === undefined) return;
  const urls = [link, ...(round % 2 === 0 ? [`${link}/file`] : []), ...(round % 8 === 0 ? [`${link}x`] : [])];
  for (const url of urls) await (await fetch(url)).arrayBuffer();
}
