/** The transaction that most tests play, from both ends: what a peer's script says of it, and what the client does. */
import assert from 'node:assert/strict';
import type { PathCommand } from '../../smtp/command.ts';
import { describeReply, type Reply } from '../../smtp/reply.ts';
import type { Session } from '../interface.ts';

// --- pieces of scripts for ScriptedPeer, to be joined as they are

/** Greeting and EHLO, with these extensions offered. */
export function hello(...extensions: readonly string[]): string {
  const lines = ['b.example at your service', ...extensions];
  const reply = lines.map((line, i) => `S: 250${i + 1 < lines.length ? '-' : ' '}${line}`);
  return ['', 'S: 220 b.example ESMTP', 'C: EHLO relay.example', ...reply].join('\n');
}

export const envelope = `
  C: MAIL FROM:<a@a.example>
  S: 250 2.1.0 Ok
  C: RCPT TO:<b@b.example>
  S: 250 2.1.5 Ok`;

/** MAIL and an RCPT for each of these, all before the first reply. */
export function pipelined(...names: readonly string[]): string {
  return ['', 'C: MAIL FROM:<a@a.example>', ...names.map((name) => `C: RCPT TO:<${name}@b.example>`)].join('\n');
}

const data = `
  C: DATA
  S: 354 Go ahead`;

/** From DATA to the last reply. */
export const taken = `${data}
  C.
  S: 250 2.0.0 Ok`;

export const untilData = envelope + data;

export const delivered = envelope + taken;

export const goodbye = `
  C: QUIT
  S: 221 Bye
  close`;

// --- the client's part

export const from: PathCommand = { path: '<a@a.example>', params: [] };
export const to = (name: string): PathCommand => ({ path: `<${name}@b.example>`, params: [] });
export const text = Buffer.from('Subject: x\r\n\r\n.dot\r\nend\r\n');

/** Up to the reply to DATA, one command at a time. */
export async function toMessage(session: Session): Promise<void> {
  assert.equal((await session.mail(from)).code, 250);
  assert.equal((await session.rcpt(to('b'))).code, 250);
  assert.equal((await session.data()).code, 354);
}

/** All of it; the envelope in one go. */
export async function deliver(session: Session, message: Iterable<Buffer> = [text]): Promise<void> {
  await session.envelope(from, [to('b')]);
  assert.equal((await session.data()).code, 354);
  await session.write(message);
  assert.equal((await session.finish())[0]?.code, 250);
}

// --- what comes of it

export const codes = (replies: readonly Reply[]): number[] => replies.map(({ code }) => code);
export const allSaid = (replies: readonly Reply[]): string[] => replies.map(describeReply);
