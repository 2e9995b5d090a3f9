import { run } from '../../test/harness/process.ts';

export interface SmallMail {
  readonly messages: number;
  readonly sessions: number;
  readonly recipients: number;
  /** A session serves one message after the other; otherwise each message opens its own. */
  readonly keepOpen: boolean;
}

/** Bytes of one message as Postfix's `smtp-source` makes it. */
export const smallMailSize = 4096;

/** Sends mail with Postfix's `smtp-source`. @throws Error when a single command is refused */
export async function smtpSource(port: number, mail: SmallMail): Promise<void> {
  await run('smtp-source', [
    ...(mail.keepOpen ? ['-d'] : []),
    ...['-s', String(mail.sessions), '-m', String(mail.messages), '-r', String(mail.recipients)],
    ...['-l', String(smallMailSize), '-f', 'sender@example.net', '-t', 'reader@example.com'],
    `127.0.0.1:${port}`,
  ]);
}
