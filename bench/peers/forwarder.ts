/**
 * A minimal forwarder, as one could write it in an afternoon: `smtp-server` in front, nodemailer behind. Its arguments
 * are its port, the next hop's port and, to replace attachments by links with `mailparser`, a folder for the files.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import nodemailer from 'nodemailer';
import type { SendMailOptions } from 'nodemailer';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';

const [port, nextHop, folder] = process.argv.slice(2);

const transport = nodemailer.createTransport({
  host: '127.0.0.1',
  port: Number(nextHop),
  pool: true,
  maxConnections: 100,
  maxMessages: Infinity,
  ignoreTLS: true,
});

async function forward(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
  const { mailFrom, rcptTo } = session.envelope;
  const envelope = { from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address) };
  const message = folder === undefined ? { raw: stream } : await withLinks(stream, folder);
  await transport.sendMail({ envelope, ...message });
}

async function withLinks(stream: SMTPServerDataStream, directory: string): Promise<SendMailOptions> {
  const mail = await simpleParser(stream);
  const links: string[] = [];
  for (const { content, filename = 'file' } of mail.attachments) {
    const hash = createHash('sha256').update(content).digest('hex');
    await writeFile(join(directory, hash), content);
    links.push(`${filename}: https://files.example.net/${hash}`);
  }
  return { subject: mail.subject ?? '', text: `${mail.text ?? ''}\n${links.join('\n')}\n` };
}

new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  onData: (stream, session, callback) => {
    forward(stream, session).then(
      () => callback(),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  },
}).listen(Number(port), '127.0.0.1');
