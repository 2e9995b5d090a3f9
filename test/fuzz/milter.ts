/**
 * Conversations of a mail server with a Milter: random messages, some of them damaged, cut at random places. Run it for
 * long with `node --import tsx test/fuzz/milter.ts 200000 [seed]`.
 */
import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { MilterConnection } from '../../src/inbound/milter/connection.ts';
import type { MilterMessage } from '../../src/inbound/milter/interface.ts';
import { MilterError } from '../../src/inbound/milter/milter-error.ts';
import { say } from '../../src/inbound/milter/testing/mail-server.ts';
import { type Random, randomNumbers } from './random.ts';
import { type Counts, inRounds, type Round } from './rounds.ts';

export interface MilterReport extends Counts {
  /** Messages that reached the filter, and conversations that were ended because of protocol errors. */
  readonly messages: number;
  readonly broken: number;
}

/** @throws at the first conversation that goes wrong, with its bytes and the seed that reproduces it */
export async function fuzzMilter({ iterations, seed }: Round): Promise<MilterReport> {
  const random = randomNumbers(seed);
  const counts = { messages: 0, broken: 0 };
  for (let i = 0; i < iterations; i++) {
    const { bytes, expected, damaged } = conversation(random);
    try {
      const whole = await converse(bytes, [bytes.length]);
      const cut = await converse(bytes, cuts(random, bytes.length));
      assert.deepEqual(cut, whole, 'the same however it is cut');
      if (!damaged) assert.deepEqual(whole, { seen: expected, ended: 'well' });
      counts.messages += whole.seen.length;
      if (whole.ended === 'broken') counts.broken += 1;
    } catch (error) {
      throw new Error(`seed ${seed}, iteration ${i}: ${bytes.toString('base64')}`, { cause: error });
    }
  }
  return counts;
}

interface Shown {
  readonly header: string;
  readonly body: string;
  readonly recipients: number;
}

function conversation(random: Random): { bytes: Buffer; expected: Shown[]; damaged: boolean } {
  const packets = [say.negotiate(), say.connect('mx', '192.0.2.1', random(65_536)), say.helo(text(random, 20))];
  const expected: Shown[] = [];
  for (let left = random(3); left >= 0; left--) {
    const message = messagePackets(random);
    packets.push(...message.packets);
    if (message.shown) expected.push(message.shown);
  }
  packets.push(say.quit());
  const damaged = random(3) === 0;
  if (damaged) damage(random, packets);
  return { bytes: Buffer.concat(packets), expected, damaged };
}

function messagePackets(random: Random): { packets: Buffer[]; shown: Shown | undefined } {
  const recipients = 1 + random(3);
  const packets = [say.macros('M', { i: 'Q' }), say.mail('<a@example.com>', 'SIZE=1')];
  for (let i = 0; i < recipients; i++) packets.push(say.rcpt('<b@example.org>'));
  let header = '';
  for (let i = random(5); i > 0; i--) {
    const [name, value] = [`X-${text(random, 5)}`, ` ${text(random, 30)}\n\t${text(random, 9)}`];
    packets.push(say.header(name, value));
    header += `${name}:${value.replaceAll('\n', '\r\n')}\r\n`;
  }
  packets.push(say.endOfHeader());
  let body = '';
  for (let i = random(4); i > 0; i--) {
    const chunk = text(random, random(8) === 0 ? 5000 : 40);
    packets.push(say.body(chunk));
    body += chunk;
  }
  if (random(6) === 0) return { packets: [...packets, say.abort()], shown: undefined };
  const last = random(2) === 0 ? text(random, 20) : '';
  packets.push(say.macros('E', { i: 'Q' }), say.endOfMessage(last));
  return { packets, shown: { header, body: body + last, recipients } };
}

const text = (random: Random, below: number): string =>
  Array.from({ length: random(below) }, () => String.fromCharCode(32 + random(90))).join('');

/** Drops, repeats, moves or changes a packet. */
function damage(random: Random, packets: Buffer[]): void {
  const at = random(packets.length);
  const packet = packets[at]!;
  switch (random(5)) {
    case 0:
      packets.splice(at, 1);
      break;
    case 1:
      packets.splice(at, 0, packet);
      break;
    case 2:
      packets.splice(random(packets.length), 0, ...packets.splice(at, 1));
      break;
    case 3:
      packet[random(packet.length)] = random(256);
      break;
    default:
      packets[at] = packet.subarray(0, random(packet.length));
  }
}

function cuts(random: Random, length: number): number[] {
  const most = random(3) === 0 ? 3 : 200;
  const sizes: number[] = [];
  for (let at = 0; at < length; at += sizes.at(-1)!) sizes.push(1 + random(most));
  return sizes;
}

const refusal = { code: 451, lines: ['4.3.0 failed'] };

async function converse(bytes: Buffer, sizes: readonly number[]): Promise<{ seen: Shown[]; ended: 'well' | 'broken' }> {
  const [ours, theirs] = duplexPair();
  const seen: Shown[] = [];
  const connection = new MilterConnection(ours, {
    macros: ['i'],
    maxHeaderBytes: 10_000,
    maxHeaderFields: 1000,
    openRoom: () => ({ grow: () => undefined, release: () => undefined }),
    replyWithinMs: 60_000,
    progressEveryMs: 60_000,
    filter: {
      failed: () => refusal,
      refused: () => refusal,
      message: async (message) => {
        seen.push(await shownOf(message));
        return { verdict: { kind: 'accept', headerChanges: [] } };
      },
    },
  });
  theirs.resume();
  let at = 0;
  for (const size of sizes) {
    theirs.write(bytes.subarray(at, at + size));
    at += size;
  }
  theirs.end();
  try {
    await connection.run();
    return { seen, ended: 'well' };
  } catch (error) {
    if (!(error instanceof MilterError)) throw error;
    return { seen, ended: 'broken' };
  } finally {
    ours.destroy();
    theirs.destroy();
  }
}

async function shownOf({ header, body, recipients }: MilterMessage): Promise<Shown> {
  let all = '';
  for await (const chunk of body) all += chunk.toString('latin1');
  return { header: header.toString('latin1'), body: all, recipients: recipients.length };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await inRounds(Number(process.argv[2] ?? 200_000), Number(process.argv[3] ?? 1), fuzzMilter);
