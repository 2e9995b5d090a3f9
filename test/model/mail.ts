import { HeaderBlock } from '../../src/message/header-block.ts';
import type { Journey } from './journey.ts';
import type { Network } from './network.ts';

/** A message in the queue of a server, or on its way between two. */
export interface Mail {
  /** Complete fields with their CRLF, from the top. */
  readonly fields: readonly string[];
  readonly reversePath: number | undefined;
  readonly copies: readonly Copy[];
}

export interface Copy {
  readonly address: number;
  readonly journey: Journey;
}

export const mailboxName = (address: number | undefined): string =>
  address === undefined ? '' : `u${address}@example.com`;

export const blockOf = (fields: readonly string[]): HeaderBlock =>
  HeaderBlock.parse(Buffer.from(fields.join(''), 'latin1'));

export const isField = (name: string) => {
  const start = `${name.toLowerCase()}:`;
  return (field: string): boolean => field.slice(0, start.length).toLowerCase() === start;
};

const dateField = 'Date: Thu, 15 Jan 2026 12:00:00 +0000\r\n';

export function originalFields({ has }: Network['message']): readonly string[] {
  return [
    ...(has.messageId ? ['Message-ID: <original@example.com>\r\n'] : []),
    ...(has.date ? [dateField] : []),
    'From: sender@example.com\r\n',
  ];
}

/** What a server does to the header of a message that it receives. */
export function touched(
  fields: readonly string[],
  network: Network,
  server: number,
): { fields: string[]; blinded: boolean } {
  const { strips, addsMissing, rewritesFrom } = network.servers[server]!;
  let after = strips ? fields.filter((field) => !/^x-/i.test(field)) : [...fields];
  const from = `From: sender@public${server}.example\r\n`;
  const renamed = rewritesFrom && !after.includes(from);
  if (renamed) after = after.map((field) => (isField('From')(field) ? from : field));
  if (addsMissing) {
    if (!after.some(isField('Message-ID'))) after.push(`Message-ID: <added-by-${server}@example.com>\r\n`);
    if (!after.some(isField('Date'))) after.push(dateField);
  }
  // Stamps may then be bound to From, which has just changed.
  const onlyFrom = !network.message.has.messageId && !network.message.has.date;
  return {
    fields: [`Received: from somewhere by server${server}; Thu, 15 Jan 2026 12:00:00 +0000\r\n`, ...after],
    blinded: strips || (renamed && onlyFrom),
  };
}
