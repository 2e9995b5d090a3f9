import { sendMail } from '../test/harness/send-mail.ts';
import { waitFor } from '../test/harness/wait.ts';
import { type DovecotInstance } from '../test/harness/dovecot.ts';
import type { LabView } from './chain.ts';
import type { Sample } from './sample.ts';

export interface Copy {
  readonly recipient: string;
  readonly message: Buffer;
}

/** Gives the message to Postfix A as a mail program would. @throws Error with A's words when it refuses */
export async function post(sample: Sample, port: number): Promise<void> {
  const { mail, rcpt, final } = await sendMail({ port, from: sample.from, to: sample.to, message: sample.message });
  const refusal = [mail, ...rcpt, ...final].find((reply) => reply.code >= 400);
  if (refusal) throw new Error(`Postfix A refused the message: ${refusal.text}`);
}

/** Waits for every recipient's copy and reads it over IMAP. */
export async function collect(sample: Sample, chain: LabView): Promise<Copy[]> {
  const copies: Copy[] = [];
  for (const recipient of sample.to) {
    const message = await waitFor(() => findCopy(chain.dovecot, recipient, sample.messageId), {
      what: `the message in the mailbox of ${recipient}`,
      detail: () => `${chain.a.log().slice(-1500)}\n${chain.detach.describe()}`,
    });
    copies.push({ recipient, message });
  }
  return copies;
}

let seen = new Map<string, number>();

/** Asks the server only when there is something new in the mailbox. */
export async function findCopy(
  dovecot: DovecotInstance,
  recipient: string,
  messageId: string,
): Promise<Buffer | undefined> {
  const count = dovecot.count(recipient);
  if (count === seen.get(`${recipient} ${messageId}`)) return undefined;
  seen = new Map(seen).set(`${recipient} ${messageId}`, count);
  return (await dovecot.fetch(recipient)).reverse().find((message) => message.includes(messageId));
}

/** Every link that stands in the texts of a message, in whatever transfer encoding. */
export function linksIn(message: Buffer, baseUrl: string): string[] {
  const escaped = baseUrl.replace(/[.]/g, '\\.');
  return [...new Set(textsOf(message).match(new RegExp(`${escaped}/[\\w-]{22}`, 'g')) ?? [])];
}

/** As it is, without the soft line breaks of quoted-printable, and what its lines of base64 hold. */
function textsOf(message: Buffer): string {
  const text = message.toString('latin1');
  const encoded = text.match(/(?:^[A-Za-z0-9+/]+={0,2}\r?\n)+/gm) ?? [];
  const decoded = encoded.map((lines) => Buffer.from(lines, 'base64').toString('latin1'));
  return [text.replace(/=\r?\n/g, ''), ...decoded].join('\n');
}
