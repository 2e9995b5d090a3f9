import { randomUUID } from 'node:crypto';
import nodemailer from 'nodemailer';
import { fullNames } from './people.ts';
import type { Sample } from './sample.ts';

export interface LetterParts {
  readonly from: string;
  readonly to: readonly string[];
  readonly file: { readonly name: string; readonly content: Buffer };
}

/** A letter with one file, as a mail program writes it; its subject is the name of the file. Any characters will do. */
export async function letter({ from, to, file }: LetterParts): Promise<Sample> {
  const messageId = `<${randomUUID()}@lab.example.net>`;
  const { name, content } = file;
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  const { message } = await transport.sendMail({
    messageId,
    from: person(from),
    to: to.map(person),
    subject: name,
    text: `Hello,\n\nattached: ${name}\n\n-- \nAlice\n`,
    attachments: [{ filename: name, content }],
  });
  return { from, to, messageId, message: message as Buffer, files: [{ name, type: '', content }] };
}

const person = (address: string): { name: string; address: string } => ({ name: fullNames[address] ?? '', address });
