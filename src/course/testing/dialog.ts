/**
 * Plays a dialog of three: a client, the relay in the middle, and a next hop. Everything between the two sockets is the
 * real thing: front door, relay, guard, detacher, pool of sessions; files go to a store in memory. A dialog is lines of
 *
 *     client > line        the client says it
 *     client >> line       the same, and what follows in the same write
 *     client > [name]      the client sends that message of `messages`, with its final dot
 *     client >| [name]     the same without its last two lines: it stops in the middle
 *     client < line        what the client must hear
 *     client leaves        it closes the connection without a word
 *     hop opens EXT, EXT   the relay connects, and greets a next hop with these extensions
 *     hop refuses LINE     the relay connects, and is greeted with that and a close
 *     hop < line           what the next hop must hear; `hop` is the connection opened last, `hop1` the first one
 *     hop < [message]      a message up to its final dot
 *     hop > line           the next hop says it
 *     hop STEP             another step of `ScriptedPeer`: close, reset, gone, drain
 *     store fails          from here on nothing can be stored
 *
 * Greeting and EHLO of the client stand in none of them, QUIT and RSET of the relay to a next hop need not.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { SmtpDialog } from '../../../test/harness/smtp-dialog.ts';
import { Lab } from '../../detach/testing/lab.ts';
import { startInbound, type SmtpInbound } from '../../inbound/smtp/server.ts';
import { doorSettings } from '../../inbound/smtp/testing/door.ts';
import { notificationWriter } from '../../loopguard/notification.ts';
import { ownCalls } from '../../loopguard/testing/calls.ts';
import { block, guardWith } from '../../loopguard/testing/guard.ts';
import type { Fields } from '../../observe/interface.ts';
import { nextHopOptions, type RecordingLog } from '../../outbound/testing/options.ts';
import { stage } from '../../outbound/testing/stage.ts';
import { hello } from '../../outbound/testing/transaction.ts';
import { MemoryStore } from '../../storage/testing/memory-store.ts';
import { Relay, type RelayOptions } from '../relay.ts';
import { DialogClient } from './dialog-client.ts';

export interface DialogOptions {
  readonly inbound?: Partial<SmtpInbound>;
  readonly outboundProtocol?: 'smtp' | 'lmtp';
  readonly relay?: Partial<RelayOptions>;
  /** What the next hop offers says that it is this relay. */
  readonly isMirror?: boolean;
  /** By name; `letter` is one without files. Lines end in LF here. */
  readonly messages?: Readonly<Record<string, string>>;
}

export interface Played {
  /** What the next hop took, as text with LF; dots still stuffed. */
  readonly messages: readonly string[];
  /** The closing lines of the transactions. */
  readonly transactions: readonly Fields[];
  readonly log: RecordingLog;
  readonly store: MemoryStore;
}

export const sampleLetter =
  'Message-ID: <1@a.example>\nDate: Thu, 15 Jan 2026 12:00:00 +0000\nFrom: a@a.example\n\nHello\n';

/** The letter as it comes back with a stamp for these recipients. */
export function stampedFor(recipients: readonly string[], from = 'a@a.example'): string {
  const header = block(sampleLetter.replace(/\n\n[^]*/, '\n'));
  const field = guardWith().stamp(header, { recipients, reversePath: from, now: Date.now() });
  return field.replaceAll('\r\n', '\n') + sampleLetter;
}

type Step = readonly [who: string, verb: string, text: string];

/** @throws AssertionError where somebody said something else */
export async function dialog(t: TestContext, text: string, options: DialogOptions = {}): Promise<Played> {
  const steps = parse(text);
  const protocol = options.outboundProtocol ?? 'smtp';
  const { hop, log, peer, end } = await stage(t, scripts(steps, protocol), {
    outbound: { protocol },
    isMirror: () => options.isMirror ?? false,
  });
  const store = new MemoryStore();
  const lab = new Lab({ store, log });
  t.after(() => lab.close());
  const inbound = { ...doorSettings, xforwardHosts: ['127.0.0.0/8'], ...options.inbound };
  const door = await openDoor({ inbound, nextHop: hop, outboundProtocol: protocol, lab, log, relay: options.relay });
  const closing = { hurry: AbortSignal.abort(), deadline: AbortSignal.timeout(10_000) };
  t.after(() => door.close(closing));
  const connection = await SmtpDialog.open(door.port);
  t.after(() => connection.stop());
  await connection.expect(250, `${inbound.protocol === 'lmtp' ? 'LHLO' : 'EHLO'} c.example`);
  const client = new DialogClient(connection, { letter: sampleLetter, ...options.messages });
  for (const [who, verb, said] of steps) {
    if (who === 'store') store.down = true;
    if (who === 'client') await client.step(verb, said);
  }
  await client.quit();
  await door.close(closing);
  await end();
  return {
    messages: peer.messages.map((message) => message.replaceAll('\r\n', '\n')),
    transactions: log.entries.filter(({ event }) => event === 'transaction'),
    log,
    store,
  };
}

interface DoorParts extends Pick<RelayOptions, 'nextHop' | 'outboundProtocol' | 'log'> {
  readonly inbound: SmtpInbound;
  readonly lab: Lab;
  readonly relay: DialogOptions['relay'];
}

/** The relay under test behind a real front door. */
function openDoor({ inbound, lab, relay = {}, ...rooms }: DoorParts): ReturnType<typeof startInbound> {
  const { meter } = nextHopOptions([]);
  const hostname = 'relay.example';
  const guard = guardWith();
  return startInbound({
    hostname,
    inbound,
    offers: { extensions: () => ['8BITMIME', 'DSN', `XDETACH ${guard.fingerprint}`] },
    log: rooms.log,
    meter,
    open: () =>
      new Relay({
        hostname,
        inboundProtocol: inbound.protocol,
        maxMessageSize: inbound.maxMessageSize,
        guard,
        calls: ownCalls(hostname),
        detacher: lab.detacher,
        notify: notificationWriter({ hostname }),
        meter,
        policyClass: lab.detacher.policyClass,
        ...rooms,
        ...relay,
      }),
  });
}

function parse(text: string): readonly Step[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter(Boolean).map((line): Step => {
    const [, who = '', verb = '', said = ''] = /^(client|hop\d?|store) +(\S+) ?(.*)$/.exec(line) ?? [];
    assert.ok(who !== '', `no such line in a dialog: ${line}`);
    return [who, verb, said.trim()];
  });
}

/** The part of the next hop: a script for each connection. */
function scripts(steps: readonly Step[], protocol: 'smtp' | 'lmtp'): readonly string[] {
  const all: string[][] = [];
  for (const [who, verb, said] of steps) {
    if (!who.startsWith('hop')) continue;
    if (verb === 'opens') {
      const greeting = hello(...said.split(/, */).filter(Boolean));
      all.push([protocol === 'lmtp' ? greeting.replace('C: EHLO', 'C: LHLO') : greeting]);
    } else if (verb === 'refuses') all.push([`S: ${said}`, 'close']);
    else all[who === 'hop' ? all.length - 1 : Number(who.slice(3)) - 1]?.push(peerStep(verb, said));
  }
  return all.map((lines) => lines.join('\n'));
}

/** A line as `ScriptedPeer` has it. */
function peerStep(verb: string, said: string): string {
  if (verb === '>') return `S: ${said}`;
  if (verb === '<') return said === '[message]' ? 'C.' : `C: ${said}`;
  return `${verb} ${said}`.trim();
}
