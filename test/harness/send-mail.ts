import { stuff } from './dot-stuffing.ts';
import { SmtpDialog } from './smtp-dialog.ts';
import type { SmtpReply } from './wire-text.ts';

export interface SendOptions {
  readonly port: number;
  readonly host?: string;
  /** Reverse-path as it stands between the angle brackets; '' for the null sender. Byte strings, as `to`. */
  readonly from: string;
  readonly to: readonly string[];
  /** Byte for byte, with CRLF; dots are stuffed on the way. */
  readonly message: Buffer;
  /** After the path, as in `SIZE=1000 BODY=8BITMIME`. */
  readonly mailParameters?: string;
  /** After each path, as in `NOTIFY=NEVER`. */
  readonly rcptParameters?: string;
  readonly protocol?: 'smtp' | 'lmtp';
  readonly helo?: string;
  /** Whole commands sent after EHLO, as in `XFORWARD NAME=…`. */
  readonly before?: readonly string[];
}

/** The replies. A refusal throws nothing: the test checks for what it expects. */
export interface SendResult {
  readonly ehlo: SmtpReply;
  readonly mail: SmtpReply;
  /** By the order of `to`. Empty when MAIL was refused. */
  readonly rcpt: readonly SmtpReply[];
  /** undefined when no recipient was accepted. */
  readonly data: SmtpReply | undefined;
  /** After the final dot: one, or with LMTP one per accepted recipient; empty when DATA was refused. */
  readonly final: readonly SmtpReply[];
}

/** Sends one message over a new session. @throws Error when the connection breaks */
export async function sendMail(options: SendOptions): Promise<SendResult> {
  const dialog = await SmtpDialog.open(options.port, { host: options.host ?? '127.0.0.1' });
  try {
    return await transact(dialog, options);
  } finally {
    await dialog.quit();
  }
}

/** One transaction in an open session: EHLO to the reply after the dot. */
export async function transact(dialog: SmtpDialog, options: SendOptions): Promise<SendResult> {
  const lmtp = options.protocol === 'lmtp';
  const ehlo = await dialog.say(`${lmtp ? 'LHLO' : 'EHLO'} ${options.helo ?? 'client.example.net'}`);
  for (const command of options.before ?? []) await dialog.say(command);
  const mail = await dialog.say(command('MAIL FROM', options.from, options.mailParameters));
  const rcpt: SmtpReply[] = [];
  if (mail.code === 250) {
    for (const path of options.to) rcpt.push(await dialog.say(command('RCPT TO', path, options.rcptParameters)));
  }
  const accepted = rcpt.filter((reply) => reply.code === 250 || reply.code === 251).length;
  const data = accepted > 0 ? await dialog.say('DATA') : undefined;
  const final: SmtpReply[] = [];
  if (data?.code === 354) {
    await dialog.write(stuff(options.message));
    await dialog.write(options.message.subarray(-2).toString('latin1') === '\r\n' ? '.\r\n' : '\r\n.\r\n');
    for (let count = lmtp ? accepted : 1; count > 0; count--) final.push(await dialog.read({ bound: 600_000 }));
  }
  return { ehlo, mail, rcpt, data, final };
}

function command(verb: string, path: string, parameters: string | undefined): string {
  return `${verb}:<${path}>${parameters ? ` ${parameters}` : ''}`;
}
